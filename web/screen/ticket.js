/** One ticket: its file, checked while it is written. */

import { useEffect, useLayoutEffect, useRef, useState } from '../vendor/hooks.js';
import { ticket_done, ticket_get, ticket_lint_text, ticket_update, ticket_verify } from '../api/tickets.js';
import { Act, Button, useAct } from '../part/act.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { JobCard, useJob } from '../part/job_card.js';
import { Head } from '../part/layout.js';
import { Markdown } from '../part/markdown.js';
import { Status } from '../part/status.js';
import { TroubleNote, Unread } from '../part/trouble.js';
import { words } from '../part/words.js';
import { to } from '../state/route.js';
import { bodyOf, verifyOf } from '../state/ticket_text.js';
import { dropText, keepText, keptText } from '../state/kept_text.js';
import { useResource } from '../state/store.js';

/**
 * @typedef {import('../api/types.d.ts').TicketIssue} TicketIssue
 * @typedef {import('../api/types.d.ts').TicketText} TicketText
 */

/** How long after the last key the text is checked, in milliseconds. */
const REST = 350;

/** @param {{params: Record<string, string>}} props */
export default function TicketScreen({ params }) {
  const { repo, ticket } = params;
  const text = useResource(`ticket_get ${repo} ${ticket}`, () => ticket_get(repo, ticket), (event) => event.repo === repo && event.event.kind === 'ticket_changed');
  const [editing, setEditing] = useState(false);
  const data = text.data;
  const up = to('repos', repo, 'tickets');
  if (!data) return html`${h(Head, { title: 'Ticket', up })}${h(Unread, { of: text })}`;
  const { number, title, state: standing, agent, file } = data.ticket;
  return html`
    ${h(Head, {
      title,
      up,
      crumb: html`<a href=${to('repos', repo)}>${repo}</a> · ${number ?? file}`,
      children: !editing && h(Button, { icon: 'pencil', onClick: () => setEditing(true), children: 'Edit' }),
    })}
    ${h(Unread, { of: text })}
    ${editing
      ? h(Editor, { repo, ticket, data, close: () => setEditing(false), saved: (/** @type {TicketText} */ next) => { text.set(next); setEditing(false); } })
      : html`<div class="columns"><div class="stack">
          ${data.ticket.issues.length > 0 && h(Issues, { issues: data.ticket.issues })}
          <div class="card">${h(Markdown, { text: bodyOf(data.content) || 'There is nothing more in it.', level: 2 })}</div>
        </div>
        <div class="side stack">
          <dl class="card facts">
            <dt>State</dt><dd>${h(Status, { status: standing })}</dd>
            <dt>Who</dt><dd>${agent === 'user' ? 'you' : agent ?? '–'}</dd>
            ${data.ticket.model && html`<dt>Model</dt><dd>${data.ticket.model}</dd>`}
            ${data.ticket.reasoning && html`<dt>Effort</dt><dd>${data.ticket.reasoning}</dd>`}
            <dt>File</dt><dd class="mono">${file}</dd>
          </dl>
          ${h(Proof, { repo, ticket, content: data.content, able: standing !== 'invalid' })}
          ${standing !== 'invalid' && html`<div class="stack tight">${h(Act, {
            icon: standing === 'done' ? 'again' : 'check',
            work: async () => text.set(await ticket_done(repo, ticket, { done: standing !== 'done' }, data.ticket.etag)),
            children: standing === 'done' ? 'Open it again' : 'Say it is done',
          })}</div>`}
        </div></div>`}`;
}

/** @param {{repo: string, ticket: string, content: string, able: boolean}} props */
function Proof({ repo, ticket, content, able }) {
  const commands = verifyOf(content);
  const [job, tried] = useJob();
  return html`<section class="card stack tight" aria-label="What proves it">
    <h2 class="small">What proves it</h2>
    ${commands.length > 0
      ? html`<ul class="stack tight">${commands.map((command) => html`<li key=${command} class="row top">${h(Icon, { name: 'check', size: 16, class: 'muted' })}<code class="grow">${command}</code></li>`)}</ul>`
      : html`<p class="small muted">No command of its own: the repo’s commands are run, if it has any.</p>`}
    ${able && job?.status !== 'running' && h(Act, {
      icon: 'play',
      work: async () => tried(await ticket_verify(repo, ticket)),
      children: job ? 'Try again' : 'Try now',
    })}
    ${job && h(JobCard, { job })}
  </section>`;
}

/** @param {{issues: TicketIssue[], go?: (issue: TicketIssue) => void}} props */
function Issues({ issues, go }) {
  return html`<ul class="card stack tight small issues" aria-label="What the linter says">${issues.map((issue, index) => html`<li key=${index} class="row top">
    ${h(Status, { status: issue.severity === 'error' ? 'failed' : 'asking', word: issue.severity, bare: true })}
    <span class="grow">${words(issue.message)}</span>
    ${issue.line > 0 && (go
      ? html`<button type="button" class="button plain" onClick=${() => go(issue)}>line ${issue.line}</button>`
      : html`<span class="muted number">line ${issue.line}</span>`)}
  </li>`)}</ul>`;
}

