/**
 * What the page knows: the fold of the log, the text being written, and answers of the hub that are
 * asked for again when an event says that they may have changed.
 *
 * @typedef {import('../api/types.d.ts').Event} Event
 * @typedef {import('../api/types.d.ts').LiveFrame} LiveFrame
 * @typedef {import('../api/client.js').Trouble} Trouble
 */

import { useEffect } from '../vendor/hooks.js';
import { batch, signal } from '../vendor/signals.js';
import { forgetAnswers, troubleOf } from '../api/client.js';
import { hub_snapshot } from '../api/hub.js';
import { inbox_list } from '../api/inbox.js';
import { job_get, job_list } from '../api/jobs.js';
import { turn_get } from '../api/runs.js';
import { Stream } from '../api/socket.js';
import { EMPTY, apply, fromSnapshot, lastLine, withInbox, withLists, withMessages, withNews, withTurn, withoutTurns } from './apply.js';
import { piecesOf, withFrame, withoutItem } from './live.js';

export const state = signal(EMPTY);

/** Whether the first snapshot is here. */
export const ready = signal(false);

/** Counts the snapshots: what was read before the last one may be of another time. */
export const generation = signal(0);

/** @type {Set<(event: Event) => void>} */
const listeners = new Set();

/**
 * Hears every event.
 * @param {(event: Event) => void} listener
 * @returns {() => void} Ends it.
 */
