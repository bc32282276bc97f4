/** Tokens, time and money: by day, repo, agent and model, and the largest runs. */

import { useState } from '../vendor/hooks.js';
import { usage_get } from '../api/hub.js';
import { Bars } from '../part/bars.js';
import { h, html } from '../part/html.js';
import { Empty, Head, Section } from '../part/layout.js';
import { costOf, money } from '../part/money.js';
import { counted, few } from '../part/number.js';
import { span } from '../part/time.js';
import { Unread } from '../part/trouble.js';
import { to } from '../state/route.js';
import { useResource } from '../state/store.js';

/** @typedef {import('../api/types.d.ts').UsageReport} Report */
/** @typedef {import('../api/types.d.ts').UsageRow} Row */
/** @typedef {import('../api/types.d.ts').Used} Used */

const SPANS = [
  { days: 7, name: '7 days' },
  { days: 30, name: '30 days' },
  { days: 90, name: '90 days' },
];

/** Runs that are shown. */
const LARGEST = 8;

export default function Usage() {
  const [days, setDays] = useState(30);
  const [unit, setUnit] = useState('tokens');
  const reports = useResource(`usage ${days}`, () => read(days), (event) => event.event.kind === 'turn_ended');
  const data = reports.data;
  const currency = data?.day.currency;
  const total = data?.day.total;
  const inMoney = unit === 'money' && Boolean(currency);
  return html`${h(Head, { title: 'Usage', up: '#/more' })}
    <div class="stack wide">
      <div class="segments narrow-page" role="group" aria-label="How far back">${SPANS.map((one) => html`<button key=${one.days} type="button" aria-pressed=${String(one.days === days)} onClick=${() => setDays(one.days)}>${one.name}</button>`)}</div>
      ${h(Unread, { of: reports })}
      ${total?.turns === 0 && h(Empty, { title: 'Nothing was used in this time', children: html`<p>What agents use is counted here when a turn ends.</p>` })}
      ${data && total && total.turns > 0 && html`
        <dl class="figures">
          <div><dt>Tokens</dt><dd>${few(tokensOf(total))}</dd></div>
          <div><dt>Cost</dt><dd>${costOf(total.cost, currency)}</dd></div>
          <div><dt>read from cache</dt><dd>${total.usage.input_tokens ? Math.round((100 * total.usage.cached_input_tokens) / total.usage.input_tokens) : 0} %</dd></div>
          <div><dt>Runs</dt><dd>${total.runs}</dd></div>
          <div><dt>Time of agents</dt><dd>${span(total.active_ms)}</dd></div>
        </dl>
        ${total.cost.unpriced_tokens > 0 && html`<p class="small muted">${few(total.cost.unpriced_tokens)} tokens had no price when their turns ended. <a href="#/settings?part=budgets">How to set prices</a></p>`}
        ${h(Section, {
          title: inMoney ? 'Money by day' : 'Tokens by day',
          action: currency && html`<div class="segments" role="group" aria-label="Counted in">${['tokens', 'money'].map((one) => html`<button key=${one} type="button" aria-pressed=${String(one === unit)} onClick=${() => setUnit(one)}>${one}</button>`)}</div>`,
          children: inMoney
            ? h(Bars, { bars: byDay(data.day, days, (used) => used.cost.amount), label: 'Money by day', show: (/** @type {number} */ value) => money(value, currency) })
            : h(Bars, { bars: byDay(data.day, days, tokensOf), label: 'Tokens by day', show: (/** @type {number} */ value) => `${few(value)} tokens` }),
        })}
        <div class="columns even">
          ${h(Section, { title: 'By repo', children: h(Shares, { report: data.repo, none: 'the hub', link: (/** @type {string} */ name) => to('repos', name) }) })}
          ${h(Section, { title: 'By agent', children: h(Shares, { report: data.agent, none: 'not known' }) })}
          ${h(Section, { title: 'By model', children: h(Shares, { report: data.model, none: 'not known' }) })}
          ${data.run.rows.length > 0 && h(Section, { title: 'The largest runs', children: h(Shares, { report: data.run, none: 'not known', label: ofRun, link: (/** @type {string} */ name) => to('runs', name) }) })}
        </div>`}
    </div>`;
}

/**
 * What was used in the last days, by everything that is shown.
 * @param {number} days
 */
async function read(days) {
  const since = dateOf(firstOf(days));
  const utc_offset = offset();
  const [day, repo, agent, model, run] = await Promise.all([
    usage_get({ by: 'day', since, utc_offset }),
    usage_get({ by: 'repo', since, utc_offset, limit: 20 }),
    usage_get({ by: 'agent', since, utc_offset, limit: 20 }),
    usage_get({ by: 'model', since, utc_offset, limit: 20 }),
    usage_get({ by: 'run', since, utc_offset, limit: LARGEST }),
  ]);
  return { day, repo, agent, model, run };
}

/** How far the clock here is ahead of UTC, as in `+02:00`. */
function offset() {
  const minutes = -new Date().getTimezoneOffset();
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

/** The first of the last days, at noon: no change of the clock moves that to another day. @param {number} days */
function firstOf(days) {
  const date = new Date();
  date.setHours(12, 0, 0, 0);
  date.setDate(date.getDate() - (days - 1));
  return date;
}

/** `2026-03-01`, by the calendar here. @param {Date} date */
const dateOf = (date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`;

/** @param {Used} used */
const tokensOf = (used) => used.usage.input_tokens + used.usage.output_tokens;

/** @param {Report} report @param {number} days @param {(used: Used) => number} value */
function byDay(report, days, value) {
  const name = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
  const known = new Map(report.rows.map((row) => [row.key, value(row.used)]));
  return Array.from({ length: days }, (_, index) => {
    const date = firstOf(days);
    date.setDate(date.getDate() + index);
    return { name: name.format(date), value: known.get(dateOf(date)) ?? 0 };
  });
}

/** @param {Row} row */
const ofRun = (row) => `${row.repo ?? 'a repo that is gone'}: ${counted(row.used.turns, 'turn')}`;

/** @param {{report: Report, none: string, label?: (row: Row) => string, link?: (key: string) => string}} props */
function Shares({ report, none, label, link }) {
  const most = Math.max(1, ...report.rows.map((row) => tokensOf(row.used)));
  return html`<div class="card scrolls" tabindex="0"><table>
    <thead><tr><th><span class="unseen">Name</span></th><th class="number">Tokens</th><th class="number">Cost</th><th class="number">Time</th></tr></thead>
    <tbody>${report.rows.map((row) => {
      const name = label ? label(row) : row.key ?? none;
      return html`<tr key=${row.key ?? ''}>
        <td>${link && row.key ? html`<a href=${link(row.key)}>${name}</a>` : name}
          <div class="bar" aria-hidden="true"><span style=${{ width: `${(100 * tokensOf(row.used)) / most}%` }}></span></div></td>
        <td class="number">${few(tokensOf(row.used))}</td><td class="number">${costOf(row.used.cost, report.currency)}</td><td class="number muted">${span(row.used.active_ms)}</td></tr>`;
    })}</tbody>
  </table>${report.left_off > 0 && html`<p class="tiny muted">and ${report.left_off} more</p>`}</div>`;
}
