/**
 * The hub's stream of events. It goes on from its cursor after whatever happened, rests while
 * nobody looks, and tells how it stands.
 *
 * @typedef {import('./types.d.ts').StreamMessage} StreamMessage
 */

import { signal } from '../vendor/signals.js';
import { Trouble, base } from './client.js';
import { ws_ticket_create } from './credential.js';
import * as session from './session.js';

/** How long a page may be out of sight before its stream is closed, in milliseconds. */
const REST_AFTER = 20_000;

/** After so long out of sight a line may be dead although nobody said so, in milliseconds. */
const DOZED = 5_000;

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 15_000;

/** After a longer rest the page begins with a new snapshot instead of hearing all it missed. */
const LONG_REST = 5 * 60_000;

/** How long a connection may take before it counts as failed. */
const PATIENCE = 12_000;

/** How the stream stands. */
export const link = signal(/** @type {'connecting' | 'live' | 'offline' | 'resting'} */ ('connecting'));

/** When the next try is made, while there is no connection. */
export const nextTry = signal(0);

/**
 * @typedef {object} Listener
 * @property {() => string} cursor Where to go on.
 * @property {(message: StreamMessage) => void} message
 * @property {() => Promise<void>} gone The cursor is of no use any more: begin anew.
 */

export class Stream {
  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.tries = 0;
    this.timer = 0;
    this.rest = 0;
    this.restsSince = 0;
    this.hidden = 0;
    this.running = false;
    /** Numbers the attempts: what an old one still says is not heard. */
    this.attempt = 0;
  }

  start() {
    if (this.running) return;
    this.running = true;
    document.addEventListener('visibilitychange', () => this.seen());
    window.addEventListener('online', () => this.again());
    window.addEventListener('offline', () => this.drop('offline'));
    window.addEventListener('pageshow', (event) => {
      if (event.persisted) this.again();
    });
    this.connect();
  }

  stop() {
    this.running = false;
    this.drop('resting');
  }

  /** Somebody looks again, or looks away. */
  seen() {
    clearTimeout(this.rest);
    if (document.visibilityState === 'hidden') {
      this.hidden = Date.now();
      this.rest = window.setTimeout(() => this.drop('resting'), REST_AFTER);
    } else if (link.value !== 'live' || Date.now() - this.hidden > DOZED) {
      this.again();
    }
  }

  /** Tries at once. */
  again() {
    if (!this.running) return;
    const rested = this.restsSince && Date.now() - this.restsSince > LONG_REST;
    this.tries = 0;
    this.drop('connecting');
    if (rested) this.begin();
    else this.connect();
  }

  /** @param {'connecting' | 'offline' | 'resting'} state */
  drop(state) {
    this.attempt += 1;
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    this.restsSince = state === 'resting' ? Date.now() : 0;
    socket?.close(1000);
    link.value = state;
  }

  async connect() {
    const attempt = (this.attempt += 1);
    const stale = () => attempt !== this.attempt || !this.running;
    try {
      const ticket = await ws_ticket_create();
      if (stale()) return;
      this.follow(ticket.protocol, attempt);
    } catch (error) {
      if (stale()) return;
      const out = error instanceof Trouble && error.code === 'unauthenticated';
      if (out) this.stop();
      else this.later();
    }
  }

  /**
   * @param {string} ticket
   * @param {number} attempt
   */
  follow(ticket, attempt) {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const after = encodeURIComponent(this.listener.cursor());
    const url = `${scheme}//${location.host}${base}/api/v1/events?after=${after}`;
    const socket = new WebSocket(url, ['car.v1', ticket]);
    this.socket = socket;
    const slow = window.setTimeout(() => socket.close(), PATIENCE);
    let gone = false;
    socket.onmessage = (event) => {
      if (attempt !== this.attempt) return;
      /** @type {StreamMessage} */
      const message = JSON.parse(event.data);
      if (message.type === 'caught_up') {
        clearTimeout(slow);
        this.tries = 0;
        link.value = 'live';
      }
      gone ||= message.type === 'gone';
      this.listener.message(message);
    };
    socket.onclose = (event) => {
      clearTimeout(slow);
      if (attempt !== this.attempt || !this.running) return;
      this.socket = null;
      if (gone || event.code === 4410) this.begin();
      else if (event.code === 4401) this.ended();
      else this.later();
    };
  }

  /** The log cannot be followed from where this page was. */
  async begin() {
    try {
      await this.listener.gone();
      this.connect();
    } catch {
      this.later();
    }
  }

  /** The credential may have been ended; the next request finds out. */
  async ended() {
    link.value = 'connecting';
    if (session.current()) await this.connect();
  }

  later() {
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.tries);
    const pause = longest / 2 + Math.random() * (longest / 2);
    this.tries += 1;
    // One cut is mended before anybody has to read of it.
    link.value = this.tries > 1 || !navigator.onLine ? 'offline' : 'connecting';
    nextTry.value = Date.now() + pause;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.connect(), pause);
  }
}
