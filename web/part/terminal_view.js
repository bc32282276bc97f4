/** A terminal on the screen: what its shell writes, and what is typed, on a keyboard or by touch. */

import { useEffect, useRef, useState } from '../vendor/hooks.js';
import { Terminal } from '../vendor/xterm.js';
import { FitAddon } from '../vendor/xterm_fit.js';
import { TerminalLine } from '../api/terminal_line.js';
import { Button } from './act.js';
import { Field } from './field.js';
import { h, html } from './html.js';
import { Sheet } from './sheet.js';
import './terminal_sheet.js';

/** @typedef {import('../api/client.js').Trouble} Trouble */
/** @typedef {import('../api/types.d.ts').Terminal} Entry */
/** @typedef {'connecting' | 'live' | 'offline' | 'ended'} Standing */

/** The keys a phone has not: what is shown, what it is called, and what it sends. */
const KEYS = /** @type {[string, string, string][]} */ ([
  ['Esc', 'Esc', '\x1b'],
  ['Tab', 'Tab', '\t'],
  ['|', 'Pipe', '|'],
  ['/', 'Slash', '/'],
  ['~', 'Tilde', '~'],
  ['-', 'Dash', '-'],
]);

const ARROWS = /** @type {[string, string, string][]} */ ([
  ['←', 'Left', 'D'],
  ['↓', 'Down', 'B'],
  ['↑', 'Up', 'A'],
  ['→', 'Right', 'C'],
]);

const text = new TextEncoder();

/**
 * @param {object} props
 * @param {string} props.id
 * @param {(terminal: Entry) => void} props.changed
 * @param {(trouble: Trouble) => void} props.failed
 */
export function TerminalView({ id, changed, failed }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const leave = useRef(/** @type {HTMLParagraphElement | null} */ (null));
  const view = useRef(/** @type {View | null} */ (null));
  const [stands, setStands] = useState(/** @type {Standing} */ ('connecting'));
  const [control, setControl] = useState(false);
  const [pasting, setPasting] = useState(false);

  useEffect(() => {
    const made = new View(id, /** @type {HTMLDivElement} */ (place.current), { stands: setStands, control: setControl, changed, failed, leave: () => leave.current?.focus() });
    view.current = made;
    return () => made.close();
  }, [id]);

  // Where the sheet was, the terminal is typed into again.
  const asked = useRef(false);
  useEffect(() => {
    if (asked.current && !pasting) view.current?.terminal.focus();
    asked.current = pasting;
  }, [pasting]);

  const paste = async () => {
    try {
      view.current?.paste(await navigator.clipboard.readText());
    } catch {
      // What browsers do not give is pasted by hand.
      setPasting(true);
    }
  };
  /** A touch must not close the keyboard on the screen. @param {Event} event */
  const stay = (event) => event.preventDefault();
  const off = stands !== 'live';
  /** @param {[string, string, string]} key @param {() => void} press */
  const key = ([shown, name], press) => html`<button key=${name} type="button" aria-label=${name} disabled=${off} onPointerDown=${stay} onClick=${press}>${shown}</button>`;

  return html`<div class="terminal">
    <p ref=${leave} class="terminal-state small" role="status" tabindex="-1">${WORDS[stands]}</p>
    <div ref=${place} class="terminal-place"></div>
    <div class="terminal-keys" role="group" aria-label="Keys">
      ${key(KEYS[0], () => view.current?.press(KEYS[0][2]))}
      ${key(KEYS[1], () => view.current?.press(KEYS[1][2]))}
      <button type="button" aria-pressed=${String(control)} disabled=${off} onPointerDown=${stay} onClick=${() => view.current?.hold(!control)}>Ctrl</button>
      ${KEYS.slice(2, 5).map((one) => key(one, () => view.current?.press(one[2])))}
      ${ARROWS.map((arrow) => key(arrow, () => view.current?.arrow(arrow[2])))}
      ${key(KEYS[5], () => view.current?.press(KEYS[5][2]))}
      <button type="button" disabled=${off} onPointerDown=${stay} onClick=${paste}>Paste</button>
    </div>
    ${pasting && h(Paste, { close: () => setPasting(false), paste: (/** @type {string} */ words) => view.current?.paste(words) })}
  </div>`;
}

/** @type {Record<Standing, string>} */
const WORDS = {
  connecting: 'Connecting…',
  live: 'Shift+Escape leaves the terminal by keyboard.',
  offline: 'No connection. It goes on where it was as soon as there is one.',
  ended: 'This terminal has ended. What its shell wrote is kept for thirty days.',
};

