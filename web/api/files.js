/** Files for agents and of agents: of a repo, or of the hub when there is none. */

import { call, get, part, remove } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @param {string | null} repo */
const boxes = (repo) => (repo === null ? '/files' : `/repos/${part(repo)}/files`);
/** @param {string | null} repo @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').BoxFile>>} */
export const file_list = (repo, query) => get(boxes(repo), { limit: 500, ...query });
/** @param {string | null} repo @param {string} box @param {string} name @returns {Promise<import('./types.d.ts').FileLink>} */
export const file_link = (repo, box, name) => call('POST', `${boxes(repo)}/${part(box)}/${part(name)}/link`, { once: true });
/** @param {string | null} repo @param {string} box @param {File} file @param {string} [name] @returns {Promise<import('./types.d.ts').BoxFile>} */
export const file_put = (repo, box, file, name = file.name) => call('PUT', `${boxes(repo)}/${part(box)}/${part(name)}`, { file, once: true });
/** @param {string | null} repo @param {string} box @param {string} name @returns {Promise<Blob>} */
export const file_get = (repo, box, name) => call('GET', `${boxes(repo)}/${part(box)}/${part(name)}`, { bytes: true });
/** @param {string | null} repo @param {string} box @param {string} name */
export const file_delete = (repo, box, name) => remove(`${boxes(repo)}/${part(box)}/${part(name)}`);
