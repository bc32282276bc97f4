/** The agents of this hub. */

import { get, part } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */

/** @returns {Promise<Page<import('./types.d.ts').Agent>>} */
export const agent_list = () => get('/agents');
/** @param {string} agent @returns {Promise<Page<import('./types.d.ts').Model>>} */
export const agent_models = (agent) => get(`/agents/${part(agent)}/models`);
