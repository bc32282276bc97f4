/** Terminals. */

import { get, part, post, remove } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Terminal>>} */
export const terminal_list = (query) => get('/terminals', query);
/** @param {import('./types.d.ts').TerminalCreate} body @returns {Promise<import('./types.d.ts').Terminal>} */
export const terminal_create = (body) => post('/terminals', body);
/** @param {string} terminal @returns {Promise<import('./types.d.ts').Terminal>} */
export const terminal_end = (terminal) => remove(`/terminals/${part(terminal)}`);
