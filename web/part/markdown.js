/**
 * Markdown as elements. The text is taken apart by `marked`; what it means is built here from text
 * nodes and a fixed set of elements, so no HTML of an agent is ever read by the browser: markup in
 * the text is shown as it is written. Images are links: one that is fetched by being looked at would
 * tell its server what was read.
 *
 * @typedef {import('../vendor/marked.js').Token} Token
 */

import { useEffect, useState } from '../vendor/hooks.js';
import { h, html } from './html.js';

/** @type {typeof import('../vendor/marked.js').Lexer | null} */
let Lexer = null;

/** @type {Promise<void> | null} */
let loading = null;

function load() {
  loading ??= import('../vendor/marked.js').then((module) => {
    Lexer = module.Lexer;
  });
  return loading;
}

/**
 * A text in Markdown; shown as plain text for the moment until it can be read.
 * @param {{text: string, class?: string, level?: number, breaks?: boolean}} props `level` is that of its
 *   highest heading; with `breaks` a line stays a line, as people write messages.
 */
export function Markdown({ text, class: more = '', level = 3, breaks = false }) {
  const [, setLoaded] = useState(Lexer !== null);
  useEffect(() => {
    let shown = true;
    if (!Lexer) load().then(() => shown && setLoaded(true));
    return () => {
      shown = false;
    };
  }, []);
  if (!Lexer) return html`<div class=${`prose ${more}`}><p>${text}</p></div>`;
  const tokens = new Lexer({ gfm: true, breaks }).lex(text);
  const highest = Math.min(...tokens.map((token) => (token.type === 'heading' ? token.depth : 6)));
  lift = level - highest;
  return html`<div class=${`prose ${more}`}>${blocks(tokens)}</div>`;
}

/** How far headings of the text that is rendered right now are moved to fit into the page's. */
let lift = 0;

/** @param {Token[]} tokens @returns {any[]} */
function blocks(tokens) {
  return tokens.map(block);
}

/** @param {any} token */
function block(token) {
  switch (token.type) {
    case 'space':
    case 'def':
      return null;
    case 'heading':
      return h(/** @type {any} */ (`h${Math.min(6, Math.max(2, token.depth + lift))}`), null, inline(token.tokens));
    case 'paragraph':
      return html`<p>${inline(token.tokens)}</p>`;
    case 'text':
      return token.tokens ? inline(token.tokens) : decode(token.text);
    case 'code':
      return html`<pre tabindex="0"><code>${token.text}</code></pre>`;
    case 'blockquote':
      return html`<blockquote>${blocks(token.tokens)}</blockquote>`;
    case 'hr':
      return html`<hr />`;
    case 'list':
      return list(token);
    case 'table':
      return table(token);
    case 'html':
      return html`<pre>${token.raw.trim()}</pre>`;
    default:
      return html`<p>${token.raw ?? ''}</p>`;
  }
}

/** @param {any} token */
function list(token) {
  const items = token.items.map((/** @type {any} */ item) =>
    item.task
      ? html`<li class="task"><span role="img" aria-label=${item.checked ? 'done' : 'not done'}>${item.checked ? '☑' : '☐'}</span><div>${blocks(item.tokens.filter((/** @type {any} */ part) => part.type !== 'checkbox'))}</div></li>`
      : html`<li>${blocks(item.tokens)}</li>`,
  );
  return token.ordered ? html`<ol start=${token.start || undefined}>${items}</ol>` : html`<ul>${items}</ul>`;
}

/** @param {any} token */
function table(token) {
  return html`<div class="scrolls" tabindex="0"><table>
    <thead><tr>${token.header.map((/** @type {any} */ cell) => html`<th class=${cell.align === 'right' ? 'number' : undefined}>${inline(cell.tokens)}</th>`)}</tr></thead>
    <tbody>${token.rows.map((/** @type {any} */ row) => html`<tr>${row.map((/** @type {any} */ cell) => html`<td class=${cell.align === 'right' ? 'number' : undefined}>${inline(cell.tokens)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

/** @param {any[] | undefined} tokens @returns {any[]} */
function inline(tokens) {
  return (tokens ?? []).map(span);
}

/** @param {any} token @returns {any} */
function span(token) {
  switch (token.type) {
    case 'text':
    case 'escape':
      return token.tokens ? inline(token.tokens) : decode(token.text);
    case 'strong':
      return html`<strong>${inline(token.tokens)}</strong>`;
    case 'em':
      return html`<em>${inline(token.tokens)}</em>`;
    case 'del':
      return html`<del>${inline(token.tokens)}</del>`;
    case 'codespan':
      return html`<code>${token.text}</code>`;
    case 'br':
      return html`<br />`;
    case 'link':
      return link(token.href, inline(token.tokens));
    case 'image':
      return link(token.href, token.text || 'image');
    case 'checkbox':
      return null;
    default:
      return token.raw ?? '';
  }
}

/**
 * A link to elsewhere, if it is one a person would follow; else its words.
 * @param {string} href
 * @param {any} words
 */
function link(href, words) {
  if (!/^(https?:|mailto:)/i.test(href)) return words;
  return html`<a href=${href} target="_blank" rel="noopener noreferrer nofollow">${words}</a>`;
}

/** @type {Record<string, string>} */
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: '\u00a0' };

/** @param {string} text */
function decode(text) {
  return text.replace(/&(#?\w+);/g, (whole, name) => ENTITIES[name] ?? whole);
}
