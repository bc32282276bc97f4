import { useRef, useState } from '../vendor/hooks.js';
import { troubleOf } from '../api/client.js';
import { Fragment, h, html } from './html.js';
import { Icon } from './icon.js';
import { TroubleNote } from './trouble.js';

/** After how long a button says that it is at work, in milliseconds. */
const SLOW = 150;

/**
 * Something that is done at a touch: it cannot be done twice at once, and what goes wrong is kept.
 * @template {unknown[]} A
 * @param {(...args: A) => Promise<unknown>} work
 */
export function useAct(work) {
  const [busy, setBusy] = useState(/** @type {false | 'soon' | true} */ (false));
  const [trouble, setTrouble] = useState(/** @type {import('../api/client.js').Trouble | null} */ (null));
  const held = useRef(false);
  /** @param {A} args */
  const act = async (...args) => {
    if (held.current) return false;
    held.current = true;
    setBusy('soon');
    setTrouble(null);
    const timer = setTimeout(() => setBusy(true), SLOW);
    try {
      await work(...args);
      return true;
    } catch (error) {
      setTrouble(troubleOf(error));
      return false;
    } finally {
      clearTimeout(timer);
      held.current = false;
      setBusy(false);
    }
  };
  return { act, busy: busy !== false, slow: busy === true, trouble, clear: () => setTrouble(null) };
}

/**
 * @typedef {object} ButtonProps
 * @property {import('preact').ComponentChildren} [children]
 * @property {import('./icon.js').IconName} [icon]
 * @property {string} [label] What it does, when only the icon is seen.
 * @property {'main' | 'grave' | 'plain'} [tone]
 * @property {boolean} [busy]
 * @property {boolean} [disabled]
 * @property {boolean} [full]
 * @property {'button' | 'submit'} [type]
 * @property {(event: MouseEvent) => void} [onClick]
 * @property {string} [class]
 * @property {boolean} [pressed]
 */

/** @param {ButtonProps} props */
export function Button({ children, icon, label, tone, busy, disabled, full, type = 'button', onClick, class: more, pressed }) {
  const kinds = ['button', tone, busy && 'busy', full && 'full', icon && !children && 'icon', more];
  return html`<button type=${type} class=${kinds.filter(Boolean).join(' ')} onClick=${onClick}
    disabled=${disabled} aria-busy=${busy ? 'true' : undefined} aria-label=${label} title=${label}
    aria-pressed=${pressed === undefined ? undefined : String(pressed)}>
    ${icon && h(Icon, { name: icon, size: 18 })}${children}
  </button>`;
}

/**
 * A button that does something, and says beneath itself what went wrong.
 * @param {Omit<ButtonProps, 'onClick' | 'busy'> & {work: () => Promise<unknown>}} props
 */
export function Act({ work, disabled, ...props }) {
  const { act, busy, slow, trouble } = useAct(work);
  return h(Fragment, null,
    h(Button, { ...props, disabled: disabled || busy, busy: slow, onClick: () => void act() }),
    h(TroubleNote, { trouble }),
  );
}
