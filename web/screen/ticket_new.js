/** A new ticket, from a few fields; its file can be edited afterwards. */

import { useEffect, useState } from '../vendor/hooks.js';
import { agent_list, ticket_create } from '../api/operations.js';
import { Button, useAct } from '../part/act.js';
import { Choice, Field } from '../part/field.js';
import { h, html } from '../part/html.js';
import { Head } from '../part/layout.js';
import { TroubleNote } from '../part/trouble.js';
import { go, to } from '../state/route.js';
import { useResource } from '../state/store.js';

/** @type {Record<string, string>} */
const EMPTY = { title: '', body: '', verify: '', agent: '' };

/** @param {{params: Record<string, string>, query: Record<string, string>}} props */
export default function NewTicket({ params, query }) {
  const repo = params.repo;
  const kept = `ticket_new ${repo}`;
  const [draft, setDraft] = useState(() => ({ ...EMPTY, ...JSON.parse(localStorage.getItem(kept) ?? '{}'), ...(query.title ? { title: query.title } : {}), ...(query.body ? { body: query.body } : {}) }));
  const agents = useResource('agent_list', agent_list);
  useEffect(() => localStorage.setItem(kept, JSON.stringify(draft)), [draft]);
  /** @param {string} name */
  const set = (name) => (/** @type {string} */ value) => setDraft({ ...draft, [name]: value });

  const { act, busy, slow, trouble } = useAct(async () => {
    const made = await ticket_create(repo, {
      title: draft.title.trim(),
      ...(draft.agent ? { agent: draft.agent } : {}),
      ...(draft.body.trim() ? { body: draft.body } : {}),
      verify: draft.verify.split('\n').map((/** @type {string} */ line) => line.trim()).filter(Boolean),
    });
    localStorage.removeItem(kept);
    go(to('repos', repo, 'tickets', made.ticket.id), { replace: true });
  });
  const ready = (agents.data?.items ?? []).map((agent) => ({ value: agent.id, name: agent.availability === 'ready' ? agent.name : `${agent.name} (${agent.availability.replaceAll('_', ' ')})` }));

  return html`${h(Head, { title: 'New ticket', crumb: html`<a href=${to('repos', repo)}>${repo}</a>`, up: to('repos', repo, 'tickets') })}
    <form class="stack narrow-page" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void act();
    }}>
      ${h(Field, { label: 'What is to be done', value: draft.title, set: set('title'), required: true, placeholder: 'Make the parser total' })}
      ${h(Field, { label: 'In full', value: draft.body, set: set('body'), rows: 8, hint: 'Markdown. Goal, what to look at, what counts as done.' })}
      ${h(Field, { label: 'Commands that prove it', value: draft.verify, set: set('verify'), rows: 3, mono: true, plain: true, placeholder: 'cargo test', hint: 'One a line. The hub runs them itself when the agent says that it is done.' })}
      ${h(Choice, { label: 'Who does it', value: draft.agent, set: set('agent'), options: [{ value: '', name: 'The hub’s usual agent' }, ...ready, { value: 'user', name: 'You: the run waits for you' }] })}
      ${h(TroubleNote, { trouble })}
      <div class="row end">${h(Button, { tone: 'main', type: 'submit', busy: slow, disabled: busy || !draft.title.trim(), children: 'Add it to the queue' })}</div>
    </form>`;
}
