/** A job somebody waits for. */

import { useState } from '../vendor/hooks.js';
import { Trouble } from '../api/client.js';
import { job_cancel } from '../api/jobs.js';
import { to } from '../state/route.js';
import { state } from '../state/store.js';
import { Act } from './act.js';
import { Commands } from './evidence.js';
import { h, html } from './html.js';
import { Progress, jobName, standing } from './jobs.js';
import { Status } from './status.js';
import { TroubleNote } from './trouble.js';

/** @typedef {import('../api/types.d.ts').Job} Job */

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
