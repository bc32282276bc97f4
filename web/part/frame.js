import { useEffect } from '../vendor/hooks.js';
import { nextTry } from '../api/socket.js';
import { badge } from '../state/install.js';
import { reconnect, state } from '../state/store.js';
import { Button } from './act.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { now, span } from './time.js';

/**
 * The places the page is about; those on wide screens only are below "More" on phones.
 * @type {{address: string, name: string, icon: import('./icon.js').IconName, of: string[], only?: 'wide' | 'narrow'}[]}
 */
const PLACES = [
  { address: '#/', name: 'Home', icon: 'home', of: ['', 'inbox'] },
  { address: '#/chat', name: 'Chat', icon: 'chat', of: ['chat', 'threads'] },
  { address: '#/repos', name: 'Repos', icon: 'repo', of: ['repos'] },
  { address: '#/runs', name: 'Runs', icon: 'run', of: ['runs'] },
  { address: '#/more', name: 'More', icon: 'more', of: ['more', 'usage', 'archive', 'jobs', 'audit', 'settings', 'pma'], only: 'narrow' },
  { address: '#/pma', name: 'Project manager', icon: 'file', of: ['pma'], only: 'wide' },
  { address: '#/usage', name: 'Usage', icon: 'chart', of: ['usage'], only: 'wide' },
  { address: '#/jobs', name: 'Jobs', icon: 'list', of: ['jobs'], only: 'wide' },
  { address: '#/archive', name: 'Archive', icon: 'box', of: ['archive'], only: 'wide' },
  { address: '#/audit', name: 'Audit', icon: 'shield', of: ['audit'], only: 'wide' },
  { address: '#/settings', name: 'Settings', icon: 'gear', of: ['settings'], only: 'wide' },
];

/** @param {{path: string}} props */
export function Rail({ path }) {
  const first = path.split('/')[1] ?? '';
  const count = state.value.waiting;
  useEffect(() => badge(count), [count]);
  return html`<nav class="rail" aria-label="Main">
    <div class="brand">${h(Mark, null)} CAR Hub</div>
    <ul>${PLACES.map((entry) => html`<li key=${entry.address} class=${entry.only}>
      <a href=${entry.address} aria-current=${entry.of.includes(first) ? 'page' : undefined}>
        ${h(Icon, { name: entry.icon, size: 22 })}<span>${entry.name}</span>
        ${entry.address === '#/' && count > 0 && html`<span class="count"><span class="unseen">, waiting for you: </span>${count}</span>`}
      </a></li>`)}</ul>
  </nav>`;
}

/** The sign of the hub. */
export function Mark({ size = 24 }) {
  return html`<svg viewBox="0 0 64 64" width=${size} height=${size} aria-hidden="true">
    <rect width="64" height="64" rx="14" fill="#2456c8" />
    <path d="M20 20h24M20 32h16M20 44h10" stroke="#fff" stroke-width="5" stroke-linecap="round" fill="none" />
    <path d="m37 42 6 6 10-12" stroke="#fff" stroke-width="5" stroke-linecap="round" stroke-linejoin="round" fill="none" />
  </svg>`;
}

/**
 * One quiet line while the hub cannot be reached: what is shown may be old.
 * @param {{link: string}} props
 */
export function OfflineLine({ link }) {
  if (link !== 'offline') return null;
  const wait = nextTry.value - now.value;
  return html`<div class="quiet-line" role="status">
    ${h(Icon, { name: 'again', size: 16 })}
    <span>No connection to the hub. What you see is from before${wait > 5000 ? `; next try in ${span(wait)}` : ''}.</span>
    ${h(Button, { tone: 'plain', onClick: reconnect, children: 'Try now' })}
  </div>`;
}
