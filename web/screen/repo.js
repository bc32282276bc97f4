/** One repo or worktree: what stands in its queue, what runs, and its worktrees. */

import { useState } from '../vendor/hooks.js';
import { repo_get, repo_git, repo_init, repo_list, repo_sync, worktree_create } from '../api/repos.js';
import { run_start } from '../api/runs.js';
import { ticket_list } from '../api/tickets.js';
import { Act, Button, useAct } from '../part/act.js';
import { Check, Field } from '../part/field.js';
import { Head, Section } from '../part/layout.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { JobCard, useJob } from '../part/job_card.js';
import { RemoveRepo } from '../part/remove.js';
import { RepoTabs } from '../part/repo_tabs.js';
import { RunAtWork } from '../part/runs.js';
import { Sheet } from '../part/sheet.js';
import { Status } from '../part/status.js';
import { TicketRow } from '../part/tickets.js';
import { When } from '../part/time.js';
import { TroubleNote, Unread } from '../part/trouble.js';
import { words } from '../part/words.js';
import { isEnd } from '../state/apply.js';
import { goOn, to } from '../state/route.js';
import { state, useResource } from '../state/store.js';
import { RepoRow } from './repos.js';

/** @typedef {import('../api/types.d.ts').Repo} Repo */

/** @param {{params: Record<string, string>}} props */
export default function RepoScreen({ params }) {
  const id = params.repo;
  const repo = useResource(`repo_get ${id}`, () => repo_get(id), (event) => event.repo === id && !['item_updated', 'repo_removed'].includes(event.event.kind));
  const worktrees = useResource(`repo_list of ${id}`, () => repo_list({ base: id, limit: 500 }), (event) =>
    ['repo_added', 'repo_removed', 'run_state_changed'].includes(event.event.kind));
  const tickets = useResource(`ticket_list next ${id}`, () => ticket_list(id, { state: 'open', limit: 5 }), (event) =>
    event.repo === id && event.event.kind === 'ticket_changed');
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState(false);
  const [jobs, setJobs] = useState(/** @type {string[]} */ ([]));
  const data = repo.data;
  if (!data) return html`${h(Head, { title: id, up: '#/repos' })}${h(Unread, { of: repo })}`;
  const line = data.run && state.value.runs[data.run.id];
  const active = line && !isEnd(line.status);
  const open = data.tickets.total - data.tickets.done - data.tickets.invalid;

  return html`
    ${h(Head, {
      title: data.name,
      up: data.worktree_of ? to('repos', data.worktree_of) : '#/repos',
      crumb: data.worktree_of && html`<a href=${to('repos', data.worktree_of)}>${data.worktree_of}</a>`,
    })}
    ${h(Unread, { of: repo })}
    ${data.status === 'uninitialized' && h(SetUp, { id, done: repo.refresh })}
    ${data.issue && html`<div class="notice wants">${h(Icon, { name: 'warn', size: 18 })}<div>${words(data.issue)}</div></div>`}
    <div class="stack wide">
      ${h(RepoTabs, { repo: id, current: to('repos', id) })}
      <div class="columns">
        <div class="stack wide">
          ${h(Section, {
            title: 'Run',
            action: html`<a class="small" href=${`#/runs?repo=${encodeURIComponent(id)}`}>All</a>`,
            children: html`<div class="stack">
              ${active && html`<ul class="list"><li>${h(RunAtWork, { run: line })}</li></ul>`}
              ${!active && data.run && html`<ul class="list"><li><a href=${to('runs', data.run.id)}>${h(Status, { status: data.run.status, bare: true })}<span class="grow line small">${data.run.explain}</span>${h(Icon, { name: 'chevron', size: 18, class: 'muted' })}</a></li></ul>`}
              ${!active && data.status === 'ready' && h(Start, { repo: data, open })}
            </div>`,
          })}
          ${h(Section, {
            title: 'Next tickets',
            tally: data.tickets.total ? `${data.tickets.done} of ${data.tickets.total} done` : undefined,
            action: html`<a class="small" href=${to('repos', id, 'tickets')}>All</a>`,
            children: html`<div class="stack">
              ${h(Unread, { of: tickets })}
              ${tickets.data && tickets.data.items.length > 0
                ? html`<ul class="list">${tickets.data.items.map((ticket) => html`<li key=${ticket.id}>${h(TicketRow, { ticket })}</li>`)}</ul>`
                : tickets.data && html`<div class="card muted">${data.tickets.total ? 'No open ticket.' : 'The queue is empty.'}</div>`}
              ${data.status === 'ready' && html`<div><a class="button" href=${to('repos', id, 'tickets', 'new')}>${h(Icon, { name: 'plus', size: 18 })}New ticket</a></div>`}
            </div>`,
          })}
        </div>
        <div class="side stack wide">
          ${h(Section, { title: 'Where', children: h(Facts, { repo: data }) })}
          ${data.kind === 'base' && h(Section, {
            title: 'Worktrees',
            tally: worktrees.data?.items.length || undefined,
            children: html`<div class="stack">
              ${jobs.map((job) => state.value.jobs[job] && state.value.jobs[job].status !== 'completed' && h(JobCard, { key: job, job: state.value.jobs[job] }))}
              ${h(Unread, { of: worktrees })}
              ${worktrees.data && worktrees.data.items.length > 0 && html`<ul class="list">${worktrees.data.items.map((worktree) => html`<li key=${worktree.id}>${h(RepoRow, { repo: worktree, below: true })}</li>`)}</ul>`}
              <div>${h(Button, { icon: 'plus', onClick: () => setMaking(true), children: 'New worktree' })}</div>
            </div>`,
          })}
          <div>${h(Button, { tone: 'grave', icon: 'trash', onClick: () => setRemoving(true), children: data.kind === 'worktree' ? 'Remove this worktree' : 'Take it out of the hub' })}</div>
        </div>
      </div>
    </div>
    ${making && h(NewWorktree, { base: data, close: () => setMaking(false), begun: (/** @type {string} */ job) => setJobs([...jobs, job]) })}
    ${removing && h(RemoveRepo, { repo: data, close: () => setRemoving(false) })}`;
}

