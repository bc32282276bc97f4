/** Every run, the newest first. */

import { run_list } from '../api/runs.js';
import { Empty, Head } from '../part/layout.js';
import { Paged } from '../part/paged.js';
import { h, html } from '../part/html.js';
import { RunAtWork, RunEnded } from '../part/runs.js';
import { isEnd } from '../state/apply.js';
import { go } from '../state/route.js';
import { state } from '../state/store.js';

const FILTERS = [
  { word: '', name: 'All' },
  { word: 'running', name: 'Running' },
  { word: 'paused', name: 'Paused' },
  { word: 'completed', name: 'Completed' },
  { word: 'failed', name: 'Failed' },
];

/** @param {{query: Record<string, string>}} props */
export default function Runs({ query }) {
  const status = query.status ?? '';
  const repo = query.repo;
  return html`${h(Head, { title: repo ? `Runs of ${repo}` : 'Runs', up: repo ? `#/repos/${encodeURIComponent(repo)}` : undefined })}
    <div class="stack">
      <div class="segments" role="group" aria-label="Which runs">${FILTERS.map((filter) => html`<button key=${filter.word} type="button"
        aria-pressed=${String(status === filter.word)}
        onClick=${() => go(`#/runs?${new URLSearchParams({ ...(repo ? { repo } : {}), ...(filter.word ? { status: filter.word } : {}) })}`, { replace: true })}>${filter.name}</button>`)}</div>
      ${h(Paged, {
        name: `run_list ${repo ?? ''} ${status}`,
        load: (/** @type {string | undefined} */ after) => run_list({ repo, status, after, limit: 50 }),
        matters: (/** @type {any} */ event) => event.event.kind === 'run_created' || event.event.kind === 'run_state_changed',
        row: (/** @type {any} */ run) => h(Row, { run }),
        empty: h(Empty, { title: 'No runs', children: html`<p>A run works the tickets of one repo or worktree. Start one where the tickets are.</p><p><a href="#/repos">Repos</a></p>` }),
      })}
    </div>`;
}

/** @param {{run: import('../api/types.d.ts').Run}} props */
function Row({ run }) {
  const line = state.value.runs[run.id];
  return line && !isEnd(line.status) ? h(RunAtWork, { run: line }) : h(RunEnded, { run });
}
