/**
 * Whether the hub's history is still the one this browser saw: the end of its audit chain is kept
 * from one look to the next, for each hub. A chain can only grow.
 *
 * @typedef {import('../api/types.d.ts').AuditHead} AuditHead
 */

import { signal } from '../vendor/signals.js';
import { troubleOf } from '../api/client.js';
import { audit_head } from '../api/audit.js';
import { hub_get } from '../api/hub.js';

/** What is wrong with the hub's history; empty while it is the one that was seen. */
export const changed = signal('');

/** @param {string} instance Of the hub. */
const place = (instance) => `audit head ${instance}`;

/**
 * The end of a hub's chain as this browser saw it last.
 * @param {string} instance
 * @returns {AuditHead | null}
 */
export function kept(instance) {
  try {
    const head = JSON.parse(localStorage.getItem(place(instance)) ?? 'null');
    return head?.seq > 0 && typeof head.hash === 'string' ? head : null;
  } catch {
    return null;
  }
}

/**
 * Keeps an end in place of the one before: from here on it is what was seen.
 * @param {string} instance
 * @param {AuditHead} head
 */
export function keep(instance, head) {
  localStorage.setItem(place(instance), JSON.stringify(head));
  changed.value = '';
}

/**
 * What must be wrong with a chain when `seen` was its end before, it ends with `now`, and `there` is
 * what it has in the place of `seen`.
 * @param {AuditHead} seen
 * @param {AuditHead | null} there
 * @param {AuditHead} now
 * @returns {string} Empty: nothing.
 */
export function contradiction(seen, there, now) {
  if (!there) return `its audit chain ends with line ${now.seq}, and line ${seen.seq} was seen before`;
  if (there.seq === seen.seq && there.hash === seen.hash) return '';
  return `line ${seen.seq} of its audit chain is another one than before`;
}

/** Looks, and keeps the present end if the chain still has the one that was kept. */
export async function look() {
  try {
    const { instance, audit } = await hub_get();
    if (!audit) return;
    const seen = kept(instance);
    const wrong = seen ? contradiction(seen, await lineOf(seen.seq, audit), audit) : '';
    if (wrong) changed.value = wrong;
    else keep(instance, audit);
  } catch {
    // The hub is away again, or this browser may not look: what was kept stays for the next time.
  }
}

/**
 * Where the chain ended with a line.
 * @param {number} seq
 * @param {AuditHead} now Its present end.
 * @returns {Promise<AuditHead | null>} Nothing: it has no such line.
 */
async function lineOf(seq, now) {
  if (seq >= now.seq) return seq === now.seq ? now : null;
  try {
    return await audit_head(seq);
  } catch (error) {
    if (troubleOf(error).code === 'not_found') return null;
    throw error;
  }
}