export function onEvent(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const stream = new Stream({
  cursor: () => (state.value.epoch ? `${state.value.epoch}-${state.value.seq}` : String(state.value.seq)),
  message(message) {
    switch (message.type) {
      case 'event':
        queue.push({ event: message.event });
        return wake();
      case 'live':
        queue.push({ frame: message.frame });
        return wake();
      case 'caught_up':
        passed(message.seq);
        return compare();
      case 'gone':
        return undefined;
    }
  },
  gone: begin,
});

/** How long after the first frame it has time for what is not seen, in milliseconds. */
const AFTER = 50;

/** Reads the snapshot, and follows the log from there. */
export async function boot() {
  await begin();
  afterDrawing(() => ready.value && stream.start());
}

/**
 * Does what is not seen once what is seen is drawn; or soon, where nothing is drawn.
 * @param {() => void} work
 */
export function afterDrawing(work) {
  let done = false;
  const once = () => {
    if (!done) work();
    done = true;
  };
  requestAnimationFrame(() => setTimeout(once, AFTER));
  setTimeout(once, 10 * AFTER);
}

/** Tries at once to reach the hub again. */
export function reconnect() {
  stream.again();
}

/** Ends the stream: this browser is not let in any more. */
export function rest() {
  stream.stop();
  state.value = EMPTY;
  ready.value = false;
  forgetAnswers();
  resources.clear();
}

/** Whether the lists were read while the snapshot was: they may lack what came in between. */
let apart = false;

async function begin() {
  const [snapshot, jobs, inbox] = await Promise.all([hub_snapshot(), running(), inbox_list({ limit: 200 })]);
  apart = true;
  batch(() => {
    state.value = fromSnapshot(snapshot, jobs, inbox.items, state.value);
    generation.value += 1;
    prime('hub_snapshot', hub_snapshot, snapshot);
    ready.value = true;
  });
  for (const watched of readers.keys()) readTurn(watched).catch(() => undefined);
  for (const resource of resources.values()) resource.refresh();
}

/** Reads the lists once more where the log is followed already: from here on nothing is missed. */
function compare() {
  if (!apart) return;
  apart = false;
  const lists = () => Promise.all([running(), inbox_list({ limit: 200 })]);
  asked(lists, ([jobs, inbox]) => {
    state.value = withLists(state.value, jobs, inbox.items);
  }).catch(() => {
    apart = true;
  });
}

/** Jobs at work, and how those ended that were when this was asked last. */
async function running() {
  const known = Object.values(state.value.jobs).filter((job) => job.status === 'running');
  try {
    const { items } = await job_list({ status: 'running' });
    const missing = known.filter((job) => !items.some((one) => one.id === job.id));
    return [...items, ...(await Promise.all(missing.map((job) => job_get(job.id).catch(() => job))))];
  } catch {
    // A credential that is limited to some repos sees no jobs.
    return [];
  }
}

// What came is taken in once a frame: an agent that writes fast must not stop the page.
/** @typedef {{event: Event, frame?: undefined} | {frame: LiveFrame, event?: undefined}} News */
/** @type {News[]} */
let queue = [];
let woken = false;

/** What came since each question that has no answer yet. @type {Set<News[]>} */
const unanswered = new Set();

function wake() {
  if (woken) return;
  woken = true;
  if (document.visibilityState === 'hidden') setTimeout(take, 50);
  else requestAnimationFrame(take);
}

function take() {
  woken = false;
  const taken = queue;
  queue = [];
  for (const since of unanswered) since.push(...taken);
  batch(() => {
    let next = state.value;
    for (const { event, frame } of taken) {
      if (event) {
        if (event.seq <= next.seq) continue;
        next = apply(next, event);
        hear(event);
      } else {
        write(frame);
      }
    }
    state.value = next;
  });
}

/**
 * Asks the hub and keeps its answer. The answer may be older than what the stream told while it was
 * under way, so that is said again over it; where it is newer, the stream soon tells the same.
 * @template T
 * @param {() => Promise<T>} load
 * @param {(answer: T) => void} keep
 * @returns {Promise<T>}
 */
async function asked(load, keep) {
  /** @type {News[]} */
  const since = [];
  unanswered.add(since);
  try {
    const answer = await load();
    batch(() => {
      keep(answer);
      for (const { event, frame } of since) {
        if (frame) {
          writePiece(frame);
        } else {
          state.value = withNews(state.value, event);
          settle(event);
        }
      }
    });
    return answer;
  } finally {
    unanswered.delete(since);
  }
}

/** What is in the log now is not being written any more. @param {Event} event */
function settle({ event: kind }) {
  if (kind.kind !== 'item_updated' || !kind.completed) return;
  const written = pieces.get(kind.turn);
  if (written) written.value = withoutItem(written.value, kind.item.id);
}

/** @param {Event} event */
function hear(event) {
  settle(event);
  const kind = event.event;
  if (kind.kind === 'item_updated' && kind.completed && event.run) lineOf(event.run).value = undefined;
  for (const listener of listeners) listener(event);
}

/** @param {number} seq */
function passed(seq) {
  take();
  if (seq > state.value.seq) state.value = { ...state.value, seq };
}

// --- Text being written ---

/** @type {Map<string, import('../vendor/signals.js').Signal<Record<string, import('./live.js').Piece>>>} */
const pieces = new Map();

/** @type {Map<string, import('../vendor/signals.js').Signal<string | undefined>>} */
const lines = new Map();

/**
 * The line a run's agent is writing.
 * @param {string} run
 */
export function lineOf(run) {
  const known = lines.get(run) ?? signal(/** @type {string | undefined} */ (undefined));
  lines.set(run, known);
  return known;
}

/** The end of what is being written in each run, by its piece. @type {Map<string, {key: string, text: string}>} */
const tails = new Map();

/**
 * @param {string} run
 * @param {LiveFrame} frame
 */
function writeLine(run, frame) {
  const key = `${frame.turn} ${frame.stream} ${frame.item}`;
  const tail = tails.get(run);
  const text = ((tail?.key === key ? tail.text : '') + frame.text).slice(-600);
  tails.set(run, { key, text });
  lineOf(run).value = lastLine(text);
}

/** @param {LiveFrame} frame */
function write(frame) {
  if (frame.run) writeLine(frame.run, frame);
  writePiece(frame);
}

/** @param {LiveFrame} frame */
function writePiece(frame) {
  const written = pieces.get(frame.turn);
  if (!written) return;
  const next = withFrame(written.value, frame);
  if (next) written.value = next;
  else readTurn(frame.turn).catch(() => undefined);
}

/**
 * What is being written in a turn somebody looks at.
 * @param {string} turn
 */
export function piecesIn(turn) {
  const known = pieces.get(turn) ?? signal(/** @type {Record<string, import('./live.js').Piece>} */ ({}));
  pieces.set(turn, known);
  return known;
}

/**
 * A turn as it is read: of a run, or of a message of a thread.
 * @typedef {{items: import('../api/types.d.ts').Item[], plan?: import('../api/types.d.ts').PlanStep[],
 *   writing?: import('../api/types.d.ts').Writing[]}} Whole
 */

/** How each turn that is looked at is read. @type {Map<string, () => Promise<Whole>>} */
const readers = new Map();

/** @type {Map<string, Promise<void>>} */
const reading = new Map();

/**
 * Reads a turn as a whole; from then on events and frames keep it current.
 * @param {string} turn
 * @param {() => Promise<Whole>} [load] How; as before when absent.
 * @returns {Promise<void>}
 */
export function readTurn(turn, load) {
  if (load) readers.set(turn, load);
  const under = reading.get(turn);
  if (under) return under;
  /** @type {() => Promise<Whole>} */
  const reader = readers.get(turn) ?? (() => turn_get(turn));
  const read = asked(reader, (whole) => {
    state.value = withTurn(state.value, turn, whole.items, whole.plan);
    piecesIn(turn).value = piecesOf(whole.writing ?? []);
  })
    .then(() => undefined)
    .finally(() => reading.delete(turn));
  reading.set(turn, read);
  return read;
}

/**
 * Takes in an item of the inbox that was acted on; its event says the same a moment later.
 * @param {import('../api/types.d.ts').InboxItem} item
 */
export function keepInbox(item) {
  state.value = withInbox(state.value, item);
}

/**
 * Asks the hub something that is answered with messages of a thread, and takes them in; events keep
 * them current.
 * @template T
 * @param {string} thread
 * @param {() => Promise<T>} load
 * @param {(answer: T) => import('../api/types.d.ts').Message[]} of
 * @returns {Promise<T>}
 */
export function readMessages(thread, load, of) {
  return asked(load, (answer) => {
    state.value = withMessages(state.value, thread, of(answer));
  });
}

/**
 * Forgets turns nobody looks at any more.
 * @param {string[]} turns
 */
export function leaveTurns(turns) {
  for (const turn of turns) {
    pieces.delete(turn);
    readers.delete(turn);
  }
  state.value = withoutTurns(state.value, turns);
}

// --- Answers that are kept current ---

/**
 * An answer of the hub: shown at once when it is known, asked for again when it may have changed.
 * @template T
 */
export class Resource {
  /** @param {() => Promise<T>} load */
  constructor(load) {
    this.load = load;
    this.data = signal(/** @type {T | undefined} */ (undefined));
    this.trouble = signal(/** @type {Trouble | undefined} */ (undefined));
    this.asked = 0;
    this.timer = 0;
    /** How many show it. */
    this.shown = 0;
    this.stale = true;
    /** When it was given without being asked for, by the page's clock in milliseconds. */
    this.given = -Infinity;
  }

  /** Asks now. */
  async ask() {
    const asked = (this.asked += 1);
    this.stale = false;
    try {
      const data = await this.load();
      if (asked !== this.asked) return;
      batch(() => {
        this.data.value = data;
        this.trouble.value = undefined;
      });
    } catch (error) {
      if (asked === this.asked) this.trouble.value = troubleOf(error);
    }
  }

  /** Asks soon, once for all that happens meanwhile; later when nobody looks. */
  refresh() {
    this.stale = true;
    if (!this.shown || this.timer) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      if (this.shown && this.stale) this.ask();
    }, 120);
  }
}

