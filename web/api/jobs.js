/** What takes the hub long: clones, worktrees, backups. */

import { get, part, post } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Job>>} */
export const job_list = (query) => get('/jobs', query);
/** @param {string} job @returns {Promise<import('./types.d.ts').Job>} */
export const job_get = (job) => get(`/jobs/${part(job)}`);
/** @param {string} job @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').JobLine>>} */
export const job_log = (job, query) => get(`/jobs/${part(job)}/log`, query);
/** @param {string} job @returns {Promise<import('./types.d.ts').Job>} */
export const job_cancel = (job) => post(`/jobs/${part(job)}/cancel`);
