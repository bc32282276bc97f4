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
  const items = first.data.next ? [...first.data.items, ...after(below.items, first.data.items)] : first.data.items;
  const next = first.data.next && below.items.length > 0 ? below.next : first.data.next;
  return html`${h(Unread, { of: first })}
    ${items.length === 0 ? empty : html`<ul class=${more}>${items.map((item) => html`<li key=${keyOf(item)}>${row(item)}</li>`)}</ul>`}
    ${next && h(Act, {
      full: true,
      work: async () => {
        const page = await load(next);
        // With what is above: new items push it down there.
        setRest({ name, items: [...items, ...page.items], next: page.next });
      },
      children: 'Show more',
    })}`;
}

/**
 * What of a list comes after its first page.
 * @template {{id?: string, seq?: number}} T
 * @param {T[]} list
 * @param {T[]} page
 */
function after(list, page) {
  const [known, above] = [list, page].map((items) => new Set(items.map(keyOf)));
  // New ones at its top push the page's end up in the list; old ones may have come up into it.
  const edge = page.findLast((item) => known.has(keyOf(item)));
  const last = list.findIndex((item) => edge && keyOf(item) === keyOf(edge));
  return list.slice(last + 1).filter((item) => !above.has(keyOf(item)));
}

/** @param {{id?: string, seq?: number}} item */
const keyOf = (item) => item.id ?? item.seq;
