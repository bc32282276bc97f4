import { credential_delete } from '../api/credential.js';
import * as session from '../api/session.js';
import { Act } from '../part/act.js';
import { Head } from '../part/layout.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';

/** @type {{address: string, name: string, icon: import('../part/icon.js').IconName, text: string}[]} */
const PLACES = [
  { address: '#/inbox', name: 'Inbox', icon: 'bell', text: 'Everything that waited for you, and what became of it' },
  { address: '#/threads', name: 'Threads', icon: 'chat', text: 'Conversations with agents' },
  { address: '#/pma', name: 'Project manager', icon: 'file', text: 'What it works from, and its files' },
  { address: '#/templates', name: 'Templates', icon: 'copy', text: 'Tickets to begin from, out of git repositories' },
  { address: '#/terminals', name: 'Terminals', icon: 'terminal', text: "Shells on the hub's machine" },
  { address: '#/usage', name: 'Usage', icon: 'chart', text: 'Tokens and time, by day, repo and agent' },
  { address: '#/jobs', name: 'Jobs', icon: 'list', text: 'Clones, worktrees, backups' },
  { address: '#/archive', name: 'Archive', icon: 'box', text: 'What was kept of what you removed' },
  { address: '#/audit', name: 'Audit', icon: 'shield', text: 'Who did what' },
  { address: '#/settings', name: 'Settings', icon: 'gear', text: 'Agents, devices, tokens, notifications' },
];

export default function More() {
  return html`${h(Head, { title: 'More' })}
    <div class="stack narrow-page">
      <ul class="list">${PLACES.map((place) => html`<li key=${place.address}><a href=${place.address}>
        ${h(Icon, { name: place.icon })}
        <span class="grow stack" style=${{ gap: '0' }}><span class="name">${place.name}</span><span class="small muted line">${place.text}</span></span>
        ${h(Icon, { name: 'chevron', size: 18, class: 'muted' })}</a></li>`)}</ul>
      <div>${h(Act, { work: leave, children: 'Log out this browser' })}</div>
    </div>`;
}

async function leave() {
  await credential_delete();
  session.forget();
}
