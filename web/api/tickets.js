/** Tickets, and the documents beside them. */

import { call, get, part, post, put } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @param {string} repo @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Ticket>>} */
export const ticket_list = (repo, query) => get(`/repos/${part(repo)}/tickets`, query);
/** @param {string} repo @param {string} ticket @returns {Promise<import('./types.d.ts').TicketText>} */
export const ticket_get = (repo, ticket) => get(`/repos/${part(repo)}/tickets/${part(ticket)}`);
/** @param {string} repo @param {import('./types.d.ts').TicketCreate} body @returns {Promise<import('./types.d.ts').TicketText>} */
export const ticket_create = (repo, body) => post(`/repos/${part(repo)}/tickets`, body);
/** @param {string} repo @param {string} ticket @param {{content: string, allow_invalid?: boolean}} body @param {string} match @returns {Promise<import('./types.d.ts').TicketText>} */
export const ticket_update = (repo, ticket, body, match) => put(`/repos/${part(repo)}/tickets/${part(ticket)}`, body, { match });
/** @param {string} repo @param {string} ticket @returns {Promise<import('./types.d.ts').Job>} */
export const ticket_verify = (repo, ticket) => post(`/repos/${part(repo)}/tickets/${part(ticket)}/verify`);
/** @param {string} repo @param {string} ticket @param {{done: boolean}} body @param {string} match @returns {Promise<import('./types.d.ts').TicketText>} */
export const ticket_done = (repo, ticket, body, match) => post(`/repos/${part(repo)}/tickets/${part(ticket)}/done`, body, { match });
/** @param {string} repo @param {string} ticket @param {number} to @returns {Promise<Page<import('./types.d.ts').Ticket>>} */
export const ticket_move = (repo, ticket, to) => post(`/repos/${part(repo)}/tickets/${part(ticket)}/move`, { to });
/** @param {string} repo @param {boolean} fix @returns {Promise<import('./types.d.ts').LintReport>} */
export const ticket_lint = (repo, fix) => post(`/repos/${part(repo)}/tickets/lint`, { fix });
/** A text that is in no file yet. @param {string} repo @param {string} content @param {AbortSignal} [signal] @returns {Promise<import('./types.d.ts').LintReport>} */
export const ticket_lint_text = (repo, content, signal) => call('POST', `/repos/${part(repo)}/tickets/lint`, { body: { content }, once: true, signal });
/** @param {string} repo @returns {Promise<Page<import('./types.d.ts').ContextDoc>>} */
export const context_list = (repo) => get(`/repos/${part(repo)}/contextspace`);
/** @param {string} repo @param {string} name @param {string} content @param {string} match @returns {Promise<import('./types.d.ts').ContextDoc>} */
export const context_update = (repo, name, content, match) => put(`/repos/${part(repo)}/contextspace/${part(name)}`, { content }, { match });
