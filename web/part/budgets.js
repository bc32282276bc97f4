/** How much may be used in a day and in a run, and how much of today's is. */

import { useState } from '../vendor/hooks.js';
import { credential_get } from '../api/credential.js';
import { budgets_get, budgets_update } from '../api/hub.js';
import { Button, useAct } from './act.js';
import { Field } from './field.js';
import { h, html } from './html.js';
import { Section } from './layout.js';
import { amountOf, asText, costOf, money } from './money.js';
import { few } from './number.js';
import { exactly } from './time.js';
import { TroubleNote, Unread } from './trouble.js';
import { useResource } from '../state/store.js';

/** @typedef {import('../api/types.d.ts').Budgets} Standing */
/** @typedef {import('../api/types.d.ts').BudgetLimits} Limits */
/** @typedef {keyof Limits} Name */

/** @type {{title: string, text: string, fields: {name: Name, label: string, money?: boolean}[]}[]} */
const GROUPS = [
  {
    title: 'A day, everything together',
    text: 'Over it no turn begins, turns under way are interrupted, and messages wait until the day ends.',
    fields: [{ name: 'day_cost', label: 'Money', money: true }, { name: 'day_tokens', label: 'Tokens' }],
  },
  {
    title: 'A day in one repo',
    text: 'Its worktrees count with it.',
    fields: [{ name: 'repo_day_cost', label: 'Money', money: true }, { name: 'repo_day_tokens', label: 'Tokens' }],
  },
  {
    title: 'A new run',
    text: 'What runs begin with; each can be given another budget when it is started or resumed.',
    fields: [{ name: 'max_cost', label: 'Money', money: true }, { name: 'max_tokens', label: 'Tokens' }, { name: 'max_seconds', label: 'Seconds of work' }],
  },
];

export default function Budgets() {
  const standing = useResource('budgets_get', budgets_get, (event) => event.event.kind === 'turn_ended');
  const own = useResource('credential_get', credential_get);
  const data = standing.data;
  if (!data) return h(Unread, { of: standing });
  const admin = own.data?.scopes.includes('admin') ?? false;
  return html`${h(Today, { standing: data })}
    ${admin && data.editable
      ? h(Form, { standing: data, changed: standing.refresh })
      : h(Section, { title: 'Budgets', children: html`<div class="stack">${GROUPS.map((group) => h(Fixed, { key: group.title, group, standing: data }))}
          <p class="small muted">This browser may look at budgets, and not set them.</p></div>` })}
    ${h(Prices, { standing: data })}`;
}

/** @param {{standing: Standing}} props */
function Today({ standing }) {
  const { limits, used, currency } = standing;
  return h(Section, {
    title: 'Today',
    children: html`<div class="card stack tight">
      ${h(Share, { label: 'Money', used: used.cost.amount, limit: limits.day_cost, show: (/** @type {number} */ value) => money(value, currency), shown: costOf(used.cost, currency) })}
      ${h(Share, { label: 'Tokens', used: used.tokens, limit: limits.day_tokens, show: few, shown: few(used.tokens) })}
      ${standing.repos.length > 0 && html`<dl class="facts small">${standing.repos.slice(0, 8).map((line) => html`<dt key=${line.repo}>${line.repo}</dt>
        <dd class="number">${few(line.used.tokens)} tokens, ${costOf(line.used.cost, currency)}</dd>`)}</dl>`}
      <p class="tiny muted">The day ends ${exactly(standing.ends_at)}. Turns under way are counted. <a href="#/usage">All usage</a></p>
    </div>`,
  });
}

/** @param {{label: string, used: number, limit?: number | null, show: (value: number) => string, shown: string}} props */
function Share({ label, used, limit, show, shown }) {
  if (!limit) return html`<div class="row"><span class="grow">${label}</span><span>${shown}</span></div>`;
  return html`<div><div class="row"><span class="grow">${label}</span><span class=${used >= limit ? 'bad' : undefined}>${shown} of ${show(limit)}</span></div>
    <progress max=${limit} value=${Math.min(used, limit)} aria-label=${`${label} used today`}></progress></div>`;
}

