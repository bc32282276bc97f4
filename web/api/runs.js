/** Runs and what happens in them. */

import { get, part, post } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @param {string} repo @param {import('./types.d.ts').RunStart} [body] @returns {Promise<import('./types.d.ts').Run>} */
export const run_start = (repo, body) => post(`/repos/${part(repo)}/runs`, body ?? {});
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Run>>} */
export const run_list = (query) => get('/runs', query);
/** @param {string} run @returns {Promise<import('./types.d.ts').Run>} */
export const run_get = (run) => get(`/runs/${part(run)}`);
/** @param {string} run @param {import('./types.d.ts').RunResume} [body] @returns {Promise<import('./types.d.ts').Run>} */
export const run_resume = (run, body) => post(`/runs/${part(run)}/resume`, body ?? {});
/** @param {string} run @returns {Promise<import('./types.d.ts').Run>} */
export const run_pause = (run) => post(`/runs/${part(run)}/pause`);
/** @param {string} run @returns {Promise<import('./types.d.ts').Run>} */
export const run_stop = (run) => post(`/runs/${part(run)}/stop`);
/** @param {string} run @param {string} body @returns {Promise<import('./types.d.ts').Reply>} */
export const run_reply = (run, body) => post(`/runs/${part(run)}/reply`, { body });
/** @param {string} run @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Turn>>} */
export const run_turns = (run, query) => get(`/runs/${part(run)}/turns`, query);
/** @param {string} turn @returns {Promise<import('./types.d.ts').TurnDetail>} */
export const turn_get = (turn) => get(`/turns/${part(turn)}`);
/** @param {string} run @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Dispatch>>} */
export const run_dispatches = (run, query) => get(`/runs/${part(run)}/dispatches`, query);
/** @param {string} run @returns {Promise<Page<import('./types.d.ts').Reply>>} */
export const run_replies = (run) => get(`/runs/${part(run)}/replies`, { limit: 500 });
/** @param {string} run @returns {Promise<Page<import('./types.d.ts').Evidence>>} */
export const run_evidence = (run) => get(`/runs/${part(run)}/evidence`, { limit: 500 });
/** @param {string} run @param {Query} [query] @returns {Promise<import('./types.d.ts').RunDiff>} */
export const run_diff = (run, query) => get(`/runs/${part(run)}/diff`, query);
/** @param {string} run @param {string} path @param {Query} [query] @returns {Promise<import('./types.d.ts').FileDiff>} */
export const run_diff_file = (run, path, query) => get(`/runs/${part(run)}/diff/file`, { ...query, path });
/** @param {string} run @param {string} approval @param {string} decision @returns {Promise<import('./types.d.ts').Approval>} */
export const approval_decide = (run, approval, decision) => post(`/runs/${part(run)}/approvals/${part(approval)}`, { decision });
