/** The repos of the hub and their worktrees. */

import { useState } from '../vendor/hooks.js';
import { hub_scan } from '../api/hub.js';
import { repo_clone, repo_create, repo_list } from '../api/repos.js';
import { Act, Button, useAct } from '../part/act.js';
import { Field } from '../part/field.js';
import { Empty, Head } from '../part/layout.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { JobCard } from '../part/job_card.js';
import { Done } from '../part/runs.js';
import { Sheet } from '../part/sheet.js';
import { Status, lookOf } from '../part/status.js';
import { TroubleNote, Unread } from '../part/trouble.js';
import { go, to } from '../state/route.js';
import { state, useResource } from '../state/store.js';

/** @typedef {import('../api/types.d.ts').Repo} Repo */

const KINDS = new Set(['repo_added', 'repo_removed', 'ticket_changed', 'run_created', 'run_state_changed', 'job_updated']);

/** @param {{query: Record<string, string>}} props */
export default function Repos({ query }) {
  const repos = useResource('repo_list all', everyRepo, (event) => KINDS.has(event.event.kind));
  const [adding, setAdding] = useState(query.add === '1');
  const [words, setWords] = useState('');
  const [jobs, setJobs] = useState(/** @type {string[]} */ ([]));
  const items = repos.data ?? [];
  const shown = families(items, words.trim().toLowerCase());

  return html`
    ${h(Head, { title: 'Repos', children: h(Button, { icon: 'plus', onClick: () => setAdding(true), children: 'Add' }) })}
    <div class="stack">
      ${jobs.map((id) => state.value.jobs[id] && h(JobCard, { key: id, job: state.value.jobs[id] }))}
      ${h(Unread, { of: repos })}
      ${items.length > 8 && html`<div class="field"><label class="unseen" for="find">Find a repo</label>
        <input id="find" type="search" placeholder="Find a repo" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} /></div>`}
      ${repos.data && items.length === 0 && h(Empty, {
        title: 'No repos yet',
        children: html`<p>Clone one of yours, begin a new one, or let the hub look for those that lie in its directory.</p>
          <div class="row wrap" style=${{ justifyContent: 'center' }}>${h(Button, { tone: 'main', onClick: () => setAdding(true), children: 'Add a repo' })}${h(Act, { work: hub_scan, children: 'Look for them' })}</div>`,
      })}
      ${shown.length > 0 && html`<ul class="list">${shown.map(({ repo, worktrees }) => [
        html`<li key=${repo.id}>${h(RepoRow, { repo })}</li>`,
        ...worktrees.map((worktree) => html`<li key=${worktree.id} class="below">${h(RepoRow, { repo: worktree, below: true })}</li>`),
      ])}</ul>`}
      ${items.length > 0 && shown.length === 0 && html`<p class="muted">No repo is called “${words}”.</p>`}
    </div>
    ${adding && h(AddRepo, {
      close: () => {
        setAdding(false);
        if (query.add) go('#/repos', { replace: true });
      },
      begun: (/** @type {string} */ job) => setJobs([...jobs, job]),
    })}`;
}

/** @returns {Promise<Repo[]>} */
async function everyRepo() {
  /** @type {Repo[]} */
  const all = [];
  let after;
  do {
    const page = await repo_list({ limit: 500, after });
    all.push(...page.items);
    after = page.next;
  } while (after);
  return all;
}

/**
 * Base repos with their worktrees, those that match.
 * @param {Repo[]} items
 * @param {string} words
 */
function families(items, words) {
  const fits = (/** @type {Repo} */ repo) => repo.id.toLowerCase().includes(words) || repo.name.toLowerCase().includes(words);
  const bases = items.filter((repo) => repo.kind === 'base' || !items.some((base) => base.id === repo.worktree_of));
  return bases.flatMap((repo) => {
    const worktrees = items.filter((worktree) => worktree.kind === 'worktree' && worktree.worktree_of === repo.id && worktree !== repo);
    const shown = fits(repo) ? worktrees : worktrees.filter(fits);
    return fits(repo) || shown.length ? [{ repo, worktrees: shown }] : [];
  });
}

/**
 * @param {{repo: Repo, below?: boolean}} props
 */
export function RepoRow({ repo, below = false }) {
  const run = repo.run;
  return html`<a href=${to('repos', repo.id)}>
    ${h(Icon, { name: repo.kind === 'worktree' ? 'pull' : 'repo', class: 'muted' })}
    <span class="grow stack" style=${{ gap: '2px' }}>
      <span class="row"><span class="name line grow">${below ? repo.branch ?? repo.name : repo.name}</span>
        ${repo.status !== 'ready' ? h(Status, { status: repo.status }) : run && lookOf(run.status).tone !== 'dim' ? h(Status, { status: run.status }) : null}</span>
      <span class="row tiny muted">
        ${!below && repo.branch && html`<span class="line">${repo.branch}</span><span>·</span>`}
        ${repo.issue ? html`<span class="bad line">${repo.issue}</span>` : h(Done, { of: repo.tickets })}
      </span>
    </span>
    ${h(Icon, { name: 'chevron', size: 18, class: 'muted' })}
  </a>`;
}

/** @param {{close: () => void, begun: (job: string) => void}} props */
function AddRepo({ close, begun }) {
  const [how, setHow] = useState(/** @type {'clone' | 'create'} */ ('clone'));
  const [url, setUrl] = useState('');
  const [id, setId] = useState('');
  const { act, busy, slow, trouble } = useAct(async () => {
    if (how === 'clone') {
      const job = await repo_clone({ url: url.trim(), ...(id.trim() ? { id: id.trim() } : {}) });
      begun(job.id);
      close();
    } else {
      const repo = await repo_create({ id: id.trim() });
      close();
      go(to('repos', repo.id));
    }
  });
  return h(Sheet, {
    title: 'Add a repo',
    close,
    children: html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void act();
    }}>
      <div class="segments" role="group" aria-label="How">
        <button type="button" aria-pressed=${String(how === 'clone')} onClick=${() => setHow('clone')}>Clone</button>
        <button type="button" aria-pressed=${String(how === 'create')} onClick=${() => setHow('create')}>New, empty</button>
      </div>
      ${how === 'clone' && h(Field, { label: 'Address', hint: 'What git can clone: https, ssh, or a path on the hub’s machine.', value: url, set: setUrl, required: true, type: 'text', plain: true })}
      ${h(Field, { label: 'Name', hint: how === 'clone' ? 'The last part of the address when empty.' : 'Letters, digits, dots and dashes.', value: id, set: setId, required: how === 'create', plain: true })}
      ${h(TroubleNote, { trouble })}
      ${h(Button, { tone: 'main', type: 'submit', full: true, busy: slow, disabled: busy, children: how === 'clone' ? 'Clone it' : 'Create it' })}
    </form>`,
  });
}