/** @param {{repo: string, ticket: string, data: TicketText, close: () => void, saved: (next: TicketText) => void}} props */
function Editor({ repo, ticket, data, close, saved }) {
  const kept = `ticket ${repo} ${ticket}`;
  const [draft] = useState(() => keptText(kept));
  const [content, setContent] = useState(draft?.content ?? data.content);
  const [etag, setEtag] = useState(draft?.etag ?? data.ticket.etag);
  const [issues, setIssues] = useState(data.ticket.issues);
  const [checked, setChecked] = useState(true);
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const changed = content !== data.content;
  const errors = issues.filter((issue) => issue.severity === 'error').length;

  // At once: whoever writes and leaves loses no letter.
  useLayoutEffect(() => {
    if (changed) keepText(kept, content, etag);
    else dropText(kept);
  }, [content, etag]);
  useEffect(() => {
    setChecked(false);
    const stopped = new AbortController();
    const timer = setTimeout(() => {
      ticket_lint_text(repo, content, stopped.signal).then((report) => {
        setIssues(report.findings.map((finding) => finding.issue));
        setChecked(true);
      }, () => undefined);
    }, REST);
    return () => {
      clearTimeout(timer);
      stopped.abort();
    };
  }, [content]);

  const save = useAct(async (/** @type {boolean} */ allow) => {
    const next = await ticket_update(repo, ticket, { content, allow_invalid: allow }, etag);
    dropText(kept);
    saved(next);
  });
  const stale = save.trouble?.code === 'stale' ? save.trouble.problem.current : undefined;

  /** @param {TicketIssue} issue */
  function show(issue) {
    const lines = content.split('\n');
    const start = lines.slice(0, issue.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    area.current?.focus();
    area.current?.setSelectionRange(start, start + (lines[issue.line - 1]?.length ?? 0));
  }

  return html`<div class="stack">
    <div class="field">
      <label for="content">The ticket’s file</label>
      ${h(Lined, { id: 'content', area, value: content, set: setContent, issues })}
    </div>
    ${issues.length > 1 && h(Issues, { issues, go: show })}
    ${stale
      ? html`<div class="notice wants">${h(Icon, { name: 'warn', size: 18 })}<div class="grow stack tight">
          <p><b>It was changed meanwhile</b>, by an agent or somebody else. Yours is kept here; look at theirs and carry over what you need.</p>
          <pre class="output" tabindex="0">${stale.content}</pre>
          <div class="row wrap">${h(Button, { onClick: () => { setEtag(stale.etag); save.clear(); }, children: 'Keep mine instead' })}
            ${h(Button, { onClick: () => { setContent(stale.content); setEtag(stale.etag); save.clear(); }, children: 'Take theirs' })}</div></div></div>`
      : h(TroubleNote, { trouble: save.trouble })}
    <div class="bar-below stack tight">
    <div role="status" class="small">${issues.length === 0
      ? html`<span class="row muted">${h(Icon, { name: checked ? 'check' : 'clock', size: 16, class: checked ? 'good' : 'muted' })}${checked ? 'The linter finds nothing.' : 'Checking …'}</span>`
      : h(Issues, { issues: issues.slice(0, 1), go: show })}
      ${issues.length > 1 && html`<span class="muted">and ${issues.length - 1} more above</span>`}</div>
    <div class="row wrap end">
      ${h(Button, { onClick: () => { dropText(kept); close(); }, children: changed ? 'Throw away' : 'Close' })}
      ${errors > 0 && h(Button, { disabled: save.busy || !changed, onClick: () => void save.act(true), children: 'Save with errors' })}
      ${errors === 0 && h(Button, { tone: 'main', busy: save.slow, disabled: save.busy || !changed, onClick: () => void save.act(false), children: 'Save' })}
    </div></div>
  </div>`;
}

/**
 * A text with its lines numbered; those the linter means are marked.
 * @param {{id: string, area: {current: HTMLTextAreaElement | null}, value: string, set: (value: string) => void, issues: TicketIssue[]}} props
 */
function Lined({ id, area, value, set, issues }) {
  const lines = value.split('\n');
  const marks = new Map(issues.map((issue) => [issue.line, issue.severity]));
  const numbers = useRef(/** @type {HTMLElement | null} */ (null));
  return html`<div class="lined">
    <div class="numbers" aria-hidden="true" ref=${numbers}>${lines.map((_, index) => html`<span key=${index} class=${marks.get(index + 1)}>${index + 1}</span>`)}</div>
    <textarea id=${id} ref=${area} class="mono" wrap="off" rows=${Math.max(10, lines.length + 1)} spellcheck=${false} autocapitalize="off"
      aria-invalid=${issues.some((issue) => issue.severity === 'error') ? 'true' : undefined}
      value=${value} onInput=${(/** @type {any} */ event) => set(event.target.value)}
      onScroll=${(/** @type {any} */ event) => {
        if (numbers.current) numbers.current.scrollTop = event.target.scrollTop;
      }}></textarea>
  </div>`;
}
