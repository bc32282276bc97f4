import { useEffect, useLayoutEffect, useRef, useState } from '../vendor/hooks.js';
import { html } from './html.js';

/** Rows above and below the screen that are made too, so that a quick thumb sees no gap. */
const SPARE = 12;

/**
 * Which rows of a list are to be made.
 * @param {number} top How far it is scrolled, in pixels.
 * @param {number} room How much of it is seen, in pixels.
 * @param {number} height Of one row, in pixels.
 * @param {number} count Of all rows.
 */
export function rowsIn(top, room, height, count) {
  const first = Math.max(0, Math.min(Math.floor(top / height) - SPARE, count - 1));
  const last = Math.min(count, Math.ceil((top + room) / height) + SPARE);
  return { first, last: Math.max(first, last) };
}

/**
 * A long list of which only what is seen is made: every row is equally high. It scrolls by itself and
 * is one stop of the keyboard; arrows go through it, Enter takes a row.
 * @param {object} props
 * @param {number} props.count
 * @param {number} props.height
 * @param {(index: number) => any} props.row
 * @param {string} props.label
 * @param {string} [props.class]
 * @param {number} [props.chosen]
 * @param {(index: number) => void} props.choose
 * @param {(last: number) => void} [props.near] Says how far the list is seen.
 * @param {string} [props.width] Of the rows, when they may be wider than the list.
 */
export function Windowed({ count, height, row, label, class: more = '', chosen, choose, near, width }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [seen, setSeen] = useState({ first: 0, last: Math.min(count, 40) });
  const [at, setAt] = useState(0);

  const look = () => {
    const list = box.current;
    if (!list) return;
    const next = rowsIn(list.scrollTop, list.clientHeight, height, count);
    setSeen((known) => (known.first === next.first && known.last === next.last ? known : next));
  };
  useLayoutEffect(look, [count, height]);
  useEffect(() => {
    const watch = new ResizeObserver(look);
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, [count, height]);
  useEffect(() => near?.(seen.last), [seen.last, count]);

  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? height) / height) - 1);
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -count, End: count };
    if (event.key === 'Enter' || event.key === ' ') choose(at);
    else if (event.key in steps) move(Math.max(0, Math.min(count - 1, at + steps[event.key])));
    else return;
    event.preventDefault();
  };

  /** @param {number} to */
  const move = (to) => {
    setAt(to);
    const list = box.current;
    if (!list) return;
    const top = to * height;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + height > list.scrollTop + list.clientHeight) list.scrollTop = top + height - list.clientHeight;
    look();
  };

  const rows = [];
  for (let index = seen.first; index < Math.min(seen.last, count); index += 1) {
    rows.push(html`<div key=${index} id=${`${label}-${index}`} role="option" class=${index === at ? 'option at' : 'option'}
      aria-selected=${String(index === chosen)} aria-setsize=${count} aria-posinset=${index + 1} style=${{ height: `${height}px` }}
      onClick=${() => {
        setAt(index);
        choose(index);
      }}>${row(index)}</div>`);
  }
  return html`<div ref=${box} class=${`windowed ${more}`} role="listbox" tabindex="0" aria-label=${label} onScroll=${look} onKeyDown=${key}
    aria-activedescendant=${at >= seen.first && at < seen.last && count ? `${label}-${at}` : undefined}>
    <div role="presentation" style=${{ height: `${count * height}px`, minWidth: width }}>
      <div role="presentation" style=${{ transform: `translateY(${seen.first * height}px)` }}>${rows}</div>
    </div>
  </div>`;
}
