/** What a run changed, file by file and line by line; a remark on a line goes to its agent. */

import { useEffect, useState } from '../vendor/hooks.js';
import { troubleOf } from '../api/client.js';
import { run_diff, run_diff_file, run_get, run_reply, run_turns } from '../api/runs.js';
import { ticket_create } from '../api/tickets.js';
import { Button, useAct } from '../part/act.js';
import { Choice, Field } from '../part/field.js';
import { Empty, Head } from '../part/layout.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { counted } from '../part/number.js';
import { Sheet } from '../part/sheet.js';
import { useStyle } from '../part/style.js';
import { TroubleNote, Unread } from '../part/trouble.js';
import { Windowed } from '../part/windowed.js';
import { go, to } from '../state/route.js';
import { MARKS, placeOf, remarkOn, rowsOf, split } from '../state/review.js';
import { useResource } from '../state/store.js';

/**
 * @typedef {import('../api/types.d.ts').DiffFile} DiffFile
 * @typedef {import('../api/types.d.ts').DiffLine} DiffLine
 * @typedef {import('../api/types.d.ts').FileDiff} FileDiff
 * @typedef {import('../api/types.d.ts').RunDiff} RunDiff
 * @typedef {import('../api/client.js').Trouble} Trouble
 */

const FILE = 44;
const LINE = 24;
const PAGE = 500;

/** Below so many files there is nothing to look for. */
const MANY = 20;

const CHANGES = /** @type {Record<DiffFile['change'], [string, string]>} */ ({
  added: ['A', 'added'],
  modified: ['M', 'modified'],
  deleted: ['D', 'deleted'],
  type_changed: ['T', 'of another type'],
  unmerged: ['U', 'in conflict'],
  untracked: ['N', 'new, not tracked'],
});

/** @param {{params: Record<string, string>, query: Record<string, string>}} props */
export default function Diff({ params, query }) {
  const id = params.run;
  const { turn, file } = query;
  const styled = useStyle('diff.css');
  const run = useResource(`run_get ${id}`, () => run_get(id), (event) => event.run === id && event.event.kind === 'run_state_changed');
  const turns = useResource(`run_turns ${id}`, () => run_turns(id, { limit: PAGE }), (event) => event.run === id && event.event.kind === 'turn_ended');
  const { diff, files, trouble, again, old } = useDiff(id, turn, turns.data?.items.length);
  const [words, setWords] = useState('');
  const [unfolded, setUnfolded] = useState(false);
  if (!styled) return null;

  const here = (/** @type {{turn?: string, file?: string}} */ place) => {
    const wanted = Object.entries(place).filter(([, value]) => value);
    return `${to('runs', id, 'diff')}${wanted.length ? `?${new URLSearchParams(/** @type {any} */ (wanted))}` : ''}`;
  };
  const rows = rowsOf(files, words, unfolded);
  const chosen = rows.findIndex((row) => 'file' in row && row.file.path === file);

  return html`
    ${h(Head, { title: 'Changes', up: file ? here({ turn }) : to('runs', id), crumb: run.data && html`<a href=${to('runs', id)}>${run.data.repo}</a>` })}
    ${h(TroubleNote, { trouble, again })}
    <div class=${file ? 'review within' : 'review'}>
      <div class="review-files stack">
        ${turns.data && turns.data.items.length > 1 && h(Choice, {
          label: 'What',
          value: turn ?? '',
          set: (/** @type {string} */ value) => go(here({ turn: value })),
          options: [{ value: '', name: 'The whole run' }, ...turns.data.items.map((one) => ({ value: one.id, name: `Turn ${one.number}: ${one.ticket_file}` }))],
        })}
        ${diff && h(Totals, { diff, old, again })}
        ${files.length > MANY && html`<div class="field"><label class="unseen" for="find-file">Find a file</label>
          <input id="find-file" type="search" placeholder="Find a file" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} /></div>`}
        ${diff && files.length === 0 && h(Empty, { title: 'Nothing differs', children: 'No file was changed, or every change was taken back.' })}
        ${rows.length > 0 && h(Windowed, {
          count: rows.length,
          height: FILE,
          label: 'Files',
          class: 'files',
          chosen,
          row: (/** @type {number} */ index) => h(FileRow, { row: rows[index], unfolded }),
          choose: (/** @type {number} */ index) => {
            const row = rows[index];
            if ('file' in row) go(here({ turn, file: row.file.path }));
            else setUnfolded(!unfolded);
          },
        })}
      </div>
      <div class="review-file">
        ${file && h(OneFile, { key: `${turn} ${file}`, run: id, turn, path: file, state: run.data?.state, repo: run.data?.repo })}
        ${!file && files.length > 0 && html`<p class="muted wide-only">Choose a file.</p>`}
      </div>
    </div>`;
}

