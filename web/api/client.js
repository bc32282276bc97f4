/**
 * Requests to the hub. Every answer that is no success is a {@link Trouble}; what only reads, and
 * what carries a key, is tried again when the network fails.
 *
 * @typedef {import('./types.d.ts').Problem} Problem
 * @typedef {Record<string, string | number | boolean | undefined | null>} Query
 */

/** @template I @typedef {{items: I[], next?: string}} Page */

import * as session from './session.js';

const here = new URL(import.meta.url).pathname;

/** The path the hub is served under: empty, or begins with a slash and ends without one. */
export const base = here.slice(0, Math.max(0, here.lastIndexOf('/assets/')));

const API = `${base}/api/v1`;

/** How long to wait before each further try, in milliseconds. */
const PAUSES = [300, 1200];

/** How many answers are kept to be shown at once, and to ask whether they still hold. */
const KEPT = 120;

/** The code of a request that did not reach the hub. */
export const UNREACHED = 'unreached';

/** Why a request was not served. */
export class Trouble extends Error {
  /** @param {Partial<Problem> & {detail: string, title: string}} problem */
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
    /** @type {string} */
    this.code = problem.code ?? UNREACHED;
  }
}

/**
 * What went wrong, whatever was thrown.
 * @param {unknown} error
 * @returns {Trouble}
 */
export function troubleOf(error) {
  if (error instanceof Trouble) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new Trouble({ title: 'This page made a mistake', detail, code: /** @type {any} */ ('page') });
}

/** @type {Map<string, {etag: string, body: any}>} */
const kept = new Map();

/** What `early.js` asked, by address. @type {Map<string, Promise<{answer: Response, text: string} | undefined>>} */
const early = /** @type {any} */ (globalThis).early ?? new Map();

/** Forgets what was answered before. */
export function forgetAnswers() {
  kept.clear();
}

/**
 * @typedef {object} Options
 * @property {Query} [query]
 * @property {unknown} [body] Sent as JSON.
 * @property {string} [match] The version a change was made from.
 * @property {File} [file] Sent as it is.
 * @property {boolean} [named] The file is sent as what it is, not as any bytes.
 * @property {boolean} [bytes] The answer is a file.
 * @property {boolean} [once] Neither repeated nor given a key.
 * @property {AbortSignal} [signal]
 */

/**
 * @param {string} method
 * @param {string} path Below `/api/v1`.
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, options = {}) {
  const { query, body, file, named, match, once = false, bytes = false, signal } = options;
  const url = API + path + search(query);
  const reads = method === 'GET';
  const foreseen = reads ? await asked(url) : undefined;
  if (foreseen) return read(url, foreseen.answer, undefined, foreseen.text);
  /** @type {Record<string, string>} */
  const headers = { accept: bytes ? '*/*' : 'application/json' };
  const proof = session.current();
  if (proof) headers['x-car-proof'] = proof;
  if (!reads) headers['content-type'] = file ? (named && file.type) || 'application/octet-stream' : 'application/json';
  if (!reads && !once) headers['idempotency-key'] = key();
  if (match) headers['if-match'] = match.startsWith('"') || match === '*' ? match : `"${match}"`;
  const known = reads ? kept.get(url) : undefined;
  if (known) headers['if-none-match'] = known.etag;
  const request = {
    method,
    headers,
    signal,
    credentials: /** @type {const} */ ('same-origin'),
    cache: /** @type {const} */ ('no-store'),
    body: file ?? (body === undefined ? undefined : JSON.stringify(body)),
  };
  for (let tries = 0; ; tries += 1) {
    const more = !once && tries < PAUSES.length;
    const answer = await reach(url, request, more);
    if (answer && !once && isUnderWay(answer)) {
      await pause(waitOf(answer, 0), signal);
      tries -= 1;
      continue;
    }
    if (answer && !(more && isPassing(answer))) return bytes && answer.ok ? answer.blob() : read(url, answer, known);
    await pause(answer ? waitOf(answer, tries) : PAUSES[tries], signal);
  }
}

