import { useState } from '../vendor/hooks.js';
import { to } from '../state/route.js';
import { state } from '../state/store.js';
import { job_cancel } from '../api/operations.js';
import { Act } from './act.js';
import { Commands } from './evidence.js';
import { h, html } from './html.js';
import { bytes } from './number.js';
import { Status } from './status.js';
import { When } from './time.js';
import { TroubleNote } from './trouble.js';
import { Trouble } from '../api/client.js';

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
const standing = (job) => (job.result?.type === 'checked' ? job.result.verdict : job.status);

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

/**
 * The job that was asked for here last, as it is now, and what keeps the next one.
 * @returns {[Job | undefined, (job: Job) => void]}
 */
export function useJob() {
  const [asked, setAsked] = useState(/** @type {Job | undefined} */ (undefined));
  return [asked && (state.value.jobs[asked.id] ?? asked), setAsked];
}

/**
 * A job somebody waits for, where it was asked for.
 * @param {{job: Job}} props
 */
export function JobCard({ job }) {
  return html`<div class="card stack tight" role="status">
    <div class="row">${h(Status, { status: standing(job), word: jobName(job) })}<span class="grow line muted small">${job.phase}</span>
      ${job.status === 'running' && h(Act, { tone: 'plain', disabled: job.cancelling, work: () => job_cancel(job.id), children: job.cancelling ? 'Ending …' : 'Cancel' })}</div>
    ${job.status === 'running' && h(Progress, { job })}
    ${job.problem && h(TroubleNote, { trouble: new Trouble(job.problem) })}
    ${job.result?.type === 'checked' && h(Commands, { commands: job.result.commands })}
    <div class="row wrap small">${job.result?.type === 'repo' && html`<a href=${to('repos', job.result.repo.id)}>Open ${job.result.repo.name}</a>`}<a href=${to('jobs', job.id)}>Its log</a></div>
  </div>`;
}
