/** The project manager. */

import { get, part, put } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */

/** @returns {Promise<Page<import('./types.d.ts').PmaDoc>>} */
export const pma_doc_list = () => get('/pma/docs');
/** @param {string} name @param {string} content @param {string} match @returns {Promise<import('./types.d.ts').PmaDoc>} */
export const pma_doc_update = (name, content, match) => put(`/pma/docs/${part(name)}`, { content }, { match });
