/**
 * The line to one terminal. It goes on where it was after whatever cut it, by the number of bytes
 * that came, and comes back by itself when the page is looked at again.
 *
 * @typedef {import('./types.d.ts').TerminalMessage} TerminalMessage
 */

import { Trouble, base, part } from './client.js';
import { ws_ticket_create } from './credential.js';

const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 10_000;

/** How long a connection may take before it counts as failed. */
const PATIENCE = 12_000;

/** After so long out of sight a line may be dead although nobody said so, in milliseconds. */
const DOZED = 5_000;

/** As large as one message to the hub may be, in bytes. */
const LONGEST = 32 * 1024;

/**
 * @typedef {object} Listener
 * @property {(bytes: Uint8Array) => void} output
 * @property {(message: TerminalMessage, begins: boolean) => void} message `begins` says, of
 *   `attached`, that what follows does not go on where the last byte was.
 * @property {(state: 'connecting' | 'offline' | 'ended') => void} stands Whoever shows what came says
 *   itself when it is live: once that is shown.
 * @property {(trouble: Trouble) => void} trouble It is over: nobody may look, or there is nothing.
 */

export class TerminalLine {
  /**
   * @param {string} id
   * @param {Listener} listener
   */
  constructor(id, listener) {
    this.id = id;
    this.listener = listener;
    /** The place of the next byte; none before the first. @type {number | null} */
    this.at = null;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.attempt = 0;
    this.tries = 0;
    this.timer = 0;
    this.hidden = 0;
    this.over = false;
    this.seen = () => {
      if (document.visibilityState === 'hidden') this.hidden = Date.now();
      else if (!this.socket || Date.now() - this.hidden > DOZED) this.again();
    };
    this.again = () => {
      if (this.over) return;
      this.tries = 0;
      void this.connect();
    };
  }

  start() {
    document.addEventListener('visibilitychange', this.seen);
    window.addEventListener('online', this.again);
    void this.connect();
  }

  stop() {
    this.over = true;
    this.attempt += 1;
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.seen);
    window.removeEventListener('online', this.again);
    this.socket?.close(1000);
    this.socket = null;
  }

  /** Whether what is typed would be sent. */
  isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** What is typed; whether it was sent. @param {Uint8Array} bytes */
  type(bytes) {
    if (!this.socket || !this.isOpen()) return false;
    for (let from = 0; from < bytes.length; from += LONGEST) this.socket.send(bytes.slice(from, from + LONGEST));
    return true;
  }

  /** @param {number} cols @param {number} rows */
  resize(cols, rows) {
    if (this.isOpen()) this.socket?.send(JSON.stringify({ type: 'resize', cols, rows }));
  }

  async connect() {
    clearTimeout(this.timer);
    const attempt = (this.attempt += 1);
    this.socket?.close(1000);
    this.socket = null;
    this.listener.stands(this.tries > 1 ? 'offline' : 'connecting');
    try {
      const ticket = await ws_ticket_create({ terminal: this.id });
      if (attempt === this.attempt) this.open(ticket.protocol, attempt);
    } catch (error) {
      if (attempt !== this.attempt) return;
      const over = error instanceof Trouble && error.problem.status !== undefined && error.problem.status < 500 && error.problem.status !== 429;
      if (over) this.ends(error);
      else this.later();
    }
  }

  /** @param {string} ticket @param {number} attempt */
  open(ticket, attempt) {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const from = this.at === null ? '' : `?from=${this.at}`;
    const socket = new WebSocket(`${scheme}//${location.host}${base}/api/v1/terminals/${part(this.id)}/attach${from}`, ['car.v1', ticket]);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    const slow = window.setTimeout(() => socket.close(), PATIENCE);
    let ended = false;
    socket.onmessage = (event) => {
      if (attempt !== this.attempt) return;
      if (typeof event.data !== 'string') {
        this.at = (this.at ?? 0) + event.data.byteLength;
        this.listener.output(new Uint8Array(event.data));
        return;
      }
      /** @type {TerminalMessage} */
      const message = JSON.parse(event.data);
      let begins = false;
      if (message.type === 'attached') {
        clearTimeout(slow);
        this.tries = 0;
        begins = this.at !== message.from;
        this.at = message.from;
      }
      ended ||= message.type === 'ended';
      this.listener.message(message, begins);
    };
    socket.onclose = () => {
      clearTimeout(slow);
      if (attempt !== this.attempt || this.over) return;
      this.socket = null;
      if (!ended) return this.later();
      this.over = true;
      this.listener.stands('ended');
    };
  }

  /** @param {Trouble} trouble */
  ends(trouble) {
    this.stop();
    this.listener.trouble(trouble);
  }

  later() {
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.tries);
    this.tries += 1;
    this.listener.stands(this.tries > 1 || !navigator.onLine ? 'offline' : 'connecting');
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.connect(), longest / 2 + Math.random() * (longest / 2));
  }
}
