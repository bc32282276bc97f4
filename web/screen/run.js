/** One run: what its agent does, what the hub found, and what can be done about it. */

import { useEffect, useState } from '../vendor/hooks.js';
import { approval_decide, run_dispatches, run_evidence, run_get, run_pause, run_replies, run_reply, run_resume, run_start, run_stop, run_turns, turn_get } from '../api/runs.js';
import { troubleOf } from '../api/client.js';
import { Act, Button } from '../part/act.js';
import { EvidenceCard } from '../part/evidence.js';
import { useFollow } from '../part/follow.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { Items } from '../part/items.js';
import { Fold, Head, Section } from '../part/layout.js';
import { Markdown } from '../part/markdown.js';
import { Price } from '../part/money.js';
import { counted, few } from '../part/number.js';
import { Done } from '../part/runs.js';
import { Status } from '../part/status.js';
import { Sure } from '../part/sure.js';
import { Since, When } from '../part/time.js';
import { TroubleNote, Unread } from '../part/trouble.js';
import { words } from '../part/words.js';
import { Permission } from '../part/permission.js';
import { Reply, below } from '../part/waiting.js';
import { isEnd } from '../state/apply.js';
import { goOn, to } from '../state/route.js';
import { leaveTurns, piecesIn, readTurn, state, useResource } from '../state/store.js';

/**
 * @typedef {import('../api/types.d.ts').Run} Run
 * @typedef {import('../api/types.d.ts').Turn} Turn
 * @typedef {import('../api/types.d.ts').Evidence} Evidence
 * @typedef {import('../api/types.d.ts').Dispatch} Dispatch
 * @typedef {import('../api/types.d.ts').Reply} ReplyEntry
 * @typedef {{at: string, turn: Turn} | {at: string, evidence: Evidence} | {at: string, dispatch: Dispatch} | {at: string, reply: ReplyEntry}} Entry
 */

/** What changes a run as a whole. */
const KINDS = new Set(['run_state_changed', 'approval_requested', 'approval_resolved', 'ticket_selected', 'ticket_finished', 'turn_ended', 'ticket_changed']);

/** @param {{params: Record<string, string>}} props */
export default function RunScreen({ params }) {
  const id = params.run;
  const of = (/** @type {string[]} */ ...kinds) => (/** @type {import('../api/types.d.ts').Event} */ event) => event.run === id && kinds.includes(event.event.kind);
  const run = useResource(`run_get ${id}`, () => run_get(id), (event) => event.run === id && KINDS.has(event.event.kind));
  const turns = useResource(`every run_turns ${id}`, () => everyTurn(id), of('turn_started', 'turn_ended', 'diff_updated'));
  const evidence = useResource(`run_evidence ${id}`, () => run_evidence(id), of('verify_ended'));
  const dispatches = useResource(`run_dispatches ${id}`, () => run_dispatches(id, { limit: 500 }), of('dispatch_created'));
  const replies = useResource(`run_replies ${id}`, () => run_replies(id), of('reply_received'));
  const data = run.data;
  const line = state.value.runs[id];
  const current = line?.turn;
  const written = current ? piecesIn(current).value : undefined;
  const running = data?.state.status === 'running';
  const { end, away, toEnd } = useFollow(running, [written, turns.data, evidence.data, current && state.value.turns[current]]);

  useEffect(() => () => leaveTurns(Object.keys(state.value.turns)), []);

  if (!data) return html`${h(Head, { title: 'Run', up: '#/runs' })}${h(Unread, { of: run })}`;
  const entries = timeline(turns.data ?? [], evidence.data?.items ?? [], dispatches.data?.items ?? [], replies.data?.items ?? []);
  const lastTurn = turns.data?.at(-1)?.id;
  return html`
    ${h(Head, {
      title: data.ticket ? `${String(data.ticket.number).padStart(3, '0')} ${data.ticket.title}` : `Run of ${data.repo}`,
      crumb: html`<a href=${to('repos', data.repo)}>${data.repo}</a>`,
      up: '#/runs',
    })}
    <div class="columns">
      <div class="stack">
        ${h(Unread, { of: run })}
        ${h(Explained, { run: data })}
        ${(data.approvals ?? []).map((approval) => h(Permission, { key: approval.id, approval, decide: (/** @type {string} */ decision) => approval_decide(id, approval.id, decision).then(run.refresh) }))}
        ${h(Unread, { of: turns })}
        <div class="stack" aria-label="What happened" role="log" aria-live="off">
          ${entries.map((entry) => h(EntryView, { key: keyOf(entry), entry, open: 'turn' in entry && entry.turn.id === lastTurn }))}
        </div>
        <div ref=${end} class="the-end"></div>
        ${h(Controls, { run: data, refresh: run.refresh })}
      </div>
      <div class="side stack wide">${h(Facts, { run: data, evidence: evidence.data?.items ?? [] })}</div>
    </div>
    ${running && away && html`<div class="to-end">${h(Button, { icon: 'down', label: 'To the newest', onClick: toEnd })}</div>`}`;
}

