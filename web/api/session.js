/**
 * The proof that goes with the cookie of this browser. It is kept in IndexedDB, which belongs to
 * one origin, port included, as a cookie does not.
 */

import { signal } from '../vendor/signals.js';

const DATABASE = 'car';
const STORE = 'session';

/** Whether this browser is let in: `unknown` until the proof was looked for. */
export const access = signal(/** @type {'unknown' | 'in' | 'out'} */ ('unknown'));

/** @type {string | null} */
let proof = null;

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} ask
 * @returns {Promise<T>}
 */
async function inStore(mode, ask) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const request = ask(database.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } finally {
    database.close();
  }
}

/** Looks for the proof; to be awaited once before anything is asked of the hub. */
export async function recall() {
  try {
    // What `early.js` found already, if it was here first.
    const found = /** @type {any} */ (globalThis).early?.proof;
    proof = (await (found ?? inStore('readonly', (store) => store.get('proof')))) ?? null;
  } catch {
    proof = null;
  }
  access.value = proof ? 'in' : 'out';
}

/** The proof, while there is one. */
export function current() {
  return proof;
}

/**
 * Keeps the proof of a pairing.
 * @param {string} given
 */
export async function keep(given) {
  await inStore('readwrite', (store) => store.put(given, 'proof'));
  proof = given;
  access.value = 'in';
}

/** Forgets it: the hub does not know this browser any more, or its user left. */
export async function forget() {
  proof = null;
  access.value = 'out';
  try {
    await inStore('readwrite', (store) => store.delete('proof'));
  } catch {
    // What cannot be deleted opens nothing: its cookie is void.
  }
}
