/** A template: what it says, what in it deserves a look, how it changed, and whether it is trusted. */

import { useState } from '../vendor/hooks.js';
import { credential_get } from '../api/credential.js';
import { template_get, template_trust, template_untrust } from '../api/templates.js';
import { Act } from './act.js';
import { DiffLines } from './diff_text.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { Markdown } from './markdown.js';
import { Sheet } from './sheet.js';
import { Status } from './status.js';
import { Sure } from './sure.js';
import { When } from './time.js';
import { Unread } from './trouble.js';
import { words } from './words.js';
import { useResource } from '../state/store.js';
import { visible } from '../state/ticket_text.js';

/**
 * @typedef {import('../api/types.d.ts').Template} Template
 * @typedef {import('../api/types.d.ts').TemplateText} TemplateText
 * @typedef {import('../api/types.d.ts').TemplateWarning} TemplateWarning
 * @typedef {import('preact').ComponentChildren} Children
 */

/** Whether an event says that a list of templates may have changed. @param {import('../api/types.d.ts').Event} event */
export const changesTemplates = (event) => event.event.kind === 'templates_changed';

/**
 * A template in a list.
 * @param {{template: Template, open: () => void}} props
 */
export function TemplateRow({ template, open }) {
  return html`<button type="button" class="item" onClick=${open}>
    ${h(Icon, { name: 'file', class: 'muted' })}
    <span class="grow stack" style=${{ gap: '2px' }}>
      <span class="row"><span class="name line grow">${template.title}</span>${h(Status, { status: template.trust })}</span>
      ${template.summary && html`<span class="small muted line">${template.summary}</span>`}
      <span class="tiny muted line">${template.template}${template.warnings.length > 0 ? ` · ${template.warnings.length} to look at` : ''}</span>
    </span>
    ${h(Icon, { name: 'chevron', size: 18, class: 'muted' })}
  </button>`;
}

/**
 * One template over the page.
 * @param {{name: string, close: () => void, use?: (seen: TemplateText) => Children}} props `use` is what
 *   can be done with it, once its text is there.
 */
export function TemplateSheet({ name, close, use }) {
  const text = useResource(`template_get ${name}`, () => template_get(name), changesTemplates);
  return h(Sheet, {
    title: text.data?.template.title ?? 'Template',
    close,
    children: html`<div class="stack">
      ${h(Unread, { of: text })}
      ${text.data && h(Text, { text: text.data })}
      ${text.data && h(Trust, { text: text.data, again: text.refresh })}
      ${text.data && use?.(text.data)}
    </div>`,
  });
}

/** @param {{text: TemplateText}} props */
function Text({ text }) {
  const { template, changes } = text;
  const views = [...(changes ? ['What changed'] : []), 'As it is written', 'Preview'];
  // What nobody has read is shown whole, as it is; a preview hides what an agent reads.
  const [chosen, setView] = useState('');
  const view = views.includes(chosen) ? chosen : template.trust === 'trusted' ? 'Preview' : views[0];
  return html`
    <p class="row wrap small">${h(Status, { status: template.trust })}<span class="mono muted">${template.template}</span></p>
    ${text.trouble && html`<div class="notice wants">${h(Icon, { name: 'warn', size: 18 })}<div><b>Its source could not be fetched.</b> This is the copy of ${h(When, { at: text.fetched_at })}.</div></div>`}
    ${template.warnings.length > 0 && html`<ul class="stack tight" aria-label="To look at">${template.warnings.map((warning) => html`<li key=${warning.kind} class="notice wants">${h(Icon, { name: 'warn', size: 18 })}<div>${placeOf(warning)}${words(warning.message)}</div></li>`)}</ul>`}
    <div class="segments" role="group" aria-label="How it is shown">
      ${views.map((one) => html`<button key=${one} type="button" aria-pressed=${String(one === view)} onClick=${() => setView(one)}>${one}</button>`)}
    </div>
    ${view === 'What changed' && h(DiffLines, { lines: (changes ?? []).map((line) => ({ ...line, text: visible(line.text) })) })}
    ${view === 'As it is written' && html`<pre class="output" tabindex="0">${visible(text.content)}</pre>`}
    ${view === 'Preview' && html`<div class="card stack">
      ${text.goal && html`<p><b>Goal:</b> ${text.goal}</p>`}
      ${text.body.trim() ? h(Markdown, { text: text.body }) : html`<p class="muted">It has no text.</p>`}
      ${text.context.length > 0 && html`<p class="small muted">Its prompt will hold ${text.context.join(', ')}.</p>`}
    </div>`}
    <dl class="facts small"><dt>Commit</dt><dd class="mono">${text.commit.slice(0, 10)}</dd><dt>SHA-256</dt><dd class="mono">${template.sha256}</dd></dl>`;
}

/** @param {TemplateWarning} warning */
function placeOf({ line, count }) {
  if (line === 0) return null;
  return html`<b>Line ${line}${count > 1 ? ` and ${count - 1} more` : ''}.</b> `;
}

/** @param {{text: TemplateText, again: () => void}} props */
function Trust({ text, again }) {
  const own = useResource('credential_get', credential_get);
  const { template, sha256, trust } = text.template;
  if (!own.data) return h(Unread, { of: own });
  if (!own.data.scopes.includes('admin')) {
    return trust === 'trusted' ? null : html`<p class="small muted">Who has the scope admin can say that it is trusted.</p>`;
  }
  if (trust === 'trusted') {
    return html`<div>${h(Sure, { tone: 'plain', question: 'No longer?', work: () => template_untrust(template).then(again), children: 'Trust it no longer' })}</div>`;
  }
  return html`<div>${h(Act, { icon: 'shield', full: true, work: () => template_trust(template, sha256).then(again), children: 'I have read it: trust it' })}</div>`;
}

/**
 * Templates with what finds them.
 * @param {{of: {data?: {items: Template[]}, trouble?: any, refresh: () => void}, find: string, setFind: (words: string) => void, open: (name: string) => void, empty: Children}} props
 */
export function TemplateList({ of, find, setFind, open, empty }) {
  const items = of.data?.items ?? [];
  const wanted = find.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (/** @type {Template} */ one) => `${one.template} ${one.title} ${one.summary ?? ''}`.toLowerCase();
  const shown = items.filter((one) => wanted.every((word) => text(one).includes(word)));
  return html`${h(Unread, { of })}
    ${items.length > 0 && html`<div class="field"><label class="unseen" for="find-template">Find a template</label>
      <input id="find-template" type="search" placeholder="Find a template" value=${find} onInput=${(/** @type {any} */ event) => setFind(event.target.value)} /></div>`}
    ${of.data && items.length === 0 && empty}
    ${shown.length > 0 && html`<ul class="list" aria-label="Templates">${shown.map((template) => html`<li key=${template.template}>${h(TemplateRow, { template, open: () => open(template.template) })}</li>`)}</ul>`}
    ${items.length > 0 && shown.length === 0 && html`<p class="muted">No template has “${find}” in its name, title or summary.</p>`}`;
}