/**
 * The answer; nothing when the hub was not reached and there is another try.
 * @param {string} url
 * @param {RequestInit} request
 * @param {boolean} more
 */
async function reach(url, request, more) {
  try {
    return await fetch(url, request);
  } catch (error) {
    if (request.signal?.aborted) throw error;
    if (more && navigator.onLine) return null;
    const detail = 'The hub cannot be reached. Look at the connection, and whether the hub runs.';
    throw new Trouble({ title: 'No connection', detail });
  }
}

/**
 * The answer to what `early.js` asked already, once.
 * @param {string} url
 */
function asked(url) {
  const answer = early.get(url);
  early.delete(url);
  return answer;
}

/**
 * Whether an earlier try of the same request, whose answer was lost, is still at work.
 * @param {Response} answer
 */
function isUnderWay(answer) {
  return answer.status === 409 && answer.headers.has('retry-after');
}

/** @param {Response} answer */
function isPassing(answer) {
  return [429, 502, 503, 504].includes(answer.status) && waitOf(answer, 0) <= 5000;
}

/**
 * @param {Response} answer
 * @param {number} tries
 */
function waitOf(answer, tries) {
  const seconds = Number(answer.headers.get('retry-after'));
  return seconds > 0 ? seconds * 1000 : PAUSES[tries];
}

/**
 * @param {number} time
 * @param {AbortSignal} [signal]
 */
function pause(time, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, time);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/**
 * @param {string} url
 * @param {Response} answer
 * @param {{etag: string, body: any} | undefined} known
 * @param {string} [foreseen] What it says, where that was read before.
 */
async function read(url, answer, known, foreseen) {
  if (answer.status === 304 && known) return known.body;
  if (answer.ok) {
    if (answer.status === 204) return undefined;
    const text = foreseen ?? (await answer.text());
    const body = text ? JSON.parse(text) : undefined;
    const etag = answer.headers.get('etag');
    if (etag && answer.status === 200) remember(url, { etag, body });
    return body;
  }
  const problem = await problemOf(answer);
  // The hub does not know this browser any more.
  if (answer.status === 401) session.forget();
  throw new Trouble(problem);
}

/**
 * @param {string} url
 * @param {{etag: string, body: any}} entry
 */
function remember(url, entry) {
  kept.delete(url);
  kept.set(url, entry);
  if (kept.size > KEPT) kept.delete(/** @type {string} */ (kept.keys().next().value));
}

/**
 * @param {Response} answer
 * @returns {Promise<Partial<Problem> & {detail: string, title: string}>}
 */
async function problemOf(answer) {
  try {
    const problem = await answer.json();
    if (typeof problem.detail === 'string') return problem;
  } catch {
    // A proxy's own page.
  }
  const detail = `Something before the hub answered with ${answer.status} ${answer.statusText}.`;
  return { title: 'Not an answer of the hub', detail };
}

/** @param {Options['query']} query */
function search(query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text ? `?${text}` : '';
}

/** A new word for one request. */
export function key() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {string} path @param {Options['query']} [query] @param {AbortSignal} [signal] */
export const get = (path, query, signal) => call('GET', path, { query, signal });

/** @param {string} path @param {unknown} [body] @param {Options} [options] */
export const post = (path, body, options) => call('POST', path, { ...options, body });

/** @param {string} path @param {unknown} body @param {Options} [options] */
export const put = (path, body, options) => call('PUT', path, { ...options, body });

/** @param {string} path @param {unknown} body @param {Options} [options] */
export const patch = (path, body, options) => call('PATCH', path, { ...options, body });

/** @param {string} path @param {Options} [options] */
export const remove = (path, options) => call('DELETE', path, options);

/** A piece of a path. @param {string | number} text */
export const part = (text) => encodeURIComponent(String(text));
