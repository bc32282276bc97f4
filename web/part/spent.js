/** What a message cost: one quiet line under its answer, with its parts when somebody asks. */

import { h, html } from './html.js';
import { Fold } from './layout.js';
import { Price } from './money.js';
import { few } from './number.js';
import { span } from './time.js';

/**
 * Nothing while no turn of it has ended. An agent that reports no tokens is no agent that used none.
 * @param {{message: import('../api/types.d.ts').Message}} props
 */
export function Spent({ message }) {
  const { usage, cost } = message;
  if (!cost) return null;
  const told = usage.input_tokens + usage.output_tokens > 0;
  const took = message.started_at && message.ended_at ? Date.parse(message.ended_at) - Date.parse(message.started_at) : undefined;
  const tokens = (/** @type {number} */ count) => (told ? few(count) : '—');
  return h(Fold, {
    class: 'work spent',
    summary: html`<span class="grow line tiny muted">What it cost</span><span class="tiny muted number">${told
      ? html`${few(usage.input_tokens + usage.output_tokens)} tokens${cost.unpriced_tokens === 0 && html` · ${h(Price, { cost })}`}`
      : '—'}</span>`,
    children: html`<dl class="facts small inset">
      <dt>Tokens read</dt><dd class="number">${tokens(usage.input_tokens)}</dd>
      <dt>of those cached</dt><dd class="number">${tokens(usage.cached_input_tokens)}</dd>
      <dt>Tokens written</dt><dd class="number">${tokens(usage.output_tokens)}</dd>
      <dt>Cost</dt><dd class="number">${told ? (cost.amount === 0 && cost.unpriced_tokens > 0 ? html`<a href="#/settings?part=budgets">not priced</a>` : h(Price, { cost })) : '—'}</dd>
      ${took !== undefined && html`<dt>Took</dt><dd class="number">${span(took)}</dd>`}
    </dl>`,
  });
}
