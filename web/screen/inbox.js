/** Everything that waits or waited for a person, and what became of it. */

import { inbox_list } from '../api/inbox.js';
import { h, html } from '../part/html.js';
import { Empty, Head, Tabs } from '../part/layout.js';
import { Paged } from '../part/paged.js';
import { Waiting } from '../part/waiting.js';
import { useSeen, waiting } from '../state/attention.js';
import { state } from '../state/store.js';

const TABS = [
  { address: '#/inbox', name: 'Waits', status: '' },
  { address: '#/inbox?status=resolved', name: 'Resolved', status: 'resolved' },
  { address: '#/inbox?status=dismissed', name: 'Put away', status: 'dismissed' },
];

/** @param {{query: Record<string, string>}} props */
export default function Inbox({ query }) {
  const tab = TABS.find((one) => one.status === (query.status ?? '')) ?? TABS[0];
  const open = waiting();
  useSeen(open);
  return html`${h(Head, { title: 'Inbox', up: '#/' })}
    <div class="stack narrow-page">
      ${h(Tabs, { label: 'Parts of the inbox', tabs: TABS, current: tab.address })}
      ${tab.status === ''
        ? open.length > 0
          ? html`<div class="stack">${open.map((item) => h(Waiting, { key: item.id, item }))}</div>`
          : h(Empty, { title: 'Nothing needs you', children: html`<p>What agents ask, and what went wrong, comes here, each thing once.</p>` })
        : h(Paged, {
            name: `inbox_list ${tab.status}`,
            class: 'stack',
            load: (/** @type {string | undefined} */ after) => inbox_list({ status: tab.status, after, limit: 30 }),
            matters: (/** @type {any} */ event) => event.event.kind === 'inbox_updated',
            row: (/** @type {any} */ item) => h(Waiting, { item: state.value.inbox[item.id] ?? item }),
            empty: html`<p class="card muted">Nothing yet.</p>`,
          })}
    </div>`;
}
