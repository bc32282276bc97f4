import { useSignal } from '../vendor/signals.js';
import { signal } from '../vendor/signals.js';
import { html } from './html.js';

/** The time, to a few seconds: what is relative to it is shown anew with it. */
export const now = signal(Date.now());

setInterval(() => {
  if (document.visibilityState === 'visible') now.value = Date.now();
}, 5000);

/**
 * A way to write times, made when it is first needed: a slow phone takes long to make one.
 * @param {Intl.DateTimeFormatOptions} options
 */
function written(options) {
  /** @type {Intl.DateTimeFormat | undefined} */
  let format;
  return { format: (/** @type {Date} */ at) => (format ??= new Intl.DateTimeFormat(undefined, options)).format(at) };
}

const exact = written({ dateStyle: 'medium', timeStyle: 'medium' });
const day = written({ day: 'numeric', month: 'short', year: 'numeric' });

/**
 * How long that is, in the two largest units.
 * @param {number} ms
 */
export function span(ms) {
  if (ms > 0 && ms < 950) return `${Math.max(1, Math.round(ms))} ms`;
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes < 10 && seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 && days < 7 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/**
 * As a clock has it: `0:07`, `5:00`.
 * @param {number} ms
 */
export function clockTime(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/**
 * When that was or will be, in few words.
 * @param {string} at
 * @param {number} from
 */
export function relative(at, from) {
  const gap = from - Date.parse(at);
  if (Math.abs(gap) < 10_000) return 'now';
  if (gap < 0) return `in ${short(-gap)}`;
  if (gap > 7 * 86_400_000) return day.format(new Date(at));
  return `${short(gap)} ago`;
}

/** @param {number} ms */
function short(ms) {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.round(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h`;
  return `${Math.round(minutes / 1440)} d`;
}

/** @param {string} at */
export const exactly = (at) => exact.format(new Date(at));

/**
 * Tells the exact time of what somebody points at. Not before: the first one costs a slow phone a
 * sixth of a second.
 * @param {string} at
 */
const told = (at) => (/** @type {any} */ event) => {
  event.currentTarget.title = exactly(at);
};

/**
 * A time: relative, and the exact one for whoever points at it or presses it.
 * @param {{at: string, class?: string}} props
 */
export function When({ at, class: className }) {
  const opened = useSignal(false);
  const text = opened.value ? exactly(at) : relative(at, now.value);
  return html`<time datetime=${at} class=${className} onPointerEnter=${told(at)}
    onContextMenu=${(/** @type {Event} */ event) => {
      event.preventDefault();
      opened.value = !opened.value;
    }}>${text}</time>`;
}

/**
 * How long something has taken, or took.
 * @param {{from: string, until?: string | null}} props
 */
export function Since({ from, until }) {
  const end = until ? Date.parse(until) : now.value;
  return html`<time datetime=${from} onPointerEnter=${told(from)}>${span(end - Date.parse(from))}</time>`;
}
