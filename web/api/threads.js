/** Conversations. */

import { get, part, patch, post, remove } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Thread>>} */
export const thread_list = (query) => get('/threads', query);
/** @param {{name?: string, agent?: string, repo?: string}} body @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_create = (body) => post('/threads', body);
/** @param {string} thread Its id, or `pma`. @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_get = (thread) => get(`/threads/${part(thread)}`);
/** @param {string} thread @param {Record<string, unknown>} body @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_update = (thread, body) => patch(`/threads/${part(thread)}`, body);
/** @param {string} thread @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_interrupt = (thread) => post(`/threads/${part(thread)}/interrupt`);
/** @param {string} thread @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_stop = (thread) => post(`/threads/${part(thread)}/stop`);
/** @param {string} thread @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_resume = (thread) => post(`/threads/${part(thread)}/resume`);
/** @param {string} thread @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_reset = (thread) => post(`/threads/${part(thread)}/reset`);
/** @param {string} thread @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_compact = (thread) => post(`/threads/${part(thread)}/compact`);
/** @param {string} thread @param {{name?: string}} body @returns {Promise<import('./types.d.ts').Thread>} */
export const thread_fork = (thread, body) => post(`/threads/${part(thread)}/fork`, body);
/** @param {string} thread @param {string} approval @param {string} decision @returns {Promise<import('./types.d.ts').Approval>} */
export const thread_approval_decide = (thread, approval, decision) => post(`/threads/${part(thread)}/approvals/${part(approval)}`, { decision });
/** @param {string} thread @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Message>>} */
export const message_list = (thread, query) => get(`/threads/${part(thread)}/messages`, query);
/** @param {string} thread @param {import('./types.d.ts').MessagePost} body @returns {Promise<import('./types.d.ts').Message>} */
export const message_post = (thread, body) => post(`/threads/${part(thread)}/messages`, body);
/** @param {string} thread @param {string} message @returns {Promise<import('./types.d.ts').MessageDetail>} */
export const message_get = (thread, message) => get(`/threads/${part(thread)}/messages/${part(message)}`);
/** @param {string} thread @param {string} message */
export const message_cancel = (thread, message) => remove(`/threads/${part(thread)}/messages/${part(message)}`);
/** @param {string} thread @param {string} message @returns {Promise<import('./types.d.ts').Message>} */
export const message_continue = (thread, message) => post(`/threads/${part(thread)}/messages/${part(message)}/continue`);
/** @param {{q: string, thread?: string, after?: string, limit?: number}} query @returns {Promise<Page<import('./types.d.ts').MessageHit>>} */
export const message_search = (query) => get('/messages', query);
