import { UNREACHED } from '../api/client.js';
import { html, h } from './html.js';
import { Icon } from './icon.js';
import { words } from './words.js';

/**
 * What went wrong, beside what failed: what happened, and what to do.
 * @param {{trouble: import('../api/client.js').Trouble | undefined | null, again?: () => void}} props
 */
export function TroubleNote({ trouble, again }) {
  if (!trouble) return null;
  const { title, detail, errors = [], instance } = trouble.problem;
  return html`<div class="trouble" role="alert" title=${instance}>
    ${h(Icon, { name: 'warn', size: 18 })}
    <div class="grow stack tight">
      <div><b>${title}.</b> ${words(detail)}</div>
      ${errors.length > 0 && html`<ul>${errors.map((error) => html`<li key=${error.pointer}>${named(error.pointer)}${words(error.detail)}</li>`)}</ul>`}
      ${again && html`<div><button class="button" onClick=${again}>Try again</button></div>`}
    </div>
  </div>`;
}

/** @param {string} pointer */
function named(pointer) {
  const name = pointer.replace(/^\//, '').replaceAll('/', ' › ');
  return name ? html`<b>${name}: </b>` : null;
}

/**
 * The same in place of something that could not be shown; an unreached hub is told of by the line at
 * the top, and needs no second word where something is shown already.
 * @param {{of: {trouble?: import('../api/client.js').Trouble, data?: unknown, refresh: () => void}}} props
 */
export function Unread({ of }) {
  if (!of.trouble) return null;
  if (of.data !== undefined && of.trouble.code === UNREACHED) return null;
  return h(TroubleNote, { trouble: of.trouble, again: of.refresh });
}
