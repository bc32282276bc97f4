/** Pushes to this browser. */

import { get, post, put, remove } from './client.js';

/** @returns {Promise<import('./types.d.ts').PushKey>} */
export const push_key_get = () => get('/push/key');
/** @returns {Promise<import('./types.d.ts').NotificationChannel>} */
export const push_get = () => get('/push/subscription');
/** @param {import('./types.d.ts').PushSubscribe} body @returns {Promise<import('./types.d.ts').NotificationChannel>} */
export const push_subscribe = (body) => put('/push/subscription', body);
export const push_unsubscribe = () => remove('/push/subscription');
/** @returns {Promise<import('./types.d.ts').Notification>} */
export const push_test = () => post('/push/subscription/test');
