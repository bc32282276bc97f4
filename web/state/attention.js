/**
 * What waits for a person: the open items of the inbox. They come with the snapshot, and every
 * change of one comes as an event.
 */

import { useEffect } from '../vendor/hooks.js';
import { hub_snapshot } from '../api/hub.js';
import { inbox_seen } from '../api/inbox.js';
import { state, useResource } from './store.js';

/** @typedef {import('../api/types.d.ts').InboxItem} InboxItem */

/** @type {Set<string>} */
const KINDS = new Set(['run_state_changed', 'repo_added', 'repo_removed', 'ticket_changed']);

/** How much there is in the hub. */
export function useCounts() {
  const snapshot = useResource('hub_snapshot', hub_snapshot, (event) => KINDS.has(event.event.kind));
  return { counts: snapshot.data?.counts, of: snapshot };
}

/** What waits for a person, the most pressing first. @returns {InboxItem[]} */
export function waiting() {
  return Object.values(state.value.inbox).sort((a, b) => a.rank - b.rank || a.created_at.localeCompare(b.created_at));
}

/** How long something has to be shown to count as seen, in milliseconds. */
const SEEN = 1500;

/**
 * Tells the hub what a person has seen.
 * @param {InboxItem[]} items
 */
export function useSeen(items) {
  const unseen = items.filter((item) => !item.seen_at).map((item) => item.id);
  useEffect(() => {
    if (unseen.length === 0) return undefined;
    const timer = setTimeout(() => {
      if (document.visibilityState === 'visible') inbox_seen(unseen.slice(0, 500)).catch(() => undefined);
    }, SEEN);
    return () => clearTimeout(timer);
  }, [unseen.join(' ')]);
}