/** @param {{repo: Repo}} props */
function Facts({ repo }) {
  const git = useResource(`repo_git ${repo.id}`, () => repo_git(repo.id), (event) => event.repo === repo.id && GIT.has(event.event.kind));
  const [job, synced] = useJob();
  const data = git.data;
  const branch = data?.branch ?? repo.branch;
  return html`<div class="card stack">
    <dl class="facts">
      ${branch && html`<dt>Branch</dt><dd class="mono">${branch}</dd>`}
      ${data?.against && html`<dt title=${data.against}>Against ${data.against.split('/').at(-1)}</dt><dd>${data.ahead || data.behind ? `${data.ahead} ahead, ${data.behind} behind` : 'the same'}</dd>`}
      ${data && html`<dt>Uncommitted</dt><dd>${dirt(data)}</dd>`}
      ${data?.operation && html`<dt>Begun</dt><dd class="wants">${data.operation}, not ended</dd>`}
      <dt>Directory</dt><dd class="mono">${repo.path}</dd>
      ${repo.name !== repo.id && html`<dt>Id</dt><dd class="mono">${repo.id}</dd>`}
    </dl>
    ${h(Unread, { of: git })}
    ${data && data.commits.length > 0 && html`<ul class="stack tight small commits" aria-label="Newest commits">${data.commits.slice(0, 5).map((commit) => html`<li key=${commit.id} class="row"><span class="grow line" title=${`${commit.id} by ${commit.author}`}>${commit.subject}</span><span class="tiny muted number">${h(When, { at: commit.at })}</span></li>`)}</ul>`}
    ${data?.against?.includes('/') && job?.status !== 'running' && h(Act, {
      icon: 'again',
      work: async () => synced(await repo_sync(repo.id)),
      children: 'Sync with its remote',
    })}
    ${job && (job.status === 'completed' ? html`<p class="small muted" role="status">${job.phase}</p>` : h(JobCard, { job }))}
  </div>`;
}

