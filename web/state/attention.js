/**
 * What waits for a person. The hub ranks it; an event only says that it may have changed.
 *
 * @typedef {import('../api/types.d.ts').Event} Event
 */

import { hub_snapshot } from '../api/operations.js';
import { useResource } from './store.js';

/** @type {Set<string>} */
const KINDS = new Set([
  'run_created',
  'run_state_changed',
  'approval_requested',
  'approval_resolved',
  'dispatch_created',
  'reply_received',
  'repo_added',
  'repo_removed',
  'ticket_changed',
]);

/** @param {Event} event */
const matters = (event) => KINDS.has(event.event.kind);

/** The snapshot: what waits, and how much there is. */
export function useSnapshot() {
  return useResource('hub_snapshot', hub_snapshot, matters);
}

/** What waits for a person, the most pressing first. */
export function useAttention() {
  const snapshot = useSnapshot();
  return { items: snapshot.data?.attention ?? [], count: snapshot.data?.attention_total ?? 0, of: snapshot };
}
