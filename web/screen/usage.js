/** Tokens and time: by day, repo and agent. */

import { useState } from '../vendor/hooks.js';
import { run_list } from '../api/operations.js';
import { Bars } from '../part/bars.js';
import { h, html } from '../part/html.js';
import { Empty, Head, Section } from '../part/layout.js';
import { counted, few } from '../part/number.js';
import { span } from '../part/time.js';
import { Unread } from '../part/trouble.js';
import { to } from '../state/route.js';
import { useResource } from '../state/store.js';

/** @typedef {import('../api/types.d.ts').Run} Run */

const SPANS = [
  { days: 7, name: '7 days' },
  { days: 30, name: '30 days' },
  { days: 90, name: '90 days' },
];

const DAY = 86_400_000;

export default function Usage() {
  const [days, setDays] = useState(30);
  const since = new Date(startOf(Date.now()) - (days - 1) * DAY);
  const runs = useResource(`usage ${days}`, () => everyRun(since.toISOString()), (event) => event.event.kind === 'turn_ended');
  const items = runs.data ?? [];
  const total = items.reduce((sum, run) => sum + tokensOf(run), 0);
  const read = items.reduce((sum, run) => sum + run.usage.input_tokens, 0);
  const cached = items.reduce((sum, run) => sum + run.usage.cached_input_tokens, 0);
  const time = items.reduce((sum, run) => sum + timeOf(run), 0);
  return html`${h(Head, { title: 'Usage', up: '#/more' })}
    <div class="stack wide">
      <div class="segments narrow-page" role="group" aria-label="How far back">${SPANS.map((one) => html`<button key=${one.days} type="button" aria-pressed=${String(one.days === days)} onClick=${() => setDays(one.days)}>${one.name}</button>`)}</div>
      ${h(Unread, { of: runs })}
      ${runs.data && items.length === 0 && h(Empty, { title: 'No runs in this time', children: html`<p>What agents use is counted here.</p>` })}
      ${items.length > 0 && html`
        <dl class="figures">
          <div><dt>Tokens</dt><dd>${few(total)}</dd></div>
          <div><dt>read from cache</dt><dd>${read ? Math.round((100 * cached) / read) : 0} %</dd></div>
          <div><dt>Runs</dt><dd>${items.length}</dd></div>
          <div><dt>Time of agents</dt><dd>${span(time)}</dd></div>
        </dl>
        ${h(Section, { title: 'Tokens by day', children: h(Bars, { bars: byDay(items, since, days), label: 'Tokens by day', unit: 'tokens' }) })}
        <div class="columns even">
          ${h(Section, { title: 'By repo', children: h(Shares, { rows: by(items, (run) => run.repo), link: (/** @type {string} */ name) => to('repos', name) }) })}
          ${h(Section, { title: 'By agent', children: h(Shares, { rows: by(items, (run) => run.ticket?.agent ?? 'not known') }) })}
        </div>
        ${h(Section, { title: 'The largest runs', children: h(Shares, { rows: largest(items), link: (/** @type {string} */ name) => to('runs', name) }) })}`}
    </div>`;
}

/** @param {string} since @returns {Promise<Run[]>} */
async function everyRun(since) {
  /** @type {Run[]} */
  const all = [];
  let after;
  do {
    const page = await run_list({ since, limit: 500, after });
    all.push(...page.items);
    after = page.next;
  } while (after && all.length < 5000);
  return all;
}

/** The beginning of the day here. @param {number} at */
function startOf(at) {
  const date = new Date(at);
  date.setHours(0, 0, 0, 0);
  return date.getTime();
}

/** @param {Run} run */
const tokensOf = (run) => run.usage.input_tokens + run.usage.output_tokens;

/** @param {Run} run */
function timeOf(run) {
  if (!run.started_at) return 0;
  const end = run.ended_at ? Date.parse(run.ended_at) : Date.now();
  return Math.max(0, end - Date.parse(run.started_at));
}

/** @param {Run[]} runs @param {Date} since @param {number} days */
function byDay(runs, since, days) {
  const name = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
  const bars = Array.from({ length: days }, (_, index) => {
    const date = new Date(since);
    date.setDate(date.getDate() + index);
    return { name: name.format(date), value: 0, at: date.getTime() };
  });
  for (const run of runs) {
    const bar = bars.findLast((one) => one.at <= Date.parse(run.created_at));
    if (bar) bar.value += tokensOf(run);
  }
  return bars;
}

/** @typedef {{name: string, label?: string, tokens: number, runs: number, time: number}} Share */

/** @param {Run[]} runs @param {(run: Run) => string} name @returns {Share[]} */
function by(runs, name) {
  /** @type {Map<string, Share>} */
  const rows = new Map();
  for (const run of runs) {
    const row = rows.get(name(run)) ?? { name: name(run), tokens: 0, runs: 0, time: 0 };
    row.tokens += tokensOf(run);
    row.runs += 1;
    row.time += timeOf(run);
    rows.set(row.name, row);
  }
  return [...rows.values()].sort((a, b) => b.tokens - a.tokens);
}

/** @param {Run[]} runs @returns {Share[]} */
function largest(runs) {
  return runs
    .toSorted((a, b) => tokensOf(b) - tokensOf(a))
    .slice(0, 8)
    .map((run) => ({ name: run.id, label: `${run.repo}: ${counted(run.finished.tickets, 'ticket')} in ${counted(run.turns, 'turn')}`, tokens: tokensOf(run), runs: 1, time: timeOf(run) }));
}

/** @param {{rows: Share[], link?: (name: string) => string}} props */
function Shares({ rows, link }) {
  const most = Math.max(1, ...rows.map((row) => row.tokens));
  return html`<div class="card scrolls"><table>
    <thead><tr><th><span class="unseen">Name</span></th><th class="number">Tokens</th><th class="number">Time</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.name}>
      <td>${link ? html`<a href=${link(row.name)}>${row.label ?? row.name}</a>` : row.label ?? row.name}
        <div class="bar" aria-hidden="true"><span style=${{ width: `${(100 * row.tokens) / most}%` }}></span></div></td>
      <td class="number">${few(row.tokens)}</td><td class="number muted">${span(row.time)}</td></tr>`)}</tbody>
  </table></div>`;
}
