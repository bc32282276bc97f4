/** Who else is let in: tokens, devices, pairings. */

import { call, get, part, post, remove } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */

/** @returns {Promise<Page<import('./types.d.ts').Token>>} */
export const token_list = () => get('/tokens', { limit: 500 });
/** @param {import('./types.d.ts').TokenCreate} body @returns {Promise<import('./types.d.ts').TokenCreated>} */
export const token_create = (body) => post('/tokens', body);
/** @param {string} token */
export const token_delete = (token) => remove(`/tokens/${part(token)}`);
/** @returns {Promise<import('./types.d.ts').LoggedOut>} */
export const token_delete_others = () => post('/tokens/delete-others');
/** @returns {Promise<Page<import('./types.d.ts').Device>>} */
export const device_list = () => get('/devices');
/** @param {string} device */
export const device_delete = (device) => remove(`/devices/${part(device)}`);
/** @returns {Promise<Page<import('./types.d.ts').Pairing>>} */
export const pairing_list = () => get('/pairings');
/** @param {{scopes?: string[]}} body @returns {Promise<import('./types.d.ts').PairingCreated>} */
export const pairing_create = (body) => post('/pairings', body);
/** @param {string} pairing @param {string} seen @param {AbortSignal} [signal] @returns {Promise<import('./types.d.ts').Pairing>} */
export const pairing_get = (pairing, seen, signal) => get(`/pairings/${part(pairing)}`, { seen, wait: 25 }, signal);
/** @param {string} pairing @param {boolean} approve @returns {Promise<import('./types.d.ts').Pairing>} */
export const pairing_decide = (pairing, approve) => post(`/pairings/${part(pairing)}/decide`, { approve });
/** @param {string} code @param {string} name @returns {Promise<import('./types.d.ts').PairRequested>} */
export const pair_request = (code, name) => call('POST', '/pair', { body: { type: 'device', code, name }, once: true });
/** @param {string} secret @param {AbortSignal} [signal] @returns {Promise<import('./types.d.ts').PairOutcome>} */
export const pair_finish = (secret, signal) => call('POST', '/pair/finish', { body: { secret, wait: 25 }, once: true, signal });
