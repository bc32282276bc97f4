/** The two boxes of files: for agents, and of agents. */

import { useRef } from '../vendor/hooks.js';
import { file_delete, file_link, file_list, file_put } from '../api/files.js';
import { useResource } from '../state/store.js';
import { Act, Button, useAct } from './act.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { Section } from './layout.js';
import { bytes } from './number.js';
import { Sure } from './sure.js';
import { When } from './time.js';
import { TroubleNote, Unread } from './trouble.js';

/** @typedef {import('../api/types.d.ts').BoxFile} BoxFile */

/** @param {{repo: string | null}} props `null` for the hub's own boxes. */
export function Boxes({ repo }) {
  const files = useResource(`file_list ${repo}`, () => file_list(repo), (event) => event.event.kind === 'file_changed' && (event.repo ?? null) === repo);
  const items = files.data?.items ?? [];
  return html`${h(Unread, { of: files })}
    <div class="columns even">
      ${h(Box, { repo, box: 'outbox', title: 'From agents', empty: 'No agent has put a file here.', items, refresh: files.refresh })}
      ${h(Box, { repo, box: 'inbox', title: 'For agents', empty: 'Files you put here can be read by agents.', items, refresh: files.refresh })}
    </div>`;
}

/** @param {{repo: string | null, box: 'inbox' | 'outbox', title: string, empty: string, items: BoxFile[], refresh: () => void}} props */
function Box({ repo, box, title, empty, items, refresh }) {
  const chosen = useRef(/** @type {HTMLInputElement | null} */ (null));
  const mine = items.filter((file) => file.box === box);
  const upload = useAct(async (/** @type {File[]} */ given) => {
    for (const file of given) await file_put(repo, box, file);
    refresh();
  });
  return h(Section, {
    title,
    tally: mine.length || undefined,
    action: box === 'inbox' && html`<input ref=${chosen} type="file" multiple hidden aria-label="Files" onChange=${(/** @type {any} */ event) => {
      const given = [...event.target.files];
      event.target.value = '';
      if (given.length) void upload.act(given);
    }} />${h(Button, { icon: 'plus', tone: 'plain', busy: upload.slow, disabled: upload.busy, onClick: () => chosen.current?.click(), children: 'Add' })}`,
    children: html`${h(TroubleNote, { trouble: upload.trouble })}
      ${mine.length === 0
        ? html`<p class="card muted small">${empty}</p>`
        : html`<ul class="list">${mine.map((file) => html`<li key=${file.name}><div class="item">
            ${h(Icon, { name: 'file', class: 'muted' })}
            <span class="grow stack" style=${{ gap: '0' }}><span class="name line">${file.name}</span><span class="tiny muted">${bytes(file.size)} · ${h(When, { at: file.modified_at })}</span></span>
            ${h(Act, { icon: 'down_to', label: `Save ${file.name}`, tone: 'plain', work: () => save(repo, file) })}
            ${h(Sure, { icon: 'trash', label: `Delete ${file.name}`, tone: 'plain', question: 'Delete?', work: async () => { await file_delete(repo, box, file.name); refresh(); } })}
          </div></li>`)}</ul>`}`,
  });
}

/**
 * Has the browser keep a file. A link cannot carry the proof, so the hub makes one that needs none,
 * for this browser, once.
 * @param {string | null} repo
 * @param {BoxFile} file
 */
async function save(repo, file) {
  const { path } = await file_link(repo, file.box, file.name);
  const link = document.createElement('a');
  link.href = path;
  link.download = file.name;
  link.click();
}
