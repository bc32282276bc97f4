/** Jobs in lists. */

import { to } from '../state/route.js';
import { h, html } from './html.js';
import { bytes } from './number.js';
import { Status } from './status.js';
import { When } from './time.js';

/** @typedef {import('../api/types.d.ts').Job} Job */

/** @type {Record<string, string>} */
const NAMES = {
  clone: 'Clone',
  worktree_create: 'New worktree',
  worktree_cleanup: 'Remove worktree',
  restore: 'Restore',
  repo_remove: 'Remove repo',
  backup: 'Backup',
  sync: 'Sync',
  template_sync: 'Fetch templates',
  verify: 'Try of a ticket’s commands',
};

/** @param {Job} job */
export const jobName = (job) => NAMES[job.kind] ?? job.kind.replaceAll('_', ' ');

/** How it came out: a try that ended well may have found a failure. @param {Job} job */
export const standing = (job) => (job.result?.type === 'checked' ? job.result.verdict : job.status);

/**
 * A job in a list.
 * @param {{job: Job}} props
 */
export function JobLine({ job }) {
  return html`<a href=${to('jobs', job.id)}>
    ${h(Status, { status: standing(job), bare: true })}
    <span class="grow stack" style=${{ gap: '2px' }}>
      <span class="name">${jobName(job)}${job.repo ? `: ${job.repo}` : ''}</span>
      <span class="small muted line">${job.status === 'failed' ? job.problem?.detail : job.phase}</span>
      ${job.status === 'running' && h(Progress, { job })}
    </span>
    <span class="small muted number">${h(When, { at: job.ended_at ?? job.created_at })}</span>
  </a>`;
}

/** @param {{job: Job}} props */
export function Progress({ job }) {
  return html`<span class="row small muted">
    <progress class="grow" max="100" value=${job.percent ?? undefined} aria-label=${jobName(job)}></progress>
    ${job.percent !== null && job.percent !== undefined && html`<span>${job.percent} %</span>`}
    ${job.bytes ? html`<span>${bytes(job.bytes)}</span>` : null}
  </span>`;
}
