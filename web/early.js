/**
 * Asks for what every screen begins with while the page's program is still on its way: over a slow
 * network this saves a whole round trip. It is small, is no module, stands before the styles and does
 * nothing else, so that nothing holds it up; `api/session.js` takes the proof from here, and
 * `api/client.js` the answers.
 */

// Nobody is let in yet where a browser is paired.
if (!location.pathname.endsWith('/pair')) {
  const here = new URL(/** @type {HTMLScriptElement} */ (document.currentScript).src).pathname;
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

  /** @param {string} path @returns {Promise<{answer: Response, text: string} | undefined>} Nothing: it is asked for as usual. */
  const ask = async (path) => {
    try {
      const known = await proof;
      if (!known) return undefined;
      const answer = await fetch(api + path, { headers: { accept: 'application/json', 'x-car-proof': known }, credentials: 'same-origin', cache: 'no-store' });
      return answer.ok ? { answer, text: await answer.text() } : undefined;
    } catch {
      return undefined;
    }
  };

  const paths = ['/hub/snapshot', '/jobs?status=running', '/inbox?limit=200'];
  /** @type {any} */ (globalThis).early = { proof, answers: new Map(paths.map((path) => [api + path, ask(path)])) };
}