/** @param {string} run @returns {Promise<Turn[]>} */
async function everyTurn(run) {
  /** @type {Turn[]} */
  const all = [];
  let after;
  do {
    const page = await run_turns(run, { limit: 500, after });
    all.push(...page.items);
    after = page.next;
  } while (after);
  return all;
}

/**
 * Everything in the order it happened.
 * @param {Turn[]} turns
 * @param {Evidence[]} evidence
 * @param {Dispatch[]} dispatches
 * @param {ReplyEntry[]} replies
 * @returns {Entry[]}
 */
function timeline(turns, evidence, dispatches, replies) {
  const told = dispatches.filter((dispatch) => dispatch.mode !== 'turn_summary');
  return [
    ...turns.map((turn) => ({ at: turn.started_at, turn })),
    ...evidence.map((one) => ({ at: one.started_at, evidence: one })),
    ...told.map((dispatch) => ({ at: dispatch.created_at ?? '', dispatch })),
    ...replies.map((reply) => ({ at: reply.created_at ?? '', reply })),
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** @param {Entry} entry */
function keyOf(entry) {
  if ('turn' in entry) return entry.turn.id;
  if ('evidence' in entry) return `evidence ${entry.evidence.seq}`;
  if ('dispatch' in entry) return `dispatch ${entry.dispatch.seq}`;
  return `reply ${entry.reply.seq}`;
}

/** @param {{entry: Entry, open: boolean}} props */
function EntryView({ entry, open }) {
  if ('turn' in entry) return h(TurnView, { turn: entry.turn, last: open });
  if ('evidence' in entry) return h(EvidenceCard, { evidence: entry.evidence });
  if ('dispatch' in entry) return h(Said, { who: entry.dispatch.mode === 'pause' ? 'The agent asks' : 'The agent says', at: entry.at, title: entry.dispatch.title, body: entry.dispatch.body, files: entry.dispatch.attachments, wants: entry.dispatch.mode === 'pause' });
  return h(Said, { who: 'You', at: entry.at, title: entry.reply.title, body: entry.reply.body, files: entry.reply.attachments });
}

/** @param {{who: string, at: string, title?: string | null, body: string, files: string[], wants?: boolean}} props */
function Said({ who, at, title, body, files, wants = false }) {
  return html`<article class=${`card stack tight ${wants ? 'wants' : who === 'You' ? 'own' : ''}`}>
    <header class="row small muted"><b class="grow">${who}</b>${at && h(When, { at })}</header>
    ${title && html`<h2>${title}</h2>`}
    ${body.trim() && h(Markdown, { text: body, breaks: who === 'You' })}
    ${files.length > 0 && html`<p class="small muted">${counted(files.length, 'file')}: ${files.join(', ')}</p>`}
  </article>`;
}

/** @type {Record<string, string>} */
const PURPOSES = { work: '', lint_repair: 'mends the ticket', commit: 'commits', verify_fix: 'mends what the check found', continue: 'goes on' };

/** @param {{turn: Turn, last: boolean}} props */
function TurnView({ turn, last }) {
  const [open, setOpen] = useState(last);
  const view = state.value.turns[turn.id];
  const pieces = piecesIn(turn.id).value;
  const [trouble, setTrouble] = useState(/** @type {any} */ (null));
  const running = turn.status === 'running';
  useEffect(() => {
    if (open && !view) readTurn(turn.id, () => turn_get(turn.id)).then(() => setTrouble(null), setTrouble);
  }, [open]);
  const purpose = PURPOSES[turn.purpose] ?? turn.purpose;
  return html`<section class="card turn" aria-label=${`Turn ${turn.number}`}>
    ${h(Fold, {
      open,
      onOpen: setOpen,
      summary: html`
        ${h(Status, { status: turn.status, bare: true })}
        <span class="grow line"><b>Turn ${turn.number}</b> <span class="muted">· ${turn.agent} · ${turn.ticket_file.replace(/\.md$/, '')}${purpose ? ` · ${purpose}` : ''}</span></span>
        <span class="tiny muted number">${h(Since, { from: turn.started_at, until: turn.ended_at })}</span>`,
      children: html`<div class="stack">
        ${h(TroubleNote, { trouble })}
        ${view && view.plan.length > 0 && h(Plan, { steps: view.plan })}
        ${view && h(Items, { items: view.items, pieces, running })}
        ${view?.notices.map((notice, index) => html`<p key=${index} class="small muted">${notice}</p>`)}
        ${view && running && view.items.length === 0 && Object.keys(pieces).length === 0 && html`<p class="small muted">The agent reads the prompt.</p>`}
        ${turn.error && html`<div class="trouble">${h(Icon, { name: 'warn', size: 18 })}<div>${turn.error.message}</div></div>`}
        ${h(PromptFold, { turn: turn.id })}
        ${!running && h(TurnFoot, { turn })}
      </div>`,
    })}
    ${!open && turn.message && html`<p class="small muted line turn-end">${turn.message.trim().split('\n').at(-1)?.replaceAll('**', '').replaceAll('`', '')}</p>`}
  </section>`;
}

/**
 * What the agent was told, read when somebody wants to see it.
 * @param {{turn: string}} props
 */
function PromptFold({ turn }) {
  const [prompt, setPrompt] = useState(/** @type {string | null | undefined} */ (undefined));
  const [trouble, setTrouble] = useState(/** @type {import('../api/client.js').Trouble | null} */ (null));
  const load = () => turn_get(turn).then((whole) => setPrompt(whole.prompt ?? null), (error) => setTrouble(troubleOf(error)));
  return h(Fold, {
    class: 'work',
    onOpen: (/** @type {boolean} */ open) => open && prompt === undefined && void load(),
    summary: html`<span class="muted">The prompt</span>`,
    children: html`<div class="inset stack tight">${h(TroubleNote, { trouble, again: load })}
      ${prompt && html`<pre class="output" tabindex="0">${prompt}</pre>`}
      ${prompt === null && html`<p class="small muted">It is not kept any more: the run’s directory is gone.</p>`}</div>`,
  });
}

/** @param {{turn: Turn}} props */
function TurnFoot({ turn }) {
  const diff = turn.diff;
  return html`<footer class="row wrap tiny muted">
    ${diff && diff.files_changed > 0 && html`<a class="tap" href=${`${to('runs', turn.run, 'diff')}?turn=${turn.id}`}>${counted(diff.files_changed, 'file')} <span class="good">+${diff.insertions}</span> <span class="bad">−${diff.deletions}</span></a>`}
    <span>${few(turn.usage.input_tokens)} tokens read, ${few(turn.usage.output_tokens)} written${typeof turn.cost === 'number' && html`, ${h(Price, { cost: { amount: turn.cost, unpriced_tokens: 0 } })}`}</span>
  </footer>`;
}

/** @param {{steps: import('../api/types.d.ts').PlanStep[]}} props */
function Plan({ steps }) {
  return html`<ol class="stack tight small" aria-label="Plan">${steps.map((step, index) => html`<li key=${index} class="row">
    ${h(Status, { status: step.status === 'pending' ? 'open' : step.status, bare: true })}<span class=${step.status === 'completed' ? 'muted' : ''}>${step.step}</span></li>`)}</ol>`;
}

/** @param {{run: Run}} props */
function Explained({ run }) {
  const { explain } = run;
  const ended = isEnd(run.state.status);
  return html`<div class="card stack tight">
    <div class="row wrap">${h(Status, { status: run.state.status })}<span class="grow"></span>
      <span class="small muted number">${h(Since, { from: run.created_at, until: run.ended_at })}</span></div>
    <p>${words(explain.line)}</p>
    ${!ended && explain.owner !== 'user' && html`<p class="small muted">Next: ${words(explain.next_action)}${explain.next_at ? html`, ${h(When, { at: explain.next_at })}` : ''}</p>`}
    ${run.state.status === 'paused' && run.state.details && below(explain.line, run.state.details) && h(Markdown, { text: below(explain.line, run.state.details), class: 'clip', breaks: run.state.reason !== 'user_pause' })}
    ${run.state.status === 'failed' && html`<pre class="output" tabindex="0">${run.state.message}</pre>`}
    <div class="small muted">${h(Done, { of: run.tickets })}</div>
  </div>`;
}

/** @param {{run: Run, refresh: () => void}} props */
function Controls({ run, refresh }) {
  const status = run.state.status;
  /** @param {(run: string) => Promise<unknown>} operation */
  const doing = (operation) => async () => {
    await operation(run.id);
    refresh();
  };
  /** @param {string} text */
  const answer = async (text) => {
    await run_reply(run.id, text);
    refresh();
  };
  const stop = h(Sure, { icon: 'stop', work: doing(run_stop), question: 'Stop it for good?', children: 'Stop' });
  switch (status) {
    case 'running':
    case 'pending':
      return html`<div class="bar-below row wrap">${h(Act, { icon: 'pause', work: doing(run_pause), children: 'Pause' })}${stop}</div>`;
    case 'paused':
      return html`<div class="bar-below stack">${run.state.resume === 'fix'
        ? html`<div class="row wrap">${stop}${h(Act, { icon: 'play', tone: 'main', work: doing(run_resume), children: 'Go on' })}</div>`
        : h(Reply, { name: run.id, send: answer, beside: [stop, h(Act, { icon: 'play', work: doing(run_resume), children: 'Go on' })] })}</div>`;
    case 'parked':
    case 'stopping':
      return html`<div class="bar-below row wrap">${status === 'parked' && stop}</div>`;
    case 'completed':
    case 'failed':
    case 'stopped':
    case 'superseded': {
      const open = run.tickets.total - run.tickets.done;
      return open > 0 ? html`<div class="bar-below row wrap">${h(Act, {
        icon: 'play',
        tone: 'main',
        work: () => goOn(run_start(run.repo), (next) => to('runs', next.id)),
        children: `Run the ${counted(open, 'ticket')} left`,
      })}</div>` : null;
    }
  }
}

/** @param {{run: Run, evidence: Evidence[]}} props */
function Facts({ run, evidence }) {
  const { usage, options } = run;
  const checks = evidence.filter((one) => one.verdict === 'passed').length;
  return html`
    ${h(Section, {
      title: 'This run',
      children: html`<dl class="card facts">
        <dt>Finished</dt><dd class="number">${counted(run.finished.tickets, 'ticket')}</dd>
        <dt>Verified</dt><dd class="number">${run.finished.verified}</dd>
        <dt>Checks</dt><dd class="number">${checks} of ${evidence.length} passed</dd>
        <dt>Turns</dt><dd class="number">${run.turns} of ${options.max_total_turns}</dd>
        <dt>Tokens read</dt><dd class="number">${few(usage.input_tokens)}</dd>
        <dt>of those cached</dt><dd class="number">${few(usage.cached_input_tokens)}</dd>
        <dt>Tokens written</dt><dd class="number">${few(usage.output_tokens)}</dd>
        ${options.max_tokens && html`<dt>Token budget</dt><dd class="number">${few(options.max_tokens)}</dd>`}
        <dt>Cost</dt><dd class="number">${run.turns === 0 && run.cost.amount === 0 ? '–' : run.cost.amount === 0 && run.cost.unpriced_tokens > 0
          ? html`<a href="#/settings?part=budgets">not priced</a>` : h(Price, { cost: run.cost })}</dd>
        ${options.max_cost && html`<dt>Budget of money</dt><dd class="number">${h(Price, { cost: { amount: options.max_cost, unpriced_tokens: 0 } })}</dd>`}
        <dt>Began</dt><dd class="number">${h(When, { at: run.created_at })}</dd>
        ${run.base_commit && html`<dt>From commit</dt><dd class="number mono">${run.base_commit.slice(0, 10)}</dd>`}
        <dt>Asks before acting</dt><dd class="number">${{ never: 'never', on_request: 'outside its sandbox', untrusted: 'mostly' }[options.approvals]}</dd>
      </dl>`,
    })}
    ${(run.rate_limits ?? []).length > 0 && h(Section, {
      title: 'Quota',
      children: html`<ul class="card stack tight small">${run.rate_limits?.map((limit) => html`<li key=${limit.window}>
        <div class="row"><span class="grow">${limit.window}</span><span>${Math.round(limit.used_percent)} %</span></div>
        <progress max="100" value=${limit.used_percent} aria-label=${limit.window}></progress>
        ${limit.resets_at && html`<span class="tiny muted">resets ${h(When, { at: limit.resets_at })}</span>`}</li>`)}</ul>`,
    })}
    ${h(Section, { title: 'Changes', children: html`<a class="button full" href=${to('runs', run.id, 'diff')}>${h(Icon, { name: 'file', size: 18 })}Review what it changed</a>` })}
    ${h(Section, { title: 'Tickets', children: html`<a class="button full" href=${to('repos', run.repo, 'tickets')}>${h(Done, { of: run.tickets })}</a>` })}`;
}