/** @param {{group: typeof GROUPS[number], standing: Standing}} props */
function Fixed({ group, standing }) {
  return html`<section class="card stack tight"><h3>${group.title}</h3><dl class="facts">${group.fields.map(({ name, label, money: isMoney }) => {
    const limit = standing.limits[name];
    return html`<dt key=${name}>${label}</dt><dd class="number">${limit ? (isMoney ? money(limit, standing.currency) : few(limit)) : 'no limit'}</dd>`;
  })}</dl></section>`;
}

/** @param {{standing: Standing, changed: () => void}} props */
function Form({ standing, changed }) {
  const fields = GROUPS.flatMap((group) => group.fields);
  const [texts, setTexts] = useState(() => Object.fromEntries(fields.map(({ name, money: isMoney }) => {
    const limit = standing.limits[name];
    return [name, limit ? (isMoney ? asText(limit) : String(limit)) : ''];
  })));
  const [saved, setSaved] = useState(false);
  // What somebody else set meanwhile is not written over unseen.
  const [etag, setEtag] = useState(standing.etag);
  /** @param {typeof fields[number]} field @returns {number | null | undefined} Nothing when it is not to be read. */
  const read = ({ name, money: isMoney }) => {
    const text = texts[name].trim();
    if (!text) return null;
    const value = isMoney ? amountOf(text) : /^\d{1,15}$/.test(text) ? Number(text) : null;
    return value === null || value < 1 ? undefined : value;
  };
  const wrong = fields.filter((field) => read(field) === undefined);
  const { act, busy, slow, trouble } = useAct(async () => {
    const limits = Object.fromEntries(fields.map((field) => [field.name, read(field)]));
    const kept = await budgets_update(/** @type {Limits} */ (limits), etag);
    setEtag(kept.etag);
    setSaved(true);
    changed();
  });
  return h(Section, {
    title: 'Budgets',
    children: html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      if (wrong.length === 0) void act();
    }}>
      ${GROUPS.map((group) => html`<fieldset key=${group.title} class="card stack tight"><legend>${group.title}</legend>
        <p class="small muted">${group.text}</p>
        ${group.fields.map((field) => h(Field, {
          key: field.name,
          label: field.money && standing.currency ? `${field.label} (${standing.currency})` : field.label,
          value: texts[field.name],
          keys: field.money ? 'decimal' : 'numeric',
          placeholder: 'no limit',
          plain: true,
          wrong: wrong.includes(field) ? (field.money ? 'A number such as 12.50, or nothing for no limit.' : 'A whole number, or nothing for no limit.') : undefined,
          set: (/** @type {string} */ text) => {
            setSaved(false);
            setTexts({ ...texts, [field.name]: text });
          },
        }))}</fieldset>`)}
      ${h(TroubleNote, { trouble })}
      <div class="row wrap">${h(Button, { tone: 'main', type: 'submit', busy: slow, disabled: busy || wrong.length > 0, children: 'Set the budgets' })}
        <span role="status" class="small good">${saved ? 'They hold from now on.' : ''}</span></div>
    </form>`,
  });
}

/** @param {{standing: Standing}} props */
function Prices({ standing }) {
  return html`<section id="prices" class="card stack tight small"><h3>Prices</h3>
    <p>${standing.currency ? `Money is in ${standing.currency}.` : 'No prices are set: tokens are counted, and nothing as money.'} What a million tokens cost is set on the hub’s machine, in its configuration; the first row that fits a turn’s agent and model decides.</p>
    <pre class="output" tabindex="0">car-hub config set prices.currency USD
car-hub config set prices.table '[{model: "NAME*", input: "1.25",
  cached_input: "0.125", output: "10"}]'</pre>
    <p class="muted">They hold from the hub’s next start. What a turn cost was fixed when it ended, and tokens without a price count for no budget of money.</p></section>`;
}
