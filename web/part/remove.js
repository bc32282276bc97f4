/** Removing a worktree or repo, after a look at what would be lost. */

import { useEffect, useState } from '../vendor/hooks.js';
import { troubleOf } from '../api/client.js';
import { repo_remove, salvage_restore, worktree_cleanup } from '../api/repos.js';
import { go, goOn, to } from '../state/route.js';
import { Act, Button, useAct } from './act.js';
import { Check } from './field.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { bytes } from './number.js';
import { Sheet } from './sheet.js';
import { exactly } from './time.js';
import { TroubleNote } from './trouble.js';

/** @typedef {import('../api/types.d.ts').RemovalReport} RemovalReport */
/** @typedef {import('../api/types.d.ts').Unsaved} Unsaved */

/** @param {{repo: import('../api/types.d.ts').Repo, close: () => void}} props */
export function RemoveRepo({ repo, close }) {
  const worktree = repo.kind === 'worktree';
  const [branch, setBranch] = useState(false);
  const [files, setFiles] = useState(false);
  const [dropped, setDropped] = useState(/** @type {string[]} */ ([]));
  const [looks, setLooks] = useState(0);
  const [looking, setLooking] = useState(true);
  const [found, setFound] = useState(/** @type {RemovalReport | null} */ (null));
  const [trouble, setTrouble] = useState(/** @type {import('../api/client.js').Trouble | null} */ (null));
  const [removed, setRemoved] = useState(/** @type {RemovalReport | null} */ (null));

  /** @param {{drop?: string[], dry_run?: boolean}} body */
  const remove = (body) =>
    worktree ? worktree_cleanup(repo.id, { ...body, delete_branch: branch }) : repo_remove(repo.id, { ...body, delete_dir: files });

  // What is found belongs to what is chosen: an answer that comes late is no answer.
  useEffect(() => {
    let current = true;
    setLooking(true);
    setTrouble(null);
    remove({ dry_run: true })
      .then((report) => current && setFound(report), (error) => current && setTrouble(troubleOf(error)))
      .finally(() => current && setLooking(false));
    return () => {
      current = false;
    };
  }, [branch, files, looks]);
  const removal = useAct(async () => {
    try {
      setRemoved(await remove({ drop: dropped }));
    } catch (error) {
      // There may be more to lose than was seen.
      setLooks((count) => count + 1);
      throw error;
    }
  });

  const known = !looking && !trouble && found;
  const unsaved = found?.unsaved ?? [];
  const left = unsaved.filter((work) => !dropped.includes(work.kind));
  const leave = () => {
    close();
    if (removed) go(repo.worktree_of ? to('repos', repo.worktree_of) : '#/repos', { replace: true });
  };

  return h(Sheet, {
    title: removed ? 'Removed' : worktree ? `Remove ${repo.name}?` : `Take ${repo.name} out?`,
    close: leave,
    children: removed ? h(Removed, { report: removed, leave, close }) : html`<div class="stack">
      ${worktree
        ? html`<p>The working tree goes; its tickets, context and runs are archived.</p>${h(Check, { label: html`Also delete the branch <code>${repo.branch}</code>`, value: branch, set: setBranch })}`
        : html`<p>The hub forgets the repo.</p>${h(Check, { label: 'Also delete its directory', value: files, set: setFiles })}`}
      ${h(TroubleNote, { trouble, again: () => setLooks(looks + 1) })}
      ${!found && looking && html`<p class="muted" role="status">Looking at what would be lost…</p>`}
      ${known && unsaved.length === 0 && html`<p class="row">${h(Icon, { name: 'check', size: 18, class: 'good' })} Nothing would be lost: all of it is elsewhere too.</p>`}
      ${unsaved.length > 0 && html`<div class="stack tight"><h3>This exists nowhere else</h3>
        ${unsaved.map((work) => h(Lost, { key: work.kind, work, dropped: dropped.includes(work.kind), set: (/** @type {boolean} */ drop) => setDropped(drop ? [...dropped, work.kind] : dropped.filter((kind) => kind !== work.kind)) }))}
        <p class="small muted">What you let go is kept for 30 days and can be brought back from the archive.</p></div>`}
      ${h(TroubleNote, { trouble: removal.trouble })}
      <div class="row end wrap">${h(Button, { onClick: close, children: 'Keep it' })}
        ${h(Button, { tone: 'grave', icon: 'trash', busy: removal.slow, disabled: !known || left.length > 0 || removal.busy, onClick: () => void removal.act(), children: worktree ? 'Remove it' : 'Take it out' })}</div>
    </div>`,
  });
}

/** @param {{work: Unsaved, dropped: boolean, set: (drop: boolean) => void}} props */
function Lost({ work, dropped, set }) {
  return html`<div class="card stack tight">
    <p>${work.detail}</p>
    ${work.sample.length > 0 && html`<ul class="mono small muted">${work.sample.map((name) => html`<li key=${name} class="line">${name}</li>`)}
      ${work.count > work.sample.length && html`<li>and ${work.count - work.sample.length} more</li>`}</ul>`}
    ${h(Check, { label: 'Let it go', value: dropped, set })}
  </div>`;
}

/** @param {{report: RemovalReport, leave: () => void, close: () => void}} props */
function Removed({ report, leave, close }) {
  const salvage = report.salvage;
  return html`<div class="stack">
    ${report.archive && html`<p>Tickets, context and runs are in <code>${report.archive}</code>.</p>`}
    ${salvage && html`<p>What existed nowhere else (${bytes(salvage.bytes)}) is kept until ${exactly(salvage.keep_until)}.</p>`}
    ${salvage && h(Act, {
      work: async () => {
        await goOn(salvage_restore(salvage.id), (repo) => to('repos', repo.id), { replace: true });
        close();
      },
      children: 'Bring it back',
    })}
    ${h(Button, { tone: 'main', full: true, onClick: leave, children: 'Done' })}
  </div>`;
}
