import { html } from './html.js';

/**
 * A sentence of the hub, with what stands between backticks as code.
 * @param {string | null | undefined} text
 */
export function words(text) {
  return (text ?? '').split('`').map((piece, index) => (index % 2 ? html`<code key=${index}>${piece}</code>` : piece));
}
