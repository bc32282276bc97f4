/** The project manager: what it works from, and its files. */

import { useState } from '../vendor/hooks.js';
import { pma_doc_list, pma_doc_update } from '../api/pma.js';
import { Boxes } from '../part/boxes.js';
import { DocEditor } from '../part/doc_editor.js';
import { h, html } from '../part/html.js';
import { Head } from '../part/layout.js';
import { Unread } from '../part/trouble.js';
import { useResource } from '../state/store.js';

/** @type {Record<string, {title: string, text: string}>} */
const DOCS = {
  prompt: { title: 'Its part', text: 'What it is told first.' },
  agents: { title: 'Guidance', text: 'What you want it to keep to, always.' },
  active_context: { title: 'In mind', text: 'What it has in mind now; it writes here itself.' },
  context_log: { title: 'Before', text: 'What it had in mind before.' },
  about_car: { title: 'About CAR', text: 'How this hub is worked with.' },
};

export default function Pma() {
  const [shown, setShown] = useState('agents');
  const docs = useResource('pma_doc_list', pma_doc_list, (event) => event.event.kind === 'pma_doc_changed');
  const doc = docs.data?.items.find((one) => one.name === shown);
  const about = DOCS[shown];
  return html`${h(Head, { title: 'Project manager', up: '#/more' })}
    <div class="stack wide">
      <div class="segments" role="group" aria-label="Which part">
        ${Object.entries(DOCS).map(([name, { title }]) => html`<button key=${name} type="button" aria-pressed=${String(name === shown)} onClick=${() => setShown(name)}>${title}</button>`)}
        <button type="button" aria-pressed=${String(shown === 'files')} onClick=${() => setShown('files')}>Files</button>
      </div>
      ${shown === 'files' && h(Boxes, { repo: null })}
      ${shown !== 'files' && h(Unread, { of: docs })}
      ${doc && html`<div class="narrow-page">${h(DocEditor, {
        key: doc.name,
        name: `pma ${doc.name}`,
        title: about.title,
        hint: `${about.text} ${doc.line_budget ? `${doc.lines} of ${doc.line_budget} lines.` : ''}${doc.is_default ? ' It says what it says in a new hub.' : ''}`,
        content: doc.content,
        etag: doc.etag,
        save: async (/** @type {string} */ content, /** @type {string} */ etag) => {
          await pma_doc_update(doc.name, content, etag);
          docs.refresh();
        },
      })}</div>`}
    </div>`;
}
