import { useEffect } from '../vendor/hooks.js';
import { signal } from '../vendor/signals.js';
import { nextTry } from '../api/socket.js';
import { badge } from '../state/install.js';
import { reconnect, state } from '../state/store.js';
import { Button } from './act.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { now, span } from './time.js';

/**
 * The places the page is about, the first of them in `index.html` too; those on wide screens only are
 * below "More" on phones.
 * @type {{address: string, name: string, icon: import('./icon.js').IconName, of: string[], only?: 'wide' | 'narrow'}[]}
 */
const PLACES = [
  { address: '#/', name: 'Home', icon: 'home', of: ['', 'inbox'] },
  { address: '#/chat', name: 'Chat', icon: 'chat', of: ['chat', 'threads'] },
  { address: '#/repos', name: 'Repos', icon: 'repo', of: ['repos'] },
  { address: '#/runs', name: 'Runs', icon: 'run', of: ['runs'] },
  { address: '#/more', name: 'More', icon: 'more', of: ['more', 'terminals', 'templates', 'usage', 'archive', 'jobs', 'audit', 'settings', 'pma'], only: 'narrow' },
  { address: '#/pma', name: 'Project manager', icon: 'file', of: ['pma'], only: 'wide' },
  { address: '#/terminals', name: 'Terminals', icon: 'terminal', of: ['terminals'], only: 'wide' },
  { address: '#/templates', name: 'Templates', icon: 'copy', of: ['templates'], only: 'wide' },
  { address: '#/usage', name: 'Usage', icon: 'chart', of: ['usage'], only: 'wide' },
  { address: '#/jobs', name: 'Jobs', icon: 'list', of: ['jobs'], only: 'wide' },
  { address: '#/archive', name: 'Archive', icon: 'box', of: ['archive'], only: 'wide' },
  { address: '#/audit', name: 'Audit', icon: 'shield', of: ['audit'], only: 'wide' },
  { address: '#/settings', name: 'Settings', icon: 'gear', of: ['settings'], only: 'wide' },
];

/** Whether there is room for all places at once, as `style/base.css` has it. */
const wide = matchMedia('(min-width: 1024px)');
const roomy = signal(wide.matches);
wide.addEventListener('change', () => {
  roomy.value = wide.matches;
});

/** @param {{path: string}} props */
export function Rail({ path }) {
  const first = path.split('/')[1] ?? '';
  const count = state.value.waiting;
  const places = PLACES.filter(({ only }) => !only || (only === 'wide') === roomy.value);
  useEffect(() => badge(count), [count]);
  return html`<nav class="rail" aria-label="Main">
    <div class="brand">${h(Mark, null)} CAR Hub</div>
    <ul>${places.map((entry) => html`<li key=${entry.address}>
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
 * Says that the hub's history is not the one this browser saw.
 * @param {{changed: string, children?: import('preact').ComponentChildren}} props
 */
export function HistoryNote({ changed, children = html`<div><a href="#/audit">Look at the audit chain</a></div>` }) {
  if (!changed) return null;
  return html`<div class="trouble history" role="alert">
    ${h(Icon, { name: 'warn', size: 18 })}
    <div class="grow stack tight">
      <div><b>The hub’s history changed:</b> ${changed}. Somebody may have changed what is kept.</div>
      ${children}
    </div>
  </div>`;
}

/**
 * One quiet line while the hub cannot be reached: what is shown may be old.
 * @param {{link: string, away: boolean, again: () => void}} props `away`: nothing could be shown yet.
 */
export function OfflineLine({ link, away, again }) {
  if (link !== 'offline' && !away) return null;
  const wait = away ? 0 : nextTry.value - now.value;
  return html`<div class="quiet-line" role="status">
    ${h(Icon, { name: 'again', size: 16 })}
    <span>No connection to the hub. ${away ? 'The page goes on as soon as it answers' : 'What you see is from before'}${wait > 5000 ? `; next try in ${span(wait)}` : ''}.</span>
    ${h(Button, { tone: 'plain', onClick: away ? again : reconnect, children: 'Try now' })}
  </div>`;
}
