import { thread_list } from '../api/threads.js';
import { to } from '../state/route.js';
import { state } from '../state/store.js';
import { h, html } from './html.js';
import { Paged } from './paged.js';
import { Status } from './status.js';
import { When } from './time.js';

/** @typedef {import('../api/types.d.ts').Thread} Thread */

/**
 * The threads, the one that was active last first.
 * @param {{current?: string, archived?: boolean}} props
 */
export function ThreadList({ current, archived = false }) {
  return h(Paged, {
    name: `thread_list ${archived}`,
    load: (/** @type {string | undefined} */ after) => thread_list({ archived: archived ? true : undefined, after, limit: 50 }),
    matters: (/** @type {any} */ event) => event.event.kind === 'thread_updated',
    row: (/** @type {any} */ thread) => h(Row, { thread, current: thread.id === current }),
    empty: html`<p class="card muted small">${archived ? 'Nothing was put away.' : 'No threads.'}</p>`,
  });
}

/** @param {{thread: Thread, current: boolean}} props */
function Row({ thread, current }) {
  const now = state.value.threads[thread.id] ?? thread;
  return html`<a href=${now.kind === 'pma' ? '#/chat' : to('threads', now.id)} aria-current=${current ? 'page' : undefined}>
    ${h(Status, { status: now.status, bare: true })}
    <span class="grow stack" style=${{ gap: '0' }}>
      <span class="row"><span class="name line grow">${now.name}</span><span class="tiny muted number">${h(When, { at: now.updated_at })}</span></span>
      <span class="small muted line">${now.preview ?? now.explain}</span>
    </span>
    ${now.queued > 0 && html`<span class="chip">${now.queued}</span>`}
  </a>`;
}
