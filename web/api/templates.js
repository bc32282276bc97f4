/** Templates of tickets, and where they come from. */

import { get, part, post, remove } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').TemplateSource>>} */
export const template_source_list = (query) => get('/templates/sources', query);
/** @param {{id: string, url: string, default_ref?: string}} body @returns {Promise<import('./types.d.ts').TemplateSource>} */
export const template_source_create = (body) => post('/templates/sources', body);
/** @param {string} source */
export const template_source_delete = (source) => remove(`/templates/sources/${part(source)}`);
/** @param {string} source @param {boolean} [rewritten] @returns {Promise<import('./types.d.ts').Job>} */
export const template_source_sync = (source, rewritten = false) => post(`/templates/sources/${part(source)}/sync`, { rewritten });
/** @param {string} source @param {string} commit @returns {Promise<import('./types.d.ts').TemplateSource>} */
export const template_source_trust = (source, commit) => post(`/templates/sources/${part(source)}/trust`, { commit });
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Template>>} */
export const template_list = (query) => get('/templates', query);
/** @param {string} template @returns {Promise<import('./types.d.ts').TemplateText>} */
export const template_get = (template) => get('/templates/text', { template });
/** @param {string} template @param {string} sha256 @returns {Promise<import('./types.d.ts').Template>} */
export const template_trust = (template, sha256) => post('/templates/trust', { template, sha256 });
/** @param {string} template @returns {Promise<import('./types.d.ts').Template>} */
export const template_untrust = (template) => post('/templates/untrust', { template });
/** @param {string} repo @param {import('./types.d.ts').TemplateApply} body @returns {Promise<import('./types.d.ts').TicketText>} */
export const template_apply = (repo, body) => post(`/repos/${part(repo)}/tickets/from-template`, body);
