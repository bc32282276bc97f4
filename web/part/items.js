/**
 * What an agent did and said in a turn: its words as text, its work folded.
 *
 * @typedef {import('../api/types.d.ts').Item} Item
 * @typedef {import('../state/live.js').Piece} Piece
 */

import { pieceKey } from '../state/live.js';
import { Diff } from './diff_text.js';
import { h, html } from './html.js';
import { Fold } from './layout.js';
import { Markdown } from './markdown.js';
import { counted } from './number.js';
import { Status } from './status.js';
import { span } from './time.js';

/**
 * Words, or a stretch of work between words.
 * @typedef {{words: Item} | {work: Item[]}} Stretch
 */

/**
 * @param {Item[]} items
 * @returns {Stretch[]}
 */
export function stretches(items) {
  /** @type {Stretch[]} */
  const all = [];
  for (const item of items) {
    const last = all.at(-1);
    if (item.body.type === 'message') all.push({ words: item });
    else if (last && 'work' in last) last.work.push(item);
    else all.push({ work: [item] });
  }
  return all;
}

/**
 * @param {{items: Item[], pieces: Record<string, Piece>, running: boolean}} props
 */
export function Items({ items, pieces, running }) {
  const known = new Set(items.map((item) => item.id));
  // What is being written and is no item yet.
  const fresh = Object.values(pieces).filter((piece) => !known.has(piece.item) && piece.text !== '');
  const all = stretches(items);
  return html`<div class="items stack">
    ${all.map((stretch, index) => 'words' in stretch
      ? h(Words, { key: stretch.words.id, item: stretch.words, piece: pieces[pieceKey(stretch.words.id, 'message')] })
      : h(Work, { key: stretch.work[0].id, work: stretch.work, pieces, last: running && index === all.length - 1 }))}
    ${fresh.map((piece) => h(Fresh, { key: pieceKey(piece.item, piece.stream), piece }))}
  </div>`;
}

/** @param {{piece: Piece}} props */
function Fresh({ piece }) {
  switch (piece.stream) {
    case 'message':
      return h(Markdown, { text: piece.text, class: 'caret' });
    case 'reasoning':
      return html`<div class="muted small">${h(Markdown, { text: piece.text })}</div>`;
    default:
      return html`<pre class="output" tabindex="0">${piece.text}</pre>`;
  }
}

/** @param {{item: Item, piece?: Piece}} props */
function Words({ item, piece }) {
  const text = item.body.type === 'message' ? item.body.text : '';
  return piece && piece.text.length > text.length
    ? h(Markdown, { text: piece.text, class: 'caret' })
    : h(Markdown, { text });
}

/**
 * Several pieces of work, in one line until somebody wants to see them.
 * @param {{work: Item[], pieces: Record<string, Piece>, last: boolean}} props
 */
function Work({ work, pieces, last }) {
  if (work.length === 1) return h(Step, { item: work[0], pieces, open: last && isRunning(work[0]) });
  const failed = work.filter((item) => statusOf(item) === 'failed').length;
  const at = last ? work.findLast(isRunning) : undefined;
  return html`${h(Fold, {
    class: 'work',
    summary: html`<span class="grow line">${summed(work)}</span>${failed > 0 && h(Status, { status: 'failed', word: `${failed} failed` })}`,
    children: html`<div class="stack tight inset">${work.map((item) => h(Step, { key: item.id, item, pieces }))}</div>`,
  })}${at && h(Step, { item: at, pieces, open: true })}`;
}

/** @param {Item} item */
function statusOf(item) {
  const body = item.body;
  return body.type === 'command' || body.type === 'file_change' || body.type === 'tool' ? body.status : 'completed';
}

/** @param {Item} item */
const isRunning = (item) => statusOf(item) === 'in_progress';

