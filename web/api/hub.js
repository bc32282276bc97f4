/** The hub as a whole: what it is, what is used up, budgets, backups. */

import { get, post, put } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @returns {Promise<import('./types.d.ts').HubInfo>} */
export const hub_get = () => get('/hub');
/** @returns {Promise<import('./types.d.ts').HubSnapshot>} */
export const hub_snapshot = () => get('/hub/snapshot');
/** @returns {Promise<import('./types.d.ts').ScanReport>} */
export const hub_scan = () => post('/hub/scan');
/** @returns {Promise<import('./types.d.ts').DoctorReport>} */
export const hub_doctor = () => get('/hub/doctor');
/** @param {Query} [query] @returns {Promise<import('./types.d.ts').UsageReport>} */
export const usage_get = (query) => get('/usage', query);
/** @returns {Promise<import('./types.d.ts').Budgets>} */
export const budgets_get = () => get('/budgets');
/** @param {import('./types.d.ts').BudgetLimits} limits @param {string} match @returns {Promise<import('./types.d.ts').Budgets>} */
export const budgets_update = (limits, match) => put('/budgets', limits, { match });
export const restore_confirm = () => post('/hub/restore/confirm');
/** @returns {Promise<Page<import('./types.d.ts').Backup>>} */
export const backup_list = () => get('/backups');
/** @returns {Promise<import('./types.d.ts').Job>} */
export const backup_create = () => post('/backups', {});
