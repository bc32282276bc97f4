/** What other programs share with the page. */

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