/**
 * The files, page after page. What is shown stays while the agent goes on; it is said when there is
 * more.
 * @param {string} run
 * @param {string | undefined} turn
 * @param {number | undefined} turns
 */
function useDiff(run, turn, turns) {
  const [diff, setDiff] = useState(/** @type {RunDiff | null} */ (null));
  const [files, setFiles] = useState(/** @type {DiffFile[]} */ ([]));
  const [trouble, setTrouble] = useState(/** @type {Trouble | null} */ (null));
  const [asked, setAsked] = useState(0);
  const [seen, setSeen] = useState(turns);
  useEffect(() => {
    let wanted = true;
    const read = async () => {
      /** @type {DiffFile[]} */
      const all = [];
      /** @type {string | undefined} */
      let after;
      do {
        const page = await run_diff(run, { turn, after, limit: PAGE });
        if (!wanted) return;
        if (!after) setDiff(page);
        all.push(...page.files);
        setFiles([...all]);
        after = page.next ?? undefined;
      } while (after);
    };
    setTrouble(null);
    setSeen(turns);
    read().catch((error) => wanted && setTrouble(troubleOf(error)));
    return () => {
      wanted = false;
    };
  }, [run, turn, asked]);
  useEffect(() => setSeen((known) => known ?? turns), [turns]);
  const old = seen !== undefined && turns !== undefined && turns > seen;
  return { diff, files, trouble, old, again: () => setAsked(asked + 1) };
}

/** @param {{diff: RunDiff, old: boolean, again: () => void}} props */
function Totals({ diff, old, again }) {
  return html`<div class="stack tight small">
    <p><b>${counted(diff.files_changed, 'file')}</b> <span class="good">+${diff.insertions}</span> <span class="bad">−${diff.deletions}</span>
      ${diff.generated > 0 && html`<span class="muted">, ${diff.generated} of them generated</span>`}</p>
    <p class="muted">From <code>${diff.base.slice(0, 10)}</code> to ${diff.to ? html`<code>${diff.to.slice(0, 10)}</code>` : 'the tree as it is now'}${diff.exact || !diff.to ? '' : '; later work on the same tree is in it too'}.</p>
    ${old && html`<p class="row">${h(Icon, { name: 'again', size: 16 })}<span class="grow">The agent went on meanwhile.</span>${h(Button, { onClick: again, children: 'Show the newest' })}</p>`}
  </div>`;
}

/** @param {{row: import('../state/review.js').Row, unfolded: boolean}} props */
function FileRow({ row, unfolded }) {
  if ('generated' in row) {
    return html`<span class=${unfolded ? 'file-row open' : 'file-row'}>${h(Icon, { name: 'chevron', size: 18, class: 'chevron' })}
      <span class="muted">${counted(row.generated, 'generated file')}</span></span>`;
  }
  const { file } = row;
  const { directory, name } = split(file.path);
  const [letter, word] = CHANGES[file.change];
  return html`<span class="file-row">
    <span class=${`change ${file.change}`} title=${word}><span aria-hidden="true">${letter}</span><span class="unseen">${word}: </span></span>
    <span class="path"><span class="muted directory">${directory}</span><span class="name">${name}</span></span>
    <span class="small number">${file.insertions === undefined ? html`<span class="muted">binary</span>`
      : html`<span class="good">+${file.insertions}</span> <span class="bad">−${file.deletions}</span>`}</span>
  </span>`;
}

/**
 * @param {object} props
 * @param {string} props.run
 * @param {string | undefined} props.turn
 * @param {string} props.path
 * @param {import('../api/types.d.ts').RunState | undefined} props.state
 * @param {string | undefined} props.repo
 */