/** @type {Map<string, Resource<any>>} */
const resources = new Map();

/**
 * Keeps an answer that is here already for whoever shows it.
 * @template T
 * @param {string} key
 * @param {() => Promise<T>} load
 * @param {T} data
 */
function prime(key, load, data) {
  /** @type {Resource<T>} */
  const resource = resources.get(key) ?? new Resource(load);
  resources.set(key, resource);
  resource.data.value = data;
  if (!resource.shown) resource.given = performance.now();
}

/** How long what was given is as good as asked for, in milliseconds. */
const FRESH = 1000;

/** How many answers are kept for when their screen is opened again. */
const KEPT = 60;

/**
 * An answer of the hub for a component.
 * @template T
 * @param {string} key What it is, in one word: the same key is the same answer.
 * @param {() => Promise<T>} load
 * @param {(event: Event) => boolean} [matters] Which events may change it.
 * @returns {{data: T | undefined, trouble: Trouble | undefined, refresh: () => void, set: (data: T) => void}}
 */
export function useResource(key, load, matters = never) {
  /** @type {Resource<T>} */
  const resource = resources.get(key) ?? new Resource(load);
  if (!resources.has(key)) resources.set(key, resource);
  resource.load = load;
  useEffect(() => {
    // It may have been dropped a moment ago, when the screen before left.
    resources.set(key, resource);
    resource.shown += 1;
    // What was given with the start of the page is not asked for by its first screen.
    if (performance.now() - resource.given > FRESH) resource.ask();
    const end = onEvent((event) => {
      if (matters(event)) resource.refresh();
    });
    return () => {
      resource.shown -= 1;
      end();
      trim();
    };
  }, [resource]);
  return {
    data: resource.data.value,
    trouble: resource.trouble.value,
    refresh: () => void resource.ask(),
    set: (data) => {
      resource.asked += 1;
      resource.data.value = data;
    },
  };
}

function never() {
  return false;
}

function trim() {
  for (const [key, resource] of resources) {
    if (resources.size <= KEPT) return;
    if (!resource.shown) resources.delete(key);
  }
}
