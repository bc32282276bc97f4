/** Shells on the hub's machine: those that are open, those that were, and another one. */

import { useState } from '../vendor/hooks.js';
import { credential_get } from '../api/credential.js';
import { repo_list } from '../api/repos.js';
import { terminal_create, terminal_end, terminal_list } from '../api/terminals.js';
import { Act, Button } from '../part/act.js';
import { Choice } from '../part/field.js';
import { h, html } from '../part/html.js';
import { Empty, Head, Section } from '../part/layout.js';
import { counted } from '../part/number.js';
import { Paged } from '../part/paged.js';
import { Sheet } from '../part/sheet.js';
import { Status } from '../part/status.js';
import { Sure } from '../part/sure.js';
import { When } from '../part/time.js';
import { Unread } from '../part/trouble.js';
import { goOn, to } from '../state/route.js';
import { useResource } from '../state/store.js';

/** @typedef {import('../api/types.d.ts').Terminal} Terminal */

/** The size a terminal has until somebody looks at it. */
const SIZE = { cols: 80, rows: 24 };

export default function Terminals() {
  const own = useResource('credential_get', credential_get);
  const allowed = own.data?.scopes.includes('terminal');
  return html`${h(Head, { title: 'Terminals', up: '#/more' })}
    <div class="stack narrow-page">
      ${h(Unread, { of: own })}
      ${own.data && !allowed && h(NotGiven, { scopes: own.data.scopes })}
      ${allowed && h(Allowed, null)}
    </div>`;
}

/** @param {{scopes: string[]}} props */
function NotGiven({ scopes }) {
  return h(Empty, {
    title: 'This browser may open no terminal',
    children: html`<p>A terminal is a shell on the hub's machine, so it is given there only. Pair this browser again with:</p>
      <pre class="output">car pair --scopes ${[...scopes, 'terminal'].join(',')}</pre>`,
  });
}

function Allowed() {
  const list = useResource('terminal_list first', () => terminal_list({ limit: 1 }), (event) => event.event.kind === 'terminal_updated');
  const [asks, setAsks] = useState(false);
  if (list.trouble?.code === 'turned_off') {
    return h(Empty, {
      title: 'Terminals are turned off',
      children: html`<p>Only the hub's owner can turn them on, at its machine, and starts the hub again after that:</p>
        <pre class="output">car-hub config set terminal.enabled true</pre>`,
    });
  }
  if (!list.data) return h(Unread, { of: list });
  return html`
    <div>${h(Button, { tone: 'main', icon: 'plus', onClick: () => setAsks(true), children: 'Open a terminal' })}</div>
    ${asks && h(Where, { close: () => setAsks(false) })}
    ${h(Section, {
      title: 'All of them',
      children: h(Paged, {
        name: 'terminal_list',
        load: (/** @type {string | undefined} */ after) => terminal_list({ after, limit: 50 }),
        matters: (/** @type {any} */ event) => event.event.kind === 'terminal_updated',
        row: (/** @type {any} */ terminal) => h(Row, { terminal }),
        empty: h(Empty, { title: 'No terminal was opened yet', children: html`<p>One opened here goes on when the phone sleeps, for eight hours at most.</p>` }),
      }),
    })}`;
}

/** @param {{close: () => void}} props */
function Where({ close }) {
  const [repo, setRepo] = useState('');
  const repos = useResource('repo_list names', () => repo_list({ limit: 500, status: 'ready' }));
  const options = [{ value: '', name: "The hub's root" }, ...(repos.data?.items ?? []).map((one) => ({ value: one.id, name: one.id }))];
  return h(Sheet, {
    title: 'Open a terminal',
    close,
    children: html`<div class="stack">
      ${h(Choice, { label: 'Where', value: repo, set: setRepo, options })}
      <p class="muted small">A shell with all the rights of the hub's user. What it writes is recorded, and the audit says who opened it.</p>
      <div class="stack tight">${h(Act, { tone: 'main', full: true, work: () => opened(repo), children: 'Open' })}</div>
    </div>`,
  });
}

/** @param {string} repo */
function opened(repo) {
  return goOn(terminal_create({ ...SIZE, repo: repo || null }), (terminal) => to('terminals', terminal.id));
}

/** @param {{terminal: Terminal}} props */
function Row({ terminal }) {
  const running = terminal.status === 'running';
  return html`<div class="item">
    <a class="grow stack" href=${to('terminals', terminal.id)} style=${{ gap: '0', color: 'inherit', textDecoration: 'none' }}>
      <span class="row"><span class="name">${terminal.repo ?? "the hub's root"}</span> ${h(Status, { status: terminal.status, word: ended(terminal) })}</span>
      <span class="small muted line">${terminal.opened_by}, ${h(When, { at: terminal.created_at })}${running && terminal.viewers ? `, ${counted(terminal.viewers, 'viewer')}` : ''}</span>
    </a>
    ${running && h(End, { terminal })}
  </div>`;
}

/** @param {{terminal: Terminal}} props */
export function End({ terminal }) {
  return h(Sure, { icon: 'stop', work: () => terminal_end(terminal.id), question: 'End it now?', children: 'End' });
}

/** @param {Terminal} terminal */
export function ended(terminal) {
  if (!terminal.end) return undefined;
  const code = terminal.exit_code === null || terminal.exit_code === undefined ? '' : ` with ${terminal.exit_code}`;
  return `${terminal.end.replaceAll('_', ' ')}${code}`;
}