function OneFile({ run, turn, path, state, repo }) {
  const [diff, setDiff] = useState(/** @type {FileDiff | null} */ (null));
  const [lines, setLines] = useState(/** @type {DiffLine[]} */ ([]));
  const [next, setNext] = useState(/** @type {string | undefined} */ (undefined));
  const [remark, setRemark] = useState(/** @type {DiffLine | null} */ (null));
  const [said, setSaid] = useState(/** @type {any} */ (null));
  const { act: read, busy, trouble } = useAct(async (/** @type {string | undefined} */ after) => {
    const page = await run_diff_file(run, path, { turn, after, limit: PAGE });
    if (!after) setDiff(page);
    setLines((known) => [...(after ? known : []), ...page.lines]);
    setNext(page.next ?? undefined);
  });
  useEffect(() => void read(undefined), []);
  const { directory, name } = split(path);
  const longest = lines.reduce((most, line) => Math.max(most, line.text.length), 0);

  return html`<section class="stack tight" aria-label=${path}>
    <header class="row"><h2 class="grow path" tabindex="-1"><span class="muted directory">${directory}</span>${name}</h2></header>
    ${h(TroubleNote, { trouble, again: () => void read(undefined) })}
    ${said && html`<p class="row small" role="status">${h(Icon, { name: 'check', size: 18, class: 'good' })}<span>${said}</span></p>`}
    ${diff?.binary && html`<p class="card muted">This file is binary, or no plain file: there are no lines to show.</p>`}
    ${diff && !diff.binary && lines.length === 0 && html`<p class="card muted">The file is empty.</p>`}
    ${lines.length > 0 && h(Windowed, {
      count: lines.length,
      height: LINE,
      label: 'Lines',
      class: 'lines',
      width: `${longest + 14}ch`,
      row: (/** @type {number} */ index) => h(Line, { line: lines[index] }),
      choose: (/** @type {number} */ index) => lines[index].kind !== 'hunk' && lines[index].kind !== 'note' && setRemark(lines[index]),
      near: (/** @type {number} */ last) => {
        if (next && !busy && last + PAGE / 2 > lines.length) void read(next);
      },
    })}
    ${diff?.truncated && !next && html`<p class="muted small">The difference is longer than the hub shows.</p>`}
    ${lines.length > 0 && html`<p class="muted small">Choose a line to remark on it.</p>`}
    ${remark && repo && h(Remark, {
      run,
      repo,
      path,
      line: remark,
      paused: state?.status === 'paused',
      close: () => setRemark(null),
      done: (/** @type {any} */ what) => {
        setRemark(null);
        setSaid(what);
      },
    })}
  </section>`;
}

/** @param {{line: DiffLine}} props */
function Line({ line }) {
  return html`<span class=${`diff-line ${line.kind}`}>
    <span class="numbers" aria-hidden="true">${line.new ?? line.old ?? ''}</span>
    <span class="mark" aria-hidden="true">${MARKS[line.kind]}</span>
    ${line.kind === 'added' || line.kind === 'removed' ? html`<span class="unseen">${line.kind}: </span>` : null}
    <span class="text">${line.text || ' '}</span>
  </span>`;
}

/**
 * @param {{run: string, repo: string, path: string, line: DiffLine, paused: boolean, close: () => void, done: (what: any) => void}} props
 */
function Remark({ run, repo, path, line, paused, close, done }) {
  const [text, setText] = useState('');
  const place = placeOf(path, line);
  const reply = useAct(async () => {
    await run_reply(run, remarkOn(path, line, text));
    done('The run has your remark, and goes on with it.');
  });
  const ticket = useAct(async () => {
    const made = await ticket_create(repo, { title: `Review of ${place}`, goal: remarkOn(path, line, text) });
    const number = made.ticket.number;
    done(html`It is <a href=${to('repos', repo, 'tickets', number ?? '')}>ticket ${number}</a> of the queue.`);
  });
  const busy = reply.busy || ticket.busy;
  return h(Sheet, {
    title: 'Remark',
    close,
    children: html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void (paused ? reply.act() : ticket.act());
    }}>
      <div class="stack tight"><code class="small">${place}</code><div class="quoted" tabindex="0" role="group" aria-label="The line">${h(Line, { line })}</div></div>
      ${h(Field, { label: 'What about it?', value: text, set: setText, rows: 4, required: true })}
      ${h(TroubleNote, { trouble: reply.trouble ?? ticket.trouble })}
      ${paused && h(Button, { tone: 'main', type: 'submit', full: true, busy: reply.slow, disabled: busy || !text.trim(), children: 'Reply to the run' })}
      ${h(Button, { tone: paused ? undefined : 'main', type: paused ? 'button' : 'submit', full: true, busy: ticket.slow, disabled: busy || !text.trim(),
        onClick: paused ? () => void ticket.act() : undefined, children: 'Make it a ticket' })}
      ${!paused && html`<p class="muted small">The run does not wait for a reply; as a ticket it is worked later.</p>`}
    </form>`,
  });
}
