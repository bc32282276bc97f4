/** What waits for a person. */

import { get, part, post } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').InboxItem>>} */
export const inbox_list = (query) => get('/inbox', query);
/** @param {string[]} items @returns {Promise<import('./types.d.ts').InboxCounts>} */
export const inbox_seen = (items) => post('/inbox/seen', { items });
/** @param {string} item @param {import('./types.d.ts').InboxAct} body @returns {Promise<import('./types.d.ts').InboxItem>} */
export const inbox_act = (item, body) => post(`/inbox/${part(item)}/act`, body);
