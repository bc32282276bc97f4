/** A new ticket, from a few fields; its file can be edited afterwards. */

import { useLayoutEffect, useState } from '../vendor/hooks.js';
import { agent_list } from '../api/agents.js';
import { template_apply, template_list } from '../api/templates.js';
import { ticket_create, ticket_get, ticket_list } from '../api/tickets.js';
import { Button, useAct } from '../part/act.js';
import { Choice, Field } from '../part/field.js';
import { h, html } from '../part/html.js';
import { Head } from '../part/layout.js';
import { Sheet } from '../part/sheet.js';
import { TemplateList, TemplateSheet, changesTemplates } from '../part/template.js';
import { TroubleNote } from '../part/trouble.js';
import { go, goOn, to } from '../state/route.js';
import { bodyOf, verifyOf } from '../state/ticket_text.js';
import { useResource } from '../state/store.js';

/** @type {Record<string, string>} */
const EMPTY = { title: '', body: '', verify: '', agent: '' };

/** @param {{params: Record<string, string>, query: Record<string, string>}} props */
export default function NewTicket({ params, query }) {
  const repo = params.repo;
  const kept = `ticket_new ${repo}`;
  const [draft, setDraft] = useState(() => ({ ...EMPTY, ...JSON.parse(localStorage.getItem(kept) ?? '{}'), ...(query.title ? { title: query.title } : {}), ...(query.body ? { body: query.body } : {}) }));
  const agents = useResource('agent_list', agent_list);
  // At once: whoever writes and leaves loses no letter.
  useLayoutEffect(() => localStorage.setItem(kept, JSON.stringify(draft)), [draft]);
  /** @param {string} name */
  const set = (name) => (/** @type {string} */ value) => setDraft({ ...draft, [name]: value });

  const { act, busy, slow, trouble } = useAct(async () => {
    const made = ticket_create(repo, {
      title: draft.title.trim(),
      ...(draft.agent ? { agent: draft.agent } : {}),
      ...(draft.body.trim() ? { body: draft.body } : {}),
      verify: commandsIn(draft.verify),
    });
    await goOn(made, ({ ticket }) => to('repos', repo, 'tickets', ticket.id), { replace: true });
    localStorage.removeItem(kept);
  });
  const earlier = useResource(`ticket_list ${repo} to begin like`, () => ticket_list(repo, { limit: 200 }));
  // The one it begins like, and what was written before it was chosen.
  const [model, setModel] = useState({ id: '', before: draft });
  const like = useAct(async (/** @type {string} */ id) => {
    if (!id) {
      setDraft({ ...model.before, title: draft.title });
      setModel({ id, before: draft });
      return;
    }
    const { ticket, content } = await ticket_get(repo, id);
    setModel({ id, before: model.id ? model.before : draft });
    setDraft((/** @type {typeof EMPTY} */ now) => ({ title: now.title, body: bodyOf(content), verify: verifyOf(content).join('\n'), agent: ticket.agent ?? '' }));
  });
  const [picking, setPicking] = useState(false);
  const ready = (agents.data?.items ?? []).map((agent) => ({ value: agent.id, name: agent.availability === 'ready' ? agent.name : `${agent.name} (${agent.availability.replaceAll('_', ' ')})` }));

  return html`${h(Head, { title: 'New ticket', crumb: html`<a href=${to('repos', repo)}>${repo}</a>`, up: to('repos', repo, 'tickets') })}
    <form class="stack narrow-page" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void act();
    }}>
      ${earlier.data && earlier.data.items.length > 0 && h(Choice, {
        label: 'Begin like',
        hint: 'Takes over its text, its commands and who does it.',
        value: model.id,
        set: (/** @type {string} */ id) => void like.act(id),
        options: [{ value: '', name: 'An empty ticket' }, ...earlier.data.items.filter((one) => one.state !== 'invalid').map((one) => ({ value: one.id, name: `${one.number ?? ''} ${one.title}`.trim() }))],
      })}
      ${h(TroubleNote, { trouble: like.trouble })}
      <div>${h(Button, { icon: 'file', onClick: () => setPicking(true), children: 'Begin from a template' })}</div>
      ${h(Field, { label: 'What is to be done', value: draft.title, set: set('title'), required: true, placeholder: 'Make the parser total' })}
      ${h(Field, { label: 'In full', value: draft.body, set: set('body'), rows: 8, hint: 'Markdown. Goal, what to look at, what counts as done.' })}
      ${h(Field, { label: 'Commands that prove it', value: draft.verify, set: set('verify'), rows: 3, mono: true, plain: true, placeholder: 'cargo test', hint: 'One a line. The hub runs them itself when the agent says that it is done.' })}
      ${h(Choice, { label: 'Who does it', value: draft.agent, set: set('agent'), options: [{ value: '', name: 'The hub’s usual agent' }, ...ready, { value: 'user', name: 'You: the run waits for you' }] })}
      ${h(TroubleNote, { trouble })}
      <div class="row end">${h(Button, { tone: 'main', type: 'submit', busy: slow, disabled: busy || !draft.title.trim(), children: 'Add it to the queue' })}</div>
    </form>
    ${picking && h(Picker, {
      repo,
      title: draft.title.trim(),
      agent: draft.agent,
      verify: commandsIn(draft.verify),
      text: draft.body.trim(),
      close: () => setPicking(false),
      made: (/** @type {string} */ ticket) => {
        // What was written and not used is there for another ticket.
        if (draft.body.trim()) localStorage.setItem(kept, JSON.stringify({ ...EMPTY, body: draft.body }));
        else localStorage.removeItem(kept);
        go(to('repos', repo, 'tickets', ticket), { replace: true });
      },
    })}`;
}

/** One a line. @param {string} text */
const commandsIn = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);

/**
 * A template to make the ticket of: found, looked at, used.
 * @param {{repo: string, title: string, agent: string, verify: string[], text: string, close: () => void, made: (ticket: string) => void}} props
 */
function Picker({ repo, title, agent, verify, text, close, made }) {
  const all = useResource('template_list', () => template_list({ limit: 500 }), changesTemplates);
  const [find, setFind] = useState('');
  const [name, setName] = useState('');
  const apply = useAct(async (/** @type {import('../api/types.d.ts').Template} */ seen) => {
    const { ticket } = await template_apply(repo, {
      template: seen.template,
      // What nobody trusts is taken as it was just looked at.
      ...(seen.trust === 'trusted' ? {} : { accept_sha256: seen.sha256 }),
      ...(title ? { title } : {}),
      ...(agent ? { agent } : {}),
      verify,
    });
    made(ticket.id);
  });
  if (name) {
    return h(TemplateSheet, {
      name,
      close: () => setName(''),
      use: ({ template }) => html`${h(TroubleNote, { trouble: apply.trouble })}
        ${title && html`<p class="small muted">The ticket will be called “${title}”.</p>`}
        ${verify.length > 0 && html`<p class="small muted">It keeps your commands that prove it.</p>`}
        ${text && html`<p class="small">What you have written in full is not in it; it stays here for another ticket.</p>`}
        ${h(Button, { tone: 'main', full: true, busy: apply.slow, disabled: apply.busy, onClick: () => void apply.act(template), children: template.trust === 'trusted' ? 'Make the ticket' : 'Make the ticket of what I see here' })}`,
    });
  }
  return h(Sheet, {
    title: 'Templates',
    close,
    children: html`<div class="stack">${h(TemplateList, {
      of: all,
      find,
      setFind,
      open: setName,
      empty: html`<p class="muted">There are none yet. <a href="#/templates">Add a git repository</a> that has some.</p>`,
    })}</div>`,
  });
}
