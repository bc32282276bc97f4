/** Repos, worktrees, and what removing one kept. */

import { get, part, patch, post, put } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Repo>>} */
export const repo_list = (query) => get('/repos', query);
/** @param {string} repo @returns {Promise<import('./types.d.ts').Repo>} */
export const repo_get = (repo) => get(`/repos/${part(repo)}`);
/** @param {string} repo @returns {Promise<import('./types.d.ts').RepoGit>} */
export const repo_git = (repo) => get(`/repos/${part(repo)}/git`);
/** @param {{id: string, path?: string, force?: boolean}} body @returns {Promise<import('./types.d.ts').Repo>} */
export const repo_create = (body) => post('/repos', body);
/** @param {{url: string, id?: string}} body @returns {Promise<import('./types.d.ts').Job>} */
export const repo_clone = (body) => post('/repos/clone', body);
/** @param {string} repo @param {{name: string | null}} body @returns {Promise<import('./types.d.ts').Repo>} */
export const repo_update = (repo, body) => patch(`/repos/${part(repo)}`, body);
/** @param {string} repo @returns {Promise<import('./types.d.ts').Repo>} */
export const repo_init = (repo) => post(`/repos/${part(repo)}/init`);
/** @param {string} repo @returns {Promise<import('./types.d.ts').Job>} */
export const repo_sync = (repo) => post(`/repos/${part(repo)}/sync`);
/** @param {string} repo @returns {Promise<import('./types.d.ts').Setup>} */
export const repo_setup_get = (repo) => get(`/repos/${part(repo)}/setup`);
/** @param {string} repo @param {string[]} commands @param {string} match @returns {Promise<import('./types.d.ts').Setup>} */
export const repo_setup_update = (repo, commands, match) => put(`/repos/${part(repo)}/setup`, { commands }, { match });
/** @param {string} repo @param {{delete_dir?: boolean, drop?: string[], dry_run?: boolean}} body @returns {Promise<import('./types.d.ts').RemovalReport>} */
export const repo_remove = (repo, body) => post(`/repos/${part(repo)}/remove`, body);
/** @param {{base: string, branch: string, start_point?: string, skip_setup?: boolean}} body @returns {Promise<import('./types.d.ts').Job>} */
export const worktree_create = (body) => post('/worktrees', body);
/** @param {string} repo @param {{delete_branch?: boolean, drop?: string[], dry_run?: boolean}} body @returns {Promise<import('./types.d.ts').RemovalReport>} */
export const worktree_cleanup = (repo, body) => post(`/worktrees/${part(repo)}/cleanup`, body);
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Salvage>>} */
export const salvage_list = (query) => get('/salvages', query);
/** @param {string} salvage @returns {Promise<import('./types.d.ts').Repo>} */
export const salvage_restore = (salvage) => post(`/salvages/${part(salvage)}/restore`);
