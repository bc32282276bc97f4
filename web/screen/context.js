/** The contextspace of a repo: what every prompt can carry. */

import { useState } from '../vendor/hooks.js';
import { context_list, context_update } from '../api/tickets.js';
import { DocEditor } from '../part/doc_editor.js';
import { h, html } from '../part/html.js';
import { Head } from '../part/layout.js';
import { RepoTabs } from '../part/repo_tabs.js';
import { Unread } from '../part/trouble.js';
import { to } from '../state/route.js';
import { useResource } from '../state/store.js';

/** @type {Record<string, {title: string, text: string}>} */
const DOCS = {
  active_context: { title: 'Active context', text: 'What is going on now; every prompt has it.' },
  decisions: { title: 'Decisions', text: 'What was decided, and why.' },
  spec: { title: 'Spec', text: 'What is to be built.' },
};

/** @param {{params: Record<string, string>}} props */
export default function Context({ params }) {
  const repo = params.repo;
  const docs = useResource(`context_list ${repo}`, () => context_list(repo), (event) => event.repo === repo && event.event.kind === 'context_changed');
  const [shown, setShown] = useState('active_context');
  const doc = docs.data?.items.find((one) => one.name === shown);
  const about = DOCS[shown];
  return html`${h(Head, { title: 'Context', crumb: html`<a href=${to('repos', repo)}>${repo}</a>`, up: to('repos', repo) })}
    <div class="stack">
      ${h(RepoTabs, { repo, current: to('repos', repo, 'context') })}
      <div class="segments" role="group" aria-label="Which document">${Object.entries(DOCS).map(([name, { title }]) => html`<button key=${name} type="button" aria-pressed=${String(name === shown)} onClick=${() => setShown(name)}>${title}</button>`)}</div>
      ${h(Unread, { of: docs })}
      ${doc && h(DocEditor, {
        key: doc.name,
        name: `${repo} ${doc.name}`,
        title: about.title,
        hint: about.text,
        content: doc.content,
        etag: doc.etag,
        save: async (/** @type {string} */ content, /** @type {string} */ etag) => {
          await context_update(repo, doc.name, content, etag);
          docs.refresh();
        },
      })}
    </div>`;
}
