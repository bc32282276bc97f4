/** Runs in lists. */

import { to } from '../state/route.js';
import { lineOf } from '../state/store.js';
import { h, html } from './html.js';
import { counted, few } from './number.js';
import { Status } from './status.js';
import { Since, When } from './time.js';

/** @typedef {import('../state/apply.js').Line} Line */

/**
 * A run that has not ended, with the line its agent is writing.
 * @param {{run: Line}} props
 */
export function RunAtWork({ run }) {
  const live = lineOf(run.id).value ?? run.last;
  return html`<a href=${to('runs', run.id)}>
    ${h(Status, { status: run.status, bare: true })}
    <span class="grow stack" style=${{ gap: '2px' }}>
      <span class="row"><span class="name line grow">${run.ticket ?? run.repo}</span>
        <span class="small muted number">${h(Since, { from: run.created_at })}</span></span>
      <span class="small muted line">${run.repo} · ${run.explain}</span>
      ${run.status === 'running' && live && html`<span class="live-line line">${live}</span>`}
      <span class="row tiny muted"><span class="grow">${h(Done, { of: run.tickets })}</span>
        <span>${counted(run.turns, 'turn')} · ${few(run.tokens)} tokens</span></span>
    </span>
  </a>`;
}

/**
 * How far a queue is.
 * @param {{of: {total: number, done: number, invalid: number}}} props
 */
export function Done({ of }) {
  if (!of.total) return html`<span>no tickets</span>`;
  const percent = Math.round((100 * of.done) / of.total);
  return html`<span class="row"><span class="bar" style=${{ width: '64px' }} aria-hidden="true"><span style=${{ width: `${percent}%` }}></span></span>
    <span>${of.done} of ${of.total} done${of.invalid ? html`, <span class="bad">${of.invalid} with errors</span>` : ''}</span></span>`;
}

/**
 * A run that ended, in a list.
 * @param {{run: import('../api/types.d.ts').Run}} props
 */
export function RunEnded({ run }) {
  const { finished } = run;
  const what = finished.tickets
    ? `${counted(finished.tickets, 'ticket')} finished, ${finished.verified} verified`
    : run.explain.line;
  return html`<a href=${to('runs', run.id)}>
    ${h(Status, { status: run.state.status, bare: true })}
    <span class="grow stack" style=${{ gap: '2px' }}>
      <span class="name line">${run.repo}</span>
      <span class="small muted line">${run.state.status === 'failed' ? run.explain.line : what} · ${few(run.usage.input_tokens + run.usage.output_tokens)} tokens</span>
    </span>
    <span class="small muted number">${h(When, { at: run.ended_at ?? run.created_at })}</span>
  </a>`;
}
