/** What the hub pushes to this browser. */

import { push_get, push_key_get, push_subscribe, push_unsubscribe } from '../api/push.js';
import { ready } from './install.js';

/** @typedef {import('../api/types.d.ts').NotificationChannel} NotificationChannel */

/** Whether this browser can be pushed to as it is now. */
export const pushable = () => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

/** How this browser is pushed to, if it is: what the hub and the browser agree on. */
export async function pushed() {
  const registration = await ready();
  const own = await registration.pushManager.getSubscription();
  if (!own) return null;
  return push_get().catch((error) => {
    if (error.code === 'not_found') return null;
    throw error;
  });
}

/**
 * Has the hub push to this browser, with these wishes.
 * @param {Pick<NotificationChannel, 'kinds' | 'quiet'>} wishes
 */
export async function subscribe({ kinds, quiet }) {
  const permission = await Notification.requestPermission();
  if (permission !== 'granted') throw new Error('This browser does not allow notifications of this page; its settings can change that.');
  const registration = await ready();
  const { public_key } = await push_key_get();
  const key = bytesOf(public_key);
  const known = await registration.pushManager.getSubscription();
  // A subscription for another key is of no use to this hub.
  if (known && !same(known.options.applicationServerKey, key)) await known.unsubscribe();
  const own = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const told = own.toJSON();
  return push_subscribe({
    endpoint: own.endpoint,
    p256dh: told.keys?.p256dh ?? '',
    auth: told.keys?.auth ?? '',
    kinds,
    ...(quiet ? { quiet } : {}),
  });
}

/** Ends it, here and at the hub. */
export async function unsubscribe() {
  const registration = await ready();
  await push_unsubscribe();
  await (await registration.pushManager.getSubscription())?.unsubscribe();
}

/** @param {string} text Base64url. */
function bytesOf(text) {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}

/** @param {ArrayBuffer | null} one @param {Uint8Array} other */
function same(one, other) {
  return one !== null && one.byteLength === other.length && new Uint8Array(one).every((byte, place) => byte === other[place]);
}
