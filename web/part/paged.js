import { useState } from '../vendor/hooks.js';
import { useResource } from '../state/store.js';
import { Act } from './act.js';
import { h, html } from './html.js';
import { Unread } from './trouble.js';

/**
 * A list of the hub, page after page. The first page is kept current; what was read below it stays
 * as it was read.
 * @template {{id?: string, seq?: number}} T
 * @param {object} props
 * @param {string} props.name What it is: the same name is the same list.
 * @param {(after?: string) => Promise<{items: T[], next?: string}>} props.load
 * @param {(event: any) => boolean} [props.matters]
 * @param {(item: T) => any} props.row
 * @param {any} props.empty What is shown when there is nothing.
 * @param {string} [props.class]
 */
export function Paged({ name, load, matters, row, empty, class: more = 'list' }) {
  const first = useResource(name, () => load(), matters);
  const [rest, setRest] = useState(/** @type {{name: string, items: T[], next?: string}} */ ({ name, items: [] }));
  const below = rest.name === name ? rest : { name, items: [] };
  if (!first.data) return h(Unread, { of: first });
  const ids = new Set(first.data.items.map(keyOf));
  const items = [...first.data.items, ...below.items.filter((item) => !ids.has(keyOf(item)))];
  const next = below.items.length > 0 ? below.next : first.data.next;
  return html`${h(Unread, { of: first })}
    ${items.length === 0 ? empty : html`<ul class=${more}>${items.map((item) => html`<li key=${keyOf(item)}>${row(item)}</li>`)}</ul>`}
    ${next && h(Act, {
      full: true,
      work: async () => {
        const page = await load(next);
        setRest({ name, items: [...below.items, ...page.items], next: page.next });
      },
      children: 'Show more',
    })}`;
}

/** @param {{id?: string, seq?: number}} item */
const keyOf = (item) => item.id ?? item.seq;
