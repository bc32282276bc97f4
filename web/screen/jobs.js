/** Long operations: clones, worktrees, backups. */

import { backup_create } from '../api/hub.js';
import { job_list } from '../api/jobs.js';
import { Act } from '../part/act.js';
import { h, html } from '../part/html.js';
import { JobLine } from '../part/jobs.js';
import { Empty, Head } from '../part/layout.js';
import { Paged } from '../part/paged.js';
import { state } from '../state/store.js';

export default function Jobs() {
  return html`${h(Head, { title: 'Jobs', up: '#/more' })}
    <div class="stack narrow-page">
      ${h(Paged, {
        name: 'job_list',
        load: (/** @type {string | undefined} */ after) => job_list({ after, limit: 50 }),
        matters: (/** @type {any} */ event) => event.event.kind === 'job_updated',
        row: (/** @type {any} */ job) => h(JobLine, { job: state.value.jobs[job.id] ?? job }),
        empty: h(Empty, { title: 'No jobs', children: html`<p>Clones, new worktrees and backups show here while they work, and what became of them.</p>` }),
      })}
      <div>${h(Act, { icon: 'box', work: backup_create, children: 'Make a backup now' })}</div>
    </div>`;
}
