/**
 * One thing that waits for a person, with its answer in place.
 *
 * @typedef {import('../api/types.d.ts').Attention} Attention
 */

import { useState } from '../vendor/hooks.js';
import { approval_decide, run_get, run_reply, run_resume, run_start, run_stop } from '../api/operations.js';
import { to } from '../state/route.js';
import { useResource } from '../state/store.js';
import { Button, useAct } from './act.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { Markdown } from './markdown.js';
import { When } from './time.js';
import { TroubleNote } from './trouble.js';

/** @type {Record<string, {icon: import('./icon.js').IconName, name: string}>} */
const KINDS = {
  approval: { icon: 'shield', name: 'Asks for permission' },
  question: { icon: 'ask', name: 'Asks' },
  fix: { icon: 'warn', name: 'Needs a hand' },
  user_ticket: { icon: 'tick', name: 'Yours to do' },
  failed: { icon: 'cross', name: 'Failed' },
  repo: { icon: 'repo', name: 'Repo' },
};

/** @param {{item: Attention, refresh: () => void}} props */
export function Waiting({ item, refresh }) {
  const kind = KINDS[item.kind] ?? { icon: 'warn', name: item.kind };
  return html`<article class=${`card stack ${item.kind === 'failed' || item.kind === 'repo' ? 'bad' : 'wants'}`} aria-label=${`${kind.name}: ${item.repo}`}>
    <header class="row small muted">
      ${h(Icon, { name: kind.icon, size: 18 })}
      <span class="grow line"><b>${kind.name}</b> · <a href=${item.run ? to('runs', item.run) : to('repos', item.repo)}>${item.repo}</a></span>
      ${item.since && h(When, { at: item.since })}
    </header>
    ${h(Markdown, { text: item.line, class: 'clip' })}
    ${h(Answer, { item, refresh })}
  </article>`;
}

/** @param {{item: Attention, refresh: () => void}} props */
function Answer({ item, refresh }) {
  switch (item.kind) {
    case 'approval':
      return h(Approve, { item, refresh });
    case 'question':
      return h(Reply, { run: /** @type {string} */ (item.run), done: refresh });
    case 'fix':
    case 'failed':
      return h(Choices, { item, refresh });
    case 'user_ticket':
      return h(Choices, { item, refresh });
    case 'repo':
      return html`<div><a class="button" href=${to('repos', item.repo)}>Look at it</a></div>`;
  }
}

/** @param {{item: Attention, refresh: () => void}} props */
function Approve({ item, refresh }) {
  const run = useResource(`run_get ${item.run}`, () => run_get(/** @type {string} */ (item.run)));
  const approval = run.data?.approvals?.find((one) => one.id === item.approval);
  const { act, busy, slow, trouble } = useAct(async (/** @type {string} */ decision) => {
    await approval_decide(/** @type {string} */ (item.run), /** @type {string} */ (item.approval), decision);
    refresh();
  });
  return html`${approval && h(Asked, { request: approval.request })}
    <div class="row wrap">
      ${h(Button, { tone: 'main', busy: slow, disabled: busy, onClick: () => void act('accept'), children: 'Allow' })}
      ${h(Button, { disabled: busy, onClick: () => void act('accept_for_session'), children: 'Allow for this session' })}
      ${h(Button, { tone: 'grave', disabled: busy, onClick: () => void act('decline'), children: 'Deny' })}
    </div>
    ${h(TroubleNote, { trouble })}`;
}

/**
 * What an agent wants to do.
 * @param {{request: import('../api/types.d.ts').ApprovalRequest}} props
 */
export function Asked({ request }) {
  switch (request.type) {
    case 'command':
      return html`<div class="stack tight">${request.reason && html`<p>${request.reason}</p>`}
        <pre class="output" tabindex="0">${request.command}</pre><span class="tiny muted">in ${request.cwd}</span></div>`;
    case 'file_change':
      return html`<div class="stack tight">${request.reason && html`<p>${request.reason}</p>`}
        <ul class="mono">${request.changes.map((change) => html`<li key=${change.path}>${change.kind} ${change.path}</li>`)}</ul></div>`;
    case 'other':
      return html`<pre class="output" tabindex="0">${request.detail}</pre>`;
  }
}

/**
 * A text for an agent that waits.
 * @param {{run: string, done: () => void, label?: string, children?: any}} props
 */
export function Reply({ run, done, label = 'Your answer', children }) {
  const draft = `reply ${run}`;
  const [text, setText] = useState(() => sessionStorage.getItem(draft) ?? '');
  const { act, busy, slow, trouble } = useAct(async () => {
    await run_reply(run, text.trim());
    sessionStorage.removeItem(draft);
    setText('');
    done();
  });
  return html`<form class="stack tight" onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    void act();
  }}>
    <label class="unseen" for=${draft}>${label}</label>
    <textarea id=${draft} rows="2" placeholder=${label} value=${text} disabled=${busy}
      onInput=${(/** @type {any} */ event) => {
        setText(event.target.value);
        sessionStorage.setItem(draft, event.target.value);
      }}></textarea>
    <div class="row wrap end">${children}${h(Button, { tone: 'main', type: 'submit', icon: 'send', busy: slow, disabled: busy || text.trim() === '', children: 'Send' })}</div>
    ${h(TroubleNote, { trouble })}
  </form>`;
}

/** @param {{item: Attention, refresh: () => void}} props */
function Choices({ item, refresh }) {
  const { act, busy, slow, trouble } = useAct(async (/** @type {() => Promise<unknown>} */ work) => {
    await work();
    refresh();
  });
  const run = item.run;
  return html`<div class="row wrap">
      ${item.kind === 'failed'
        ? h(Button, { tone: 'main', icon: 'play', busy: slow, disabled: busy, onClick: () => void act(() => run_start(item.repo)), children: 'Start again' })
        : run && h(Button, { tone: 'main', icon: 'play', busy: slow, disabled: busy, onClick: () => void act(() => run_resume(run)), children: 'Go on' })}
      ${run && html`<a class="button" href=${to('runs', run)}>Look at it</a>`}
      ${item.kind !== 'failed' && run && h(Button, { tone: 'grave', disabled: busy, onClick: () => void act(() => run_stop(run)), children: 'Stop' })}
    </div>
    ${h(TroubleNote, { trouble })}`;
}
