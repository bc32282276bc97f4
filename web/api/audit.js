/** Who did what. */

import { get } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').AuditLine>>} */
export const audit_list = (query) => get('/audit', query);
/** @param {number} [line] @returns {Promise<import('./types.d.ts').AuditHead>} */
export const audit_head = (line) => get('/audit/head', { line });
/** @param {string} [kept] A head: its number, a dash and its hash. @returns {Promise<import('./types.d.ts').AuditReport>} */
export const audit_verify = (kept) => get('/audit/verify', { kept });
