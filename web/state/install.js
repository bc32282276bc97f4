/**
 * The page as a program of its own: its worker, and the sign on its icon.
 */

import { signal } from '../vendor/signals.js';
import { base } from '../api/client.js';
import { go } from './route.js';

/** What asks whether to install the page, once the browser offers it. */
export const offer = signal(/** @type {any} */ (null));

/** Whether the page runs as an installed program. */
export const installed = () =>
  matchMedia('(display-mode: standalone)').matches || /** @type {any} */ (navigator).standalone === true;

/** An iPhone or iPad: a page is installed there by hand, and pushes come to installed ones only. */
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
  // Whoever saves data fetches a screen when it is gone to.
  if (!(/** @type {any} */ (navigator).connection?.saveData)) {
    navigator.serviceWorker.ready.then(({ active }) => active?.postMessage('keep all'));
  }
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

/** Asks whether to install the page. */
export async function install() {
  await offer.value?.prompt();
  offer.value = null;
}

/** The worker, once it is there. */
export async function ready() {
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