/** What may change how a tree stands in git. */
const GIT = new Set(['job_updated', 'turn_ended', 'checkpoint', 'run_state_changed', 'diff_updated']);

/** What is not committed, in words. @param {import('../api/types.d.ts').RepoGit} git */
function dirt(git) {
  const parts = [
    git.conflicts && `${git.conflicts} in conflict`,
    git.changed && `${git.changed} changed`,
    git.untracked && `${git.untracked} untracked`,
  ].filter(Boolean);
  return parts.length ? html`<span class=${git.conflicts ? 'bad' : 'wants'}>${parts.join(', ')}</span>` : 'nothing';
}

/** @param {{id: string, done: () => void}} props */
function SetUp({ id, done }) {
  return html`<div class="notice">${h(Icon, { name: 'tick', size: 18 })}
    <div class="grow stack tight"><p>This repo has no queue yet. Setting it up makes <code>.codex-autorunner/</code> in it.</p>
    <div>${h(Act, { tone: 'main', work: async () => { await repo_init(id); done(); }, children: 'Set it up' })}</div></div></div>`;
}

/** @param {{repo: Repo, open: number}} props */
function Start({ repo, open }) {
  if (repo.tickets.invalid > 0) {
    return html`<p class="small">No run can start: <a href=${to('repos', repo.id, 'tickets')}>${repo.tickets.invalid === 1 ? 'a ticket has' : `${repo.tickets.invalid} tickets have`} errors</a>.</p>`;
  }
  if (open <= 0) return html`<p class="small muted">A run needs an open ticket.</p>`;
  return html`<div class="stack tight">${h(Act, {
    tone: 'main',
    icon: 'play',
    work: () => goOn(run_start(repo.id), (run) => to('runs', run.id)),
    children: open === 1 ? 'Run the open ticket' : `Run ${open} open tickets`,
  })}</div>`;
}

/**
 * A name for a branch, of what it is for.
 * @param {string} text
 */
function branchOf(text) {
  return text.trim().toLowerCase().normalize('NFKD').replace(/[^a-z0-9/._-]+/g, '-').replace(/^[-/.]+|[-/.]+$/g, '').slice(0, 60);
}

/** @param {{base: Repo, close: () => void, begun: (job: string) => void}} props */
function NewWorktree({ base, close, begun }) {
  const today = new Date().toISOString().slice(5, 10);
  const [branch, setBranch] = useState(`work/${today}`);
  const [start, setStart] = useState('');
  const [skip, setSkip] = useState(false);
  const name = branchOf(branch);
  const { act, busy, slow, trouble } = useAct(async () => {
    const job = await worktree_create({
      base: base.id,
      branch: name,
      ...(start.trim() ? { start_point: start.trim() } : {}),
      ...(skip ? { skip_setup: true } : {}),
    });
    begun(job.id);
    close();
  });
  return h(Sheet, {
    title: 'New worktree',
    close,
    children: html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void act();
    }}>
      ${h(Field, { label: 'Branch', value: branch, set: setBranch, required: true, plain: true, hint: html`Made when there is none. The worktree will be <code>${base.id}--${name.replaceAll('/', '-')}</code>.` })}
      ${h(Field, { label: 'Starts at', value: start, set: setStart, plain: true, placeholder: 'origin’s default branch', hint: 'A branch, tag or commit; leave it empty for the newest of the default branch.' })}
      ${h(Check, { label: 'Do not run the repo’s set-up commands', value: skip, set: setSkip })}
      ${h(TroubleNote, { trouble })}
      ${h(Button, { tone: 'main', type: 'submit', full: true, busy: slow, disabled: busy || !name, children: 'Create it' })}
    </form>`,
  });
}
