/** Ways out for notifications, and what went out. */

import { get, part, patch, post, remove } from './client.js';

/** @template I @typedef {import('./client.js').Page<I>} Page */
/** @typedef {import('./client.js').Query} Query */

/** @returns {Promise<Page<import('./types.d.ts').NotificationChannel>>} */
export const channel_list = () => get('/channels');
/** @param {{name: string, url: string}} body @returns {Promise<import('./types.d.ts').ChannelSecret>} */
export const channel_create = (body) => post('/channels', body);
/** @param {string} channel @param {Record<string, unknown>} body @returns {Promise<import('./types.d.ts').NotificationChannel>} */
export const channel_update = (channel, body) => patch(`/channels/${part(channel)}`, body);
/** @param {string} channel */
export const channel_delete = (channel) => remove(`/channels/${part(channel)}`);
/** @param {string} channel @returns {Promise<import('./types.d.ts').Notification>} */
export const channel_test = (channel) => post(`/channels/${part(channel)}/test`);
/** @param {Query} [query] @returns {Promise<Page<import('./types.d.ts').Notification>>} */
export const notification_list = (query) => get('/notifications', query);
