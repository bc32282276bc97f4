import { useEffect, useRef } from '../vendor/hooks.js';
import { Button } from './act.js';
import { h, html } from './html.js';

/**
 * A question or a form over the page: from below on phones, in the middle on wide screens. It is
 * shown while it is rendered.
 * @param {{title: string, close: () => void, children: import('preact').ComponentChildren}} props
 */
export function Sheet({ title, close, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  // What is pressed in the sheet and let go beside it, as a text that is chosen, closes nothing.
  const beside = useRef(false);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return html`<dialog ref=${dialog} aria-label=${title}
    onCancel=${(/** @type {Event} */ event) => {
      event.preventDefault();
      close();
    }}
    onPointerDown=${(/** @type {PointerEvent} */ event) => {
      beside.current = event.target === dialog.current;
    }}
    onClick=${(/** @type {MouseEvent} */ event) => {
      if (event.target === dialog.current && beside.current) close();
    }}>
    <div class="sheet">
      <header><h2 tabindex="-1" autofocus>${title}</h2>${h(Button, { icon: 'cross', label: 'Close', tone: 'plain', onClick: close })}</header>
      ${children}
    </div>
  </dialog>`;
}
