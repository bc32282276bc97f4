/** What needs me, what runs, what finished since I last looked. */

import { useEffect, useState } from '../vendor/hooks.js';
import { run_list } from '../api/runs.js';
import { Head, Section } from '../part/layout.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { Price } from '../part/money.js';
import { few } from '../part/number.js';
import { JobLine } from '../part/jobs.js';
import { RunAtWork, RunEnded } from '../part/runs.js';
import { Unread } from '../part/trouble.js';
import { Waiting } from '../part/waiting.js';
import { isEnd } from '../state/apply.js';
import { InstallHint } from '../part/install_hint.js';
import { useCounts, useSeen, waiting } from '../state/attention.js';
import { state, useResource } from '../state/store.js';

/** When Home was last left, so that what finished since can be told. */
const LOOKED = 'looked_at';

/** Looking this long counts as having looked, in milliseconds. */
const LOOK = 4000;

/** @returns {string} */
function lookedAt() {
  const day = new Date(Date.now() - 24 * 3600 * 1000).toISOString();
  return localStorage.getItem(LOOKED) ?? day;
}

export default function Home() {
  const [since] = useState(lookedAt);
  const { counts, of: snapshot } = useCounts();
  const items = waiting();
  const ended = useResource('run_list recent', () => run_list({ limit: 100 }), (event) => event.event.kind === 'run_state_changed');

  useSeen(items);
  useEffect(() => {
    const begun = Date.now();
    return () => {
      if (Date.now() - begun > LOOK) localStorage.setItem(LOOKED, new Date(begun).toISOString());
    };
  }, []);

  const lines = Object.values(state.value.runs).filter((run) => !isEnd(run.status));
  const atWork = lines.filter((run) => run.status !== 'paused').sort((a, b) => rank(a) - rank(b) || a.created_at.localeCompare(b.created_at));
  const resting = lines.filter((run) => run.status === 'paused' && !items.some((item) => item.run === run.id));
  const jobs = Object.values(state.value.jobs).filter((job) => job.status === 'running');
  const finished = (ended.data?.items ?? []).filter((run) => run.ended_at && run.ended_at > since && run.state.status !== 'superseded');
  const never = ended.data?.items.length === 0 && lines.length + items.length + jobs.length === 0;
  const empty = counts && (counts.repos === 0 || (counts.tickets.total === 0 && never));

  return html`
    ${h(Head, { title: 'Home' })}
    ${h(Unread, { of: snapshot })}
    ${empty ? h(FirstSteps, { counts }) : html`<div class="columns">
      <div class="stack wide">
        ${items.length > 0 && h(Section, {
          title: 'Needs you',
          tally: state.value.waiting,
          action: html`<a class="small" href="#/inbox">Inbox</a>`,
          children: html`<div class="stack">${items.map((item) => h(Waiting, { key: item.id, item, level: 3 }))}</div>`,
        })}
        ${counts && items.length === 0 && html`<p class="row muted">${h(Icon, { name: 'check', size: 18, class: 'good' })} Nothing needs you.</p>`}
        ${h(Section, {
          title: 'At work',
          tally: atWork.length || undefined,
          children: atWork.length + resting.length + jobs.length > 0
            ? html`<ul class="list">
                ${[...atWork, ...resting].map((run) => html`<li key=${run.id}>${h(RunAtWork, { run })}</li>`)}
                ${jobs.map((job) => html`<li key=${job.id}>${h(JobLine, { job })}</li>`)}
              </ul>`
            : html`<div class="card muted">No run is at work. ${counts && counts.tickets.total > counts.tickets.done
                ? html`There are open tickets in <a href="#/repos">your repos</a>.`
                : html`<a href="#/repos">Choose a repo</a> and write a ticket.`}</div>`,
        })}
      </div>
      <div class="side stack wide">
        ${h(Section, {
          title: 'Finished since you looked',
          children: finished.length
            ? html`<ul class="list">${finished.map((run) => html`<li key=${run.id}>${h(RunEnded, { run })}</li>`)}</ul>`
            : html`<div class="card muted small">Nothing new. <a href="#/runs">All runs</a></div>`,
        })}
        ${counts && h(Counts, { counts, today: snapshot.data?.today })}
        ${h(InstallHint, null)}
      </div>
    </div>`}`;
}

/** @param {import('../state/apply.js').Line} run */
function rank(run) {
  return run.status === 'running' || run.status === 'stopping' ? 0 : run.status === 'parked' ? 1 : 2;
}

/** @param {{counts: import('../api/types.d.ts').HubCounts, today?: import('../api/types.d.ts').DayLine | null}} props */
function Counts({ counts, today }) {
  return h(Section, {
    title: 'The hub',
    children: html`<dl class="card facts">
      <dt>Repos</dt><dd class="number">${counts.repos}</dd>
      <dt>Worktrees</dt><dd class="number">${counts.worktrees}</dd>
      <dt>Tickets done</dt><dd class="number">${counts.tickets.done} of ${counts.tickets.total}</dd>
      ${today?.day_cost && html`<dt>Spent today</dt><dd class="number"><a href="#/settings?part=budgets">${h(Price, { cost: today.used.cost })} of ${h(Price, { cost: { amount: today.day_cost, unpriced_tokens: 0 } })}</a></dd>`}
      ${today?.day_tokens && html`<dt>Tokens today</dt><dd class="number"><a href="#/settings?part=budgets">${few(today.used.tokens)} of ${few(today.day_tokens)}</a></dd>`}
      ${counts.tickets.invalid > 0 && html`<dt>With errors</dt><dd class="number bad">${counts.tickets.invalid}</dd>`}
    </dl>`,
  });
}

/**
 * What to do with an empty hub.
 * @param {{counts: import('../api/types.d.ts').HubCounts}} props
 */
function FirstSteps({ counts }) {
  const steps = [
    { done: counts.repos > 0, title: 'Add a repo', text: 'Clone one of yours, or begin a new one. The hub works in its own copy.', address: '#/repos?add=1', word: 'Add a repo' },
    { done: counts.tickets.total > 0, title: 'Write a ticket', text: 'Say what is to be done, who does it, and the commands that prove it is.', address: '#/repos', word: 'Write one' },
    { done: false, title: 'Start a run', text: 'An agent works the queue. The hub checks what it claims, and asks you when it must.', address: '#/repos', word: 'Start' },
  ];
  const next = steps.findIndex((step) => !step.done);
  return html`<div class="stack narrow-page">
    <p>${counts.repos === 0 ? 'This hub is empty. ' : ''}Three steps, and agents work for you:</p>
    <ol class="stack">${steps.map((step, index) => html`<li key=${step.title} class="card row top">
      <span class=${`chip ${step.done ? 'good' : ''}`}>${step.done ? '✓' : index + 1}</span>
      <div class="grow stack tight"><h2>${step.title}</h2><p class="muted">${step.text}</p>
        ${index === next && html`<div><a class="button main" href=${step.address}>${step.word}</a></div>`}</div>
    </li>`)}</ol>
    <p class="muted small">Or see it at work first: stop the hub and start it with <code>car-hub up --sample</code>.</p>
  </div>`;
}
