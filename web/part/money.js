/** Money in words. Amounts are in millionths of the hub's currency. */

import { hub_get } from '../api/hub.js';
import { useResource } from '../state/store.js';
import { html } from './html.js';

/** @typedef {import('../api/types.d.ts').Cost} Cost */

const MILLION = 1_000_000;

/**
 * An amount with two places, and more where it is small: `1.25 EUR`, `0.0018 EUR`.
 * @param {number} amount
 * @param {string | null | undefined} currency
 */
export function money(amount, currency) {
  const value = amount / MILLION;
  const places = amount === 0 || value >= 0.1 ? 2 : value >= 0.001 ? 4 : 6;
  return `${value.toFixed(places)}${currency ? ` ${currency}` : ''}`;
}

/**
 * A cost: what is not priced is never nothing, and `+` says that there is more.
 * @param {Cost} cost
 * @param {string | null | undefined} currency
 */
export function costOf(cost, currency) {
  if (cost.unpriced_tokens === 0) return money(cost.amount, currency);
  return cost.amount === 0 ? 'not priced' : `${money(cost.amount, currency)}+`;
}

/**
 * An amount as people write it, in millionths; nothing when it is none.
 * @param {string} text
 * @returns {number | null}
 */
export function amountOf(text) {
  const found = /^(\d{1,9})(?:[.,](\d{1,6}))?$/.exec(text.trim());
  if (!found) return null;
  return Number(found[1]) * MILLION + Number((found[2] ?? '').padEnd(6, '0'));
}

/**
 * An amount as it stands in a field.
 * @param {number} amount
 */
export function asText(amount) {
  const places = String(amount % MILLION).padStart(6, '0').replace(/0+$/, '');
  return `${Math.floor(amount / MILLION)}${places ? `.${places}` : ''}`;
}

/**
 * A cost with the hub's word for money.
 * @param {{cost: Cost}} props
 */
export function Price({ cost }) {
  const hub = useResource('hub_get', hub_get);
  return html`${costOf(cost, hub.data?.currency)}`;
}
