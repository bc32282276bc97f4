/**
 * Asks for what every screen begins with while the page's program is still on its way: over a slow
 * network this saves a whole round trip. It is small, imports nothing, and does nothing else;
 * `api/client.js` takes the answers from here.
 */

const here = new URL(import.meta.url).pathname;
const api = `${here.slice(0, Math.max(0, here.lastIndexOf('/assets/')))}/api/v1`;

/** The proof of this browser, as `api/session.js` keeps it. @type {Promise<string | undefined>} */
const proof = new Promise((resolve, reject) => {
  const opened = indexedDB.open('car', 1);
  opened.onupgradeneeded = () => opened.result.createObjectStore('session');
  opened.onerror = () => reject(opened.error);
  opened.onsuccess = () => {
    const read = opened.result.transaction('session').objectStore('session').get('proof');
    read.onsuccess = () => resolve(read.result);
    read.onerror = () => reject(read.error);
    read.transaction?.addEventListener('complete', () => opened.result.close());
  };
});

/** @param {string} url @returns {Promise<Response | undefined>} Nothing: it is asked for as usual. */
async function ask(url) {
  try {
    const known = await proof;
    if (!known) return undefined;
    return await fetch(url, { headers: { accept: 'application/json', 'x-car-proof': known }, credentials: 'same-origin', cache: 'no-store' });
  } catch {
    return undefined;
  }
}

// Where the program was here first, it asks itself.
if (!(/** @type {any} */ (globalThis).early) && !location.pathname.endsWith('/pair')) {
  const urls = ['/hub/snapshot', '/jobs?status=running', '/inbox?limit=200'].map((path) => api + path);
  /** @type {any} */ (globalThis).early = new Map(urls.map((url) => [url, ask(url)]));
}
