/** What was kept of what was removed. */

import { useState } from '../vendor/hooks.js';
import { salvage_list, salvage_restore } from '../api/repos.js';
import { Act } from '../part/act.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { Empty, Head } from '../part/layout.js';
import { bytes } from '../part/number.js';
import { Paged } from '../part/paged.js';
import { When, exactly } from '../part/time.js';
import { goOn, to } from '../state/route.js';

/** @typedef {import('../api/types.d.ts').Salvage} Salvage */

export default function Archive() {
  return html`${h(Head, { title: 'Archive', up: '#/more' })}
    <div class="stack narrow-page">
      <p class="muted small">What existed nowhere else when a worktree or repo was removed. It can be brought back for 30 days.</p>
      ${h(Paged, {
        name: 'salvage_list',
        class: 'stack',
        load: (/** @type {string | undefined} */ after) => salvage_list({ after, limit: 50 }),
        matters: (/** @type {any} */ event) => event.event.kind === 'repo_removed' || event.event.kind === 'repo_added',
        row: (/** @type {any} */ salvage) => h(Kept, { salvage }),
        empty: h(Empty, { title: 'Nothing was kept', children: html`<p>When you remove a worktree with work that exists nowhere else, it is kept here first.</p>` }),
      })}
    </div>`;
}

/** @param {{salvage: Salvage}} props */
function Kept({ salvage }) {
  return html`<article class="card stack tight">
    <header class="row">${h(Icon, { name: 'box', class: 'muted' })}<b class="grow line">${salvage.repo}</b><span class="small muted">${h(When, { at: salvage.created_at })}</span></header>
    <p class="small muted">${salvage.branch ? html`Branch <code>${salvage.branch}</code>, ` : ''}${bytes(salvage.bytes)}, kept until ${exactly(salvage.keep_until)}</p>
    <p class="tiny muted mono line">${salvage.path}</p>
    <div class="row wrap">${h(Act, {
      icon: 'again',
      work: () => goOn(salvage_restore(salvage.id), (repo) => to('repos', repo.id)),
      children: 'Bring it back',
    })}</div>
  </article>`;
}
