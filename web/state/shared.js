/** What other programs share with the page: the worker keeps it until it is taken. */

import { Trouble } from '../api/client.js';

const SHARED = 'car-shared';

/** What is no use to try again: too large, or of a wrong kind or name. */
const REFUSED = [400, 413, 415, 422];

/**
 * The words another program shared, once.
 * @returns {Promise<string>}
 */
export async function sharedText() {
  const cache = await caches.open(SHARED);
  for (const request of await cache.keys()) {
    const kept = await cache.match(request);
    if (kept?.headers.get('x-name') !== null) continue;
    await cache.delete(request);
    return kept.text();
  }
  return '';
}

/**
 * The files another program shared, one after the other; each is kept until it was taken in.
 * @param {(file: File) => Promise<unknown>} take
 */
export async function sharedFiles(take) {
  const cache = await caches.open(SHARED);
  for (const request of await cache.keys()) {
    const kept = await cache.match(request);
    const name = kept?.headers.get('x-name');
    if (!kept || typeof name !== 'string') continue;
    const type = kept.headers.get('content-type') ?? '';
    try {
      await take(new File([await kept.blob()], decodeURIComponent(name) || 'shared', { type }));
    } catch (error) {
      // What the hub never takes must not be in the way of what it does.
      if (error instanceof Trouble && REFUSED.includes(error.problem.status ?? 0)) await cache.delete(request);
      throw error;
    }
    await cache.delete(request);
  }
}
