/**
 * One thing that waits for a person, with its answer in place.
 *
 * @typedef {import('../api/types.d.ts').InboxItem} InboxItem
 * @typedef {import('../api/types.d.ts').InboxAction} InboxAction
 */

import { useState } from '../vendor/hooks.js';
import { inbox_act } from '../api/inbox.js';
import { to } from '../state/route.js';
import { keepInbox } from '../state/store.js';
import { Button, useAct } from './act.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { Markdown } from './markdown.js';
import { Status } from './status.js';
import { Sure } from './sure.js';
import { When } from './time.js';
import { TroubleNote } from './trouble.js';
import { words } from './words.js';

/** @type {Record<string, {icon: import('./icon.js').IconName, name: string, bad?: boolean}>} */
const KINDS = {
  approval: { icon: 'shield', name: 'Asks for permission' },
  question: { icon: 'ask', name: 'Asks' },
  fix: { icon: 'warn', name: 'Needs a hand' },
  budget: { icon: 'chart', name: 'Budget used up' },
  user_ticket: { icon: 'tick', name: 'Yours to do' },
  run_failed: { icon: 'cross', name: 'Run failed', bad: true },
  thread_held: { icon: 'warn', name: 'Held' },
  message_failed: { icon: 'cross', name: 'Answer failed', bad: true },
  job_failed: { icon: 'cross', name: 'Job failed', bad: true },
  repo: { icon: 'repo', name: 'Repo', bad: true },
  delivery_failed: { icon: 'bell', name: 'Notifications do not arrive', bad: true },
  note: { icon: 'chat', name: 'Note' },
};

/** @type {Record<string, {word: string, icon?: import('./icon.js').IconName, grave?: boolean, question?: string}>} */
const ACTIONS = {
  approve: { word: 'Allow' },
  decline: { word: 'Deny', grave: true },
  resume: { word: 'Go on', icon: 'play' },
  retry: { word: 'Try again', icon: 'again' },
  done: { word: 'It is done', icon: 'check' },
  stop: { word: 'Stop', grave: true, question: 'Stop it for good?' },
  escalate: { word: 'Tell me' },
  dismiss: { word: 'Put away' },
};

/** Where an item is about. @param {InboxItem} item */
function about(item) {
  if (item.run) return to('runs', item.run);
  if (item.thread) return to('threads', item.thread);
  if (item.job) return to('jobs', item.job);
  return item.repo ? to('repos', item.repo) : undefined;
}

/**
 * What a text says besides the line that is its title.
 * @param {string} title
 * @param {string} text
 */
export function below(title, text) {
  const [first, ...rest] = text.trim().split('\n');
  return first.trim() === title.trim() ? rest.join('\n').trim() : text.trim();
}

/** @param {{item: InboxItem, level?: number}} props */
export function Waiting({ item, level = 2 }) {
  const kind = KINDS[item.kind] ?? { icon: 'warn', name: item.kind };
  const address = about(item);
  const open = item.status === 'open';
  const body = below(item.title, item.body ?? '');
  return html`<article class=${`card stack tight ${open ? (kind.bad ? 'bad' : 'wants') : ''}`} aria-label=${`${kind.name}: ${item.title}`}>
    <header class="row small muted">
      ${h(Icon, { name: kind.icon, size: 18 })}
      <span class="grow line"><b>${kind.name}</b>${item.repo ? html` · ${address ? html`<a href=${address}>${item.repo}</a>` : item.repo}` : ''}</span>
      ${h(When, { at: open ? item.created_at : item.resolved_at ?? item.created_at })}
    </header>
    ${h(/** @type {any} */ (`h${level}`), { class: 'small' }, address && !item.repo ? html`<a href=${address}>${words(item.title)}</a>` : words(item.title))}
    ${body ? h(Markdown, { text: body, class: 'clip', level: level + 1, breaks: item.kind === 'fix' }) : item.line !== item.title && html`<p>${words(item.line)}</p>`}
    ${open ? h(Answer, { item }) : html`<p class="row small">${h(Status, { status: item.status })}<span class="muted grow">${item.resolution ?? ''}</span></p>`}
  </article>`;
}

/** @param {{item: InboxItem}} props */
function Answer({ item }) {
  const { act, busy, slow, trouble } = useAct(async (/** @type {InboxAction} */ action) => keepInbox(await inbox_act(item.id, { action })));
  const others = item.actions.filter((action) => action !== 'reply');
  const first = item.actions[0];
  const buttons = others.map((action) => {
    const look = ACTIONS[action] ?? { word: action };
    if (look.question) return h(Sure, { key: action, tone: 'plain', question: look.question, work: async () => keepInbox(await inbox_act(item.id, { action })), children: look.word });
    const tone = action === first ? 'main' : look.grave ? 'grave' : action === 'dismiss' ? 'plain' : undefined;
    return h(Button, { key: action, icon: look.icon, tone, busy: slow && action === first, disabled: busy, onClick: () => void act(action), children: look.word });
  });
  return html`${item.actions.includes('reply')
      ? h(Reply, {
          name: item.id,
          send: async (/** @type {string} */ body) => keepInbox(await inbox_act(item.id, { action: 'reply', body })),
          beside: buttons,
        })
      : buttons.length > 0 && html`<div class="row wrap">${buttons}</div>`}
    ${h(TroubleNote, { trouble })}`;
}

/**
 * A text for an agent that waits; the draft is kept until it is sent.
 * @param {{name: string, send: (text: string) => Promise<unknown>, label?: string, beside?: any}} props
 *   `beside`: what else can be done, in the same row.
 */
export function Reply({ name, send, label = 'Your answer', beside }) {
  const draft = `reply ${name}`;
  const [text, setText] = useState(() => localStorage.getItem(draft) ?? '');
  const { act, busy, slow, trouble } = useAct(async () => {
    await send(text.trim());
    localStorage.removeItem(draft);
    setText('');
  });
  return html`<form class="stack tight" onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    void act();
  }}>
    <label class="unseen" for=${draft}>${label}</label>
    <textarea id=${draft} rows="2" placeholder=${label} value=${text} disabled=${busy}
      onInput=${(/** @type {any} */ event) => {
        setText(event.target.value);
        localStorage.setItem(draft, event.target.value);
      }}></textarea>
    <div class="row wrap">${beside}<span class="grow"></span>${h(Button, { tone: 'main', type: 'submit', icon: 'send', busy: slow, disabled: busy || text.trim() === '', children: 'Send' })}</div>
    ${h(TroubleNote, { trouble })}
  </form>`;
}
