import { html } from './html.js';

/** Longer ones are read where the whole diff is. */
const LINES = 400;

/**
 * A unified diff, or a whole new file.
 * @param {{text: string, whole?: boolean}} props
 */
export function Diff({ text, whole = false }) {
  const lines = text.replace(/\n$/, '').split('\n');
  const shown = lines.slice(0, LINES);
  const isDiff = !whole || /^@@ /m.test(text);
  return html`<pre class="output diff" tabindex="0">${shown.map((line, index) => html`<span key=${index} class=${isDiff ? kindOf(line) : 'added'}>${line || ' '}${'\n'}</span>`)}${lines.length > LINES ? `… ${lines.length - LINES} more lines` : ''}</pre>`;
}

/**
 * The lines of a difference, as the hub gives them.
 * @param {{lines: import('../api/types.d.ts').DiffLine[]}} props
 */
export function DiffLines({ lines }) {
  const marks = { added: '+', removed: '-', context: ' ', hunk: '', note: '\\ ' };
  const shown = lines.slice(0, LINES);
  return html`<pre class="output diff" tabindex="0">${shown.map((line, index) => html`<span key=${index} class=${line.kind === 'hunk' || line.kind === 'note' ? 'muted' : line.kind}>${marks[line.kind]}${line.text}${'\n'}</span>`)}${lines.length > LINES ? `… ${lines.length - LINES} more lines` : ''}</pre>`;
}

/** @param {string} line */
function kindOf(line) {
  if (line.startsWith('+') && !line.startsWith('+++')) return 'added';
  if (line.startsWith('-') && !line.startsWith('---')) return 'removed';
  return line.startsWith('@@') ? 'muted' : undefined;
}
