/**
 * The proof that goes with the cookie of this browser. It is kept where only pages of one origin read
 * it, port included; a cookie goes to every port of its host. It can be read at once, which is when
 * `early.js` needs it.
 */

import { signal } from '../vendor/signals.js';

/** Where it is kept. */
const PLACE = 'proof';

/** @returns {string | null} */
function kept() {
  try {
    return localStorage.getItem(PLACE);
  } catch {
    // A browser that keeps nothing for this page.
    return null;
  }
}

let proof = kept();

/** Whether this browser is let in. */
export const access = signal(/** @type {'in' | 'out'} */ (proof ? 'in' : 'out'));

/** The proof, while there is one. */
export function current() {
  return proof;
}

/**
 * Keeps the proof of a pairing.
 * @param {string} given
 */
export function keep(given) {
  localStorage.setItem(PLACE, given);
  proof = given;
  access.value = 'in';
}

/** Forgets it: the hub does not know this browser any more, or its user left. */
export function forget() {
  proof = null;
  access.value = 'out';
  if (kept()) localStorage.removeItem(PLACE);
}
