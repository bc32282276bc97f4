/**
 * Where the page is: a path behind `#`, which browsers send to no server.
 */

import { signal } from '../vendor/signals.js';

/**
 * @typedef {object} Place
 * @property {string} path `/runs/run_1`, without the query.
 * @property {string[]} parts Its pieces.
 * @property {Record<string, string>} query
 */

/**
 * The place a fragment names.
 * @param {string} fragment With or without `#`.
 * @returns {Place}
 */
export function placeOf(fragment) {
  const [path, query = ''] = fragment.replace(/^#/, '').split('?', 2);
  const parts = path.split('/').filter(Boolean).map(decoded);
  return { path: `/${path.split('/').filter(Boolean).join('/')}`, parts, query: Object.fromEntries(new URLSearchParams(query)) };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The address of a place within the page.
 * @param {...(string | number)} parts
 */
export function to(...parts) {
  return `#/${parts.map((piece) => encodeURIComponent(String(piece))).join('/')}`;
}

/**
 * The values of a pattern such as `/runs/:run` in a place; nothing when it is another place.
 * @param {string} pattern
 * @param {Place} place
 * @returns {Record<string, string> | null}
 */
export function matched(pattern, place) {
  const wanted = pattern.split('/').filter(Boolean);
  if (wanted.length !== place.parts.length) return null;
  /** @type {Record<string, string>} */
  const values = {};
  for (const [index, piece] of wanted.entries()) {
    if (piece.startsWith(':')) values[piece.slice(1)] = place.parts[index];
    else if (piece !== place.parts[index]) return null;
  }
  return values;
}

export const place = signal(placeOf(typeof location === 'undefined' ? '' : location.hash));

/** How many places this page was at before this one: whether "back" leads within it. */
let depth = 0;

/** Keeps {@link place} current. */
export function follow() {
  addEventListener('hashchange', () => {
    depth += 1;
    place.value = placeOf(location.hash);
  });
}

/**
 * Goes to an address of {@link to}.
 * @param {string} address
 * @param {{replace?: boolean}} [how]
 */
export function go(address, { replace = false } = {}) {
  if (replace) {
    history.replaceState(null, '', address);
    place.value = placeOf(address);
  } else {
    location.hash = address;
  }
}

/**
 * Goes to what an answer names, unless somebody has gone elsewhere while it was on its way.
 * @template T
 * @param {Promise<T>} answer
 * @param {(found: T) => string} address
 * @param {{replace?: boolean}} [how]
 * @returns {Promise<T>}
 */
export async function goOn(answer, address, how) {
  const here = place.value;
  const found = await answer;
  if (place.value === here) go(address(found), how);
  return found;
}

/**
 * Goes back, or up when this page was opened here.
 * @param {string} up
 */
export function back(up) {
  if (depth > 0) {
    depth -= 2;
    history.back();
  } else {
    go(up, { replace: true });
  }
}