/** @param {Item[]} work */
function summed(work) {
  const count = (/** @type {string} */ type) => work.filter((item) => item.body.type === type).length;
  const files = new Set(work.flatMap((item) => (item.body.type === 'file_change' ? item.body.changes.map((change) => change.path) : [])));
  const parts = [
    count('command') && `ran ${counted(count('command'), 'command')}`,
    files.size && `edited ${counted(files.size, 'file')}`,
    count('tool') && `used ${counted(count('tool'), 'tool')}`,
    count('reasoning') && 'thought',
  ].filter(Boolean);
  const text = parts.join(', ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {{item: Item, pieces: Record<string, Piece>, open?: boolean}} props */
function Step({ item, pieces, open = false }) {
  const body = item.body;
  switch (body.type) {
    case 'message':
      return h(Markdown, { text: body.text });
    case 'reasoning': {
      const text = pieces[pieceKey(item.id, 'reasoning')]?.text ?? body.text;
      if (!text.trim()) return null;
      return h(Fold, { class: 'work', summary: html`<span class="grow line muted">Thought: ${firstLine(text)}</span>`, children: html`<div class="inset muted small">${h(Markdown, { text })}</div>` });
    }
    case 'command': {
      const live = pieces[pieceKey(item.id, 'output')]?.text;
      const output = live && live.length > body.output.length ? live : body.output;
      return h(Fold, {
        class: 'work',
        open,
        summary: html`${h(Status, { status: commandStatus(body), bare: true })}<code class="grow line">${unwrapped(body.command)}</code>
          ${body.exit_code ? html`<span class="tiny bad">exit ${body.exit_code}</span>` : null}
          ${body.duration_ms !== null && body.duration_ms !== undefined && body.duration_ms > 1000 ? html`<span class="tiny muted number">${span(body.duration_ms)}</span>` : null}`,
        children: html`<div class="inset stack tight">
          ${unwrapped(body.command).includes('\n') || unwrapped(body.command).length > 60 ? html`<pre class="output" tabindex="0">${unwrapped(body.command)}</pre>` : null}
          ${output.trim() ? html`<pre class="output" tabindex="0">${output}</pre>` : html`<p class="small muted">${body.status === 'in_progress' ? 'No output yet.' : 'It printed nothing.'}</p>`}
        </div>`,
      });
    }
    case 'file_change':
      return html`<div class="stack tight">${body.changes.map((change) => h(Fold, {
        key: change.path,
        class: 'work',
        summary: html`${h(Status, { status: body.status, bare: true })}<span class="grow line"><span class="muted">${KINDS[change.kind] ?? change.kind}</span> <code title=${change.path}>${nameOf(change.path)}</code> <span class="tiny muted">${placeOf(change.path)}</span></span>`,
        children: html`<div class="inset">${h(Diff, { text: change.diff, whole: change.kind === 'add' })}</div>`,
      }))}</div>`;
    case 'tool':
      return h(Fold, {
        class: 'work',
        summary: html`${h(Status, { status: body.status, bare: true })}<span class="grow line">${body.name}</span>`,
        children: html`<pre class="output inset" tabindex="0">${body.detail}</pre>`,
      });
  }
}

/** @type {Record<string, string>} */
const KINDS = { add: 'new', delete: 'deleted', update: 'edited' };

/** @param {{status: string, exit_code?: number | null}} body */
const commandStatus = (body) => (body.status === 'completed' && body.exit_code ? 'failed' : body.status);

/** @param {string} text */
const firstLine = (text) => text.trim().split('\n', 1)[0].replaceAll('*', '');

/** Agents run commands through a shell; the command is what matters. @param {string} command */
export function unwrapped(command) {
  const inner = /^(?:\/\S+\/)?(?:ba|z|da)?sh -l?c (['"])([\s\S]*)\1$/.exec(command);
  return inner ? inner[2].replaceAll(`\\${inner[1]}`, inner[1]) : command;
}

/** @param {string} path */
const nameOf = (path) => path.slice(path.lastIndexOf('/') + 1);

/** @param {string} path */
const placeOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf('/')));
