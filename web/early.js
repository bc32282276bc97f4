/**
 * Asks for what every screen begins with while the page's program is still on its way, and shows the
 * frame meanwhile: over a slow network this saves a whole round trip. It is small, is no module, stands
 * before the styles and does nothing else, so that nothing holds it up; `api/client.js` takes the
 * answers from here.
 */

{
  const here = new URL(/** @type {HTMLScriptElement} */ (document.currentScript).src).pathname;
  const api = `${here.slice(0, Math.max(0, here.lastIndexOf('/assets/')))}/api/v1`;

  /** The proof of this browser, as `api/session.js` keeps it. */
  const proof = (() => {
    try {
      return localStorage.getItem('proof');
    } catch {
      // A browser that keeps nothing for this page.
      return null;
    }
  })();

  /** @param {string} path @returns {Promise<{answer: Response, text: string} | undefined>} Nothing: it is asked for as usual. */
  const ask = async (path) => {
    try {
      const answer = await fetch(api + path, { headers: { accept: 'application/json', 'x-car-proof': proof ?? '' }, credentials: 'same-origin', cache: 'no-store' });
      return answer.ok ? { answer, text: await answer.text() } : undefined;
    } catch {
      return undefined;
    }
  };

  // Nobody is let in yet where a browser is paired.
  const known = proof !== null && !location.pathname.endsWith('/pair');
  document.documentElement.classList.toggle('known', known);
  const paths = known ? ['/hub/snapshot', '/jobs?status=running', '/inbox?limit=200'] : [];
  /** @type {any} */ (globalThis).early = new Map(paths.map((path) => [api + path, ask(path)]));
}