/** @param {{close: () => void, paste: (text: string) => void}} props */
function Paste({ close, paste }) {
  const [words, setWords] = useState('');
  return h(Sheet, {
    title: 'Paste',
    close,
    children: html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      close();
      paste(words);
    }}>
      ${h(Field, { label: 'Text for the terminal', value: words, set: setWords, rows: 4, plain: true, mono: true })}
      <div class="row end">${h(Button, { type: 'submit', tone: 'main', disabled: !words, children: 'Send' })}</div>
    </form>`,
  });
}

/**
 * @typedef {object} Heard
 * @property {(standing: Standing) => void} stands
 * @property {(held: boolean) => void} control
 * @property {(terminal: Entry) => void} changed
 * @property {(trouble: Trouble) => void} failed
 * @property {() => void} leave
 */

/** The terminal itself, and its line to the hub. */
class View {
  /**
   * @param {string} id
   * @param {HTMLDivElement} place
   * @param {Heard} heard
   */
  constructor(id, place, heard) {
    this.heard = heard;
    this.control = false;
    /** While what was written before is shown, nothing answers: a question in it was answered then. */
    this.replaying = true;
    this.terminal = new Terminal({
      fontFamily: style('--mono'),
      fontSize: matchMedia('(max-width: 639px)').matches ? 13 : 14,
      minimumContrastRatio: 4.5,
      scrollback: 5000,
      theme: theme(),
    });
    this.fit = new FitAddon();
    this.terminal.loadAddon(this.fit);
    this.terminal.open(place);
    this.terminal.onData((data) => this.typed(data));
    this.terminal.onBinary((data) => this.send(Uint8Array.from(data, (c) => c.charCodeAt(0))));
    this.terminal.attachCustomKeyEventHandler((event) => {
      if (event.key !== 'Escape' || !event.shiftKey) return true;
      if (event.type === 'keydown') heard.leave();
      return false;
    });
    this.line = new TerminalLine(id, {
      output: (bytes) => this.terminal.write(bytes),
      message: (message, begins) => this.told(message, begins),
      stands: (standing) => heard.stands(standing),
      trouble: (trouble) => heard.failed(trouble),
    });
    this.sized = new ResizeObserver(() => this.measure());
    this.sized.observe(place);
    this.dark = matchMedia('(prefers-color-scheme: dark)');
    this.recolour = () => {
      this.terminal.options.theme = theme();
    };
    this.dark.addEventListener('change', this.recolour);
    // Whoever types last decides how large it is.
    this.terminal.textarea?.addEventListener('focus', () => this.measure());
    this.line.start();
  }

  close() {
    this.line.stop();
    this.sized.disconnect();
    this.dark.removeEventListener('change', this.recolour);
    this.terminal.dispose();
  }

  /** Fills its place, and has everybody's terminal be as large. */
  measure() {
    const size = this.fit.proposeDimensions();
    // Nothing is known of a place that is not on the screen.
    if (!size || !Number.isInteger(size.cols) || !Number.isInteger(size.rows)) return;
    const cols = Math.max(2, Math.min(1000, size.cols));
    const rows = Math.max(1, Math.min(1000, size.rows));
    if (cols !== this.terminal.cols || rows !== this.terminal.rows) this.terminal.resize(cols, rows);
    this.line.resize(cols, rows);
  }

  /** @param {import('../api/types.d.ts').TerminalMessage} message @param {boolean} begins */
  told(message, begins) {
    switch (message.type) {
      case 'attached':
        this.replaying = true;
        if (begins) this.terminal.reset();
        this.heard.changed(message.terminal);
        if (message.terminal.status === 'running') this.measure();
        break;
      case 'caught_up':
        this.terminal.write('', () => {
          this.replaying = false;
          // What is typed from now on goes there.
          if (this.line.isOpen()) this.heard.stands('live');
        });
        break;
      case 'resized':
        if (message.cols !== this.terminal.cols || message.rows !== this.terminal.rows) this.terminal.resize(message.cols, message.rows);
        break;
      case 'ended':
        this.heard.changed(message.terminal);
        break;
    }
  }

  /** What the keyboard gives. @param {string} data */
  typed(data) {
    if (this.replaying) return;
    this.send(text.encode(this.control ? controlled(data) : data));
    if (this.control) this.hold(false);
  }

  /** A key of the row. @param {string} data */
  press(data) {
    this.replaying = false;
    this.typed(data);
    this.terminal.focus();
  }

  /** @param {string} letter */
  arrow(letter) {
    if (this.control) this.press(`\x1b[1;5${letter}`);
    else this.press(`\x1b${this.terminal.modes.applicationCursorKeysMode ? 'O' : '['}${letter}`);
  }

  /** @param {string} words */
  paste(words) {
    this.terminal.paste(words);
    this.terminal.focus();
  }

  /** Ctrl for the next key. @param {boolean} held */
  hold(held) {
    this.control = held;
    this.heard.control(held);
    if (held) this.terminal.focus();
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    this.line.type(bytes);
  }
}

/** A letter with Ctrl; anything else as it is. @param {string} data */
export function controlled(data) {
  if (data.length !== 1) return data;
  const code = data.toUpperCase().charCodeAt(0);
  if (data === ' ') return '\0';
  return code >= 0x40 && code <= 0x5f ? String.fromCharCode(code & 0x1f) : data;
}

/** @param {string} name */
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function theme() {
  return {
    background: style('--surface'),
    foreground: style('--ink'),
    cursor: style('--accent'),
    cursorAccent: style('--surface'),
    selectionBackground: style('--accent'),
    selectionForeground: style('--on-accent'),
  };
}
