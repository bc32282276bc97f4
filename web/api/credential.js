/** What lets this browser in. */

import { call, get, remove } from './client.js';

/** @returns {Promise<import('./types.d.ts').Credential>} */
export const credential_get = () => get('/credential');
export const credential_delete = () => remove('/credential');
/** @param {{terminal?: string}} [body] @returns {Promise<import('./types.d.ts').WsTicket>} */
export const ws_ticket_create = (body = {}) => call('POST', '/ws-tickets', { body, once: true });
