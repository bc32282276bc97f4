/** Every conversation, and what was said in them. */

import { useEffect, useState } from '../vendor/hooks.js';
import { agent_list } from '../api/agents.js';
import { repo_list } from '../api/repos.js';
import { message_search, thread_create } from '../api/threads.js';
import { troubleOf } from '../api/client.js';
import { Button, useAct } from '../part/act.js';
import { Choice, Field } from '../part/field.js';
import { h, html } from '../part/html.js';
import { Head } from '../part/layout.js';
import { Sheet } from '../part/sheet.js';
import { ThreadList } from '../part/thread_list.js';
import { When } from '../part/time.js';
import { TroubleNote } from '../part/trouble.js';
import { goOn, to } from '../state/route.js';
import { useResource } from '../state/store.js';

/** @param {{query: Record<string, string>}} props */
export default function Threads({ query }) {
  const [making, setMaking] = useState(query.new === '1');
  const [archived, setArchived] = useState(false);
  const [words, setWords] = useState('');
  return html`${h(Head, { title: 'Threads', children: h(Button, { icon: 'plus', onClick: () => setMaking(true), children: 'New' }) })}
    <div class="stack narrow-page">
      <div class="field"><label class="unseen" for="words">Search what was said</label>
        <input id="words" type="search" placeholder="Search what was said" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} /></div>
      ${words.trim().length > 1 ? h(Found, { words: words.trim() }) : html`
        <div class="segments" role="group" aria-label="Which threads">
          <button type="button" aria-pressed=${String(!archived)} onClick=${() => setArchived(false)}>At hand</button>
          <button type="button" aria-pressed=${String(archived)} onClick=${() => setArchived(true)}>Put away</button></div>
        ${h(ThreadList, { archived })}`}
    </div>
    ${making && h(NewThread, { close: () => setMaking(false), repo: query.repo })}`;
}

/** @param {{words: string}} props */
function Found({ words }) {
  const [found, setFound] = useState(/** @type {import('../api/types.d.ts').MessageHit[] | null} */ (null));
  const [trouble, setTrouble] = useState(/** @type {any} */ (null));
  useEffect(() => {
    let wanted = true;
    const timer = setTimeout(() => message_search({ q: words, limit: 50 }).then(
      (page) => wanted && (setFound(page.items), setTrouble(null)),
      (error) => wanted && setTrouble(troubleOf(error)),
    ), 250);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [words]);
  if (trouble) return h(TroubleNote, { trouble });
  if (!found) return null;
  if (found.length === 0) return html`<p class="muted">Nobody said “${words}”.</p>`;
  return html`<ul class="list">${found.map((hit) => html`<li key=${`${hit.message} ${hit.in_answer}`}><a href=${to('threads', hit.thread)}>
    <span class="grow stack" style=${{ gap: '2px' }}><span class="row small muted"><span class="grow line">${hit.thread_name} · ${hit.in_answer ? 'the agent' : 'you'}</span>${h(When, { at: hit.at })}</span>
    <span class="small">${marked(hit.excerpt)}</span></span></a></li>`)}</ul>`;
}

/** The words that were found stand in brackets. @param {string} text */
function marked(text) {
  return text.split(/(\[[^\]]*\])/).map((piece, index) => (piece.startsWith('[') ? html`<b key=${index}>${piece.slice(1, -1)}</b>` : piece));
}

/** @param {{close: () => void, repo?: string}} props */
function NewThread({ close, repo: given }) {
  const [name, setName] = useState('');
  const [agent, setAgent] = useState('');
  const [repo, setRepo] = useState(given ?? '');
  const agents = useResource('agent_list', agent_list);
  const repos = useResource('repo_list names', () => repo_list({ limit: 500, status: 'ready' }));
  const { act, busy, slow, trouble } = useAct(async () => {
    const made = thread_create({
      ...(name.trim() ? { name: name.trim() } : {}),
      ...(agent ? { agent } : {}),
      ...(repo ? { repo } : {}),
    });
    await goOn(made, (thread) => to('threads', thread.id));
    close();
  });
  return h(Sheet, {
    title: 'New thread',
    close,
    children: html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void act();
    }}>
      ${h(Choice, { label: 'With', value: agent, set: setAgent, options: [{ value: '', name: 'The hub’s usual agent' }, ...(agents.data?.items ?? []).map((one) => ({ value: one.id, name: one.name }))] })}
      ${h(Choice, { label: 'Works in', value: repo, set: setRepo, options: [{ value: '', name: 'The hub’s directory' }, ...(repos.data?.items ?? []).map((one) => ({ value: one.id, name: one.name }))] })}
      ${h(Field, { label: 'Name', value: name, set: setName, hint: 'Made from your first message when empty.' })}
      ${h(TroubleNote, { trouble })}
      ${h(Button, { tone: 'main', type: 'submit', full: true, busy: slow, disabled: busy, children: 'Begin' })}
    </form>`,
  });
}
