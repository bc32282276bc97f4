/**
 * The page as a program of its own: its worker, what the hub pushes to it, and the sign on its icon.
 */

import { signal } from '../vendor/signals.js';
import { base } from '../api/client.js';
import { push_get, push_key_get, push_subscribe, push_unsubscribe } from '../api/operations.js';
import { go } from './route.js';

/** @typedef {import('../api/types.d.ts').NotificationChannel} NotificationChannel */

/** What asks whether to install the page, once the browser offers it. */
export const offer = signal(/** @type {any} */ (null));

/** Whether the page runs as an installed program. */
export const installed = () =>
  matchMedia('(display-mode: standalone)').matches || /** @type {any} */ (navigator).standalone === true;

/** Whether this browser can be pushed to as it is now. */
export const pushable = () => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

/** An iPhone or iPad: pushes come to installed pages only. */
export const isApple = () => /iPhone|iPad/.test(navigator.userAgent);

/** @type {Promise<ServiceWorkerRegistration> | null} */
let worker = null;

/** Starts the worker, once. */
export function start() {
  if (!('serviceWorker' in navigator) || worker) return;
  const file = `${base}/assets/sw.js`;
  worker = navigator.serviceWorker.register(/** @type {any} */ (trusted(file)), { scope: `${base}/` });
  // Without it the page works as before, with the network only.
  worker.catch(() => undefined);
  navigator.serviceWorker.addEventListener('message', (event) => {
    if (typeof event.data?.open === 'string') go(event.data.open);
  });
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    offer.value = event;
  });
  addEventListener('appinstalled', () => {
    offer.value = null;
  });
}

/** The one script the page may start. @param {string} file */
function trusted(file) {
  const factory = /** @type {any} */ (window).trustedTypes;
  if (!factory) return file;
  const policy = factory.createPolicy('car', {
    createScriptURL(/** @type {string} */ url) {
      if (url !== file) throw new TypeError(`${url} is no script of this page`);
      return url;
    },
  });
  return policy.createScriptURL(file);
}

/**
 * What another program shared with the page; the worker keeps it until it is asked for, once.
 * @returns {Promise<{text: string, files: File[]}>}
 */
export async function taken() {
  const cache = await caches.open('car-shared');
  let text = '';
  /** @type {File[]} */
  const files = [];
  for (const request of await cache.keys()) {
    const kept = await cache.match(request);
    await cache.delete(request);
    if (!kept) continue;
    const name = kept.headers.get('x-name');
    if (name === null) text = await kept.text();
    else files.push(new File([await kept.blob()], decodeURIComponent(name) || 'shared', { type: kept.headers.get('content-type') ?? '' }));
  }
  return { text, files };
}

/** Asks whether to install the page. */
export async function install() {
  await offer.value?.prompt();
  offer.value = null;
}

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

async function ready() {
  start();
  await worker;
  return navigator.serviceWorker.ready;
}

/**
 * Shows on the page's icon how much waits.
 * @param {number} count
 */
export function badge(count) {
  const sign = /** @type {any} */ (navigator);
  if (!sign.setAppBadge) return;
  (count ? sign.setAppBadge(count) : sign.clearAppBadge()).catch(() => undefined);
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
