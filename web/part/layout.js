import { useEffect, useState } from '../vendor/hooks.js';
import { back } from '../state/route.js';
import { Button } from './act.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';

/** @typedef {import('preact').ComponentChildren} Children */

/**
 * The top of a screen. Its title is the document's.
 * @param {{title: string, crumb?: Children, up?: string, children?: Children}} props
 */
export function Head({ title, crumb, up, children }) {
  useEffect(() => {
    document.title = `${title} · CAR Hub`;
  }, [title]);
  return html`<div class="head">
    ${up && h(Button, { icon: 'back', label: 'Back', tone: 'plain', class: 'back', onClick: () => back(up) })}
    <h1 tabindex="-1">${crumb && html`<span class="crumb">${crumb}</span>`}<span class="title">${title}</span></h1>
    ${children}
  </div>`;
}

/**
 * A part of a screen with its name.
 * @param {{title: string, tally?: Children, action?: Children, children: Children}} props
 */
export function Section({ title, tally, action, children }) {
  return html`<section class="section" aria-label=${title}>
    <header><h2>${title}</h2>${tally !== undefined && html`<span class="tally">${tally}</span>`}${action}</header>
    ${children}
  </section>`;
}

/**
 * What a list says when nothing is in it.
 * @param {{title: string, children?: Children}} props
 */
export function Empty({ title, children }) {
  return html`<div class="card empty"><h2>${title}</h2><div class="stack tight">${children}</div></div>`;
}

/**
 * Something that is seen, and made, when it is asked for: a long run has thousands of these.
 * @param {{summary: Children, open?: boolean, onOpen?: (open: boolean) => void, children?: Children, class?: string}} props
 */
export function Fold({ summary, open, onOpen, children, class: more = '' }) {
  const [seen, setSeen] = useState(Boolean(open));
  return html`<details class=${`fold ${more}`} open=${open}
    onToggle=${(/** @type {Event} */ event) => {
      const now = /** @type {HTMLDetailsElement} */ (event.currentTarget).open;
      if (now) setSeen(true);
      onOpen?.(now);
    }}>
    <summary>${h(Icon, { name: 'chevron', size: 18, class: 'chevron' })}${summary}</summary>
    ${(seen || open) && children}
  </details>`;
}

/**
 * Places beside each other, one of them shown.
 * @param {{label: string, tabs: {address: string, name: string, tally?: number}[], current: string}} props
 */
export function Tabs({ label, tabs, current }) {
  return html`<nav class="segments" aria-label=${label}>
    ${tabs.map((tab) => html`<a key=${tab.address} href=${tab.address} aria-current=${tab.address === current ? 'page' : undefined}>
      ${tab.name}${tab.tally ? html`<span class="chip">${tab.tally}</span>` : null}</a>`)}
  </nav>`;
}
