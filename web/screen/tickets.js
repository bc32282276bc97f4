/** The queue of a repo or worktree, in the order in which it is worked. */

import { useRef, useState } from '../vendor/hooks.js';
import { troubleOf } from '../api/client.js';
import { repo_get } from '../api/repos.js';
import { ticket_create, ticket_lint, ticket_list, ticket_move } from '../api/tickets.js';
import { Act, Button, useAct } from '../part/act.js';
import { Field } from '../part/field.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { Empty, Head } from '../part/layout.js';
import { counted } from '../part/number.js';
import { RepoTabs } from '../part/repo_tabs.js';
import { Sheet } from '../part/sheet.js';
import { TicketRow } from '../part/tickets.js';
import { TroubleNote, Unread } from '../part/trouble.js';
import { to } from '../state/route.js';
import { state, useResource } from '../state/store.js';
import { isEnd } from '../state/apply.js';
import { drafts } from '../state/ticket_text.js';

/** @typedef {import('../api/types.d.ts').Ticket} Ticket */

/** @param {{params: Record<string, string>}} props */
export default function Tickets({ params }) {
  const repo = params.repo;
  const mine = (/** @type {import('../api/types.d.ts').Event} */ event) => event.repo === repo && ['ticket_changed', 'run_state_changed'].includes(event.event.kind);
  const tickets = useResource(`ticket_list ${repo}`, () => everyTicket(repo), mine);
  const about = useResource(`repo_get ${repo}`, () => repo_get(repo), mine);
  const [ordering, setOrdering] = useState(false);
  const [bulk, setBulk] = useState(false);
  const items = tickets.data ?? [];
  const fixable = items.some((ticket) => ticket.issues.some((issue) => issue.fixable));
  const current = Object.values(state.value.runs).find((run) => run.repo === repo && !isEnd(run.status))?.ticket;

  return html`
    ${h(Head, {
      title: 'Tickets',
      crumb: html`<a href=${to('repos', repo)}>${about.data?.name ?? repo}</a>`,
      up: to('repos', repo),
      children: html`<a class="button" href=${to('repos', repo, 'tickets', 'new')}>${h(Icon, { name: 'plus', size: 18 })}New</a>`,
    })}
    <div class="stack">
      ${h(RepoTabs, { repo, current: to('repos', repo, 'tickets') })}
      ${h(Unread, { of: tickets })}
      ${items.length > 0 && html`<div class="row wrap">
        <span class="grow small muted">${items.filter((ticket) => ticket.state === 'done').length} of ${items.length} done</span>
        ${fixable && h(Act, { tone: 'plain', work: async () => { await ticket_lint(repo, true); tickets.refresh(); }, children: 'Mend what can be' })}
        ${items.length > 1 && h(Button, { tone: 'plain', pressed: ordering, icon: 'drag', onClick: () => setOrdering(!ordering), children: ordering ? 'Done' : 'Order' })}
        ${h(Button, { tone: 'plain', icon: 'list', onClick: () => setBulk(true), children: 'Add several' })}
      </div>`}
      ${tickets.data && items.length === 0 && h(Empty, {
        title: 'The queue is empty',
        children: html`<p>A ticket says what is to be done, by which agent, and the commands that prove it is.</p>
          <div class="row wrap" style=${{ justifyContent: 'center' }}><a class="button main" href=${to('repos', repo, 'tickets', 'new')}>Write the first</a>${h(Button, { onClick: () => setBulk(true), children: 'Add several at once' })}</div>`,
      })}
      ${items.length > 0 && (ordering
        ? h(Order, { repo, items, set: tickets.set, refresh: tickets.refresh })
        : html`<ol class="list">${items.map((ticket) => html`<li key=${ticket.id}>${h(TicketRow, { ticket, current: isCurrent(ticket, current) })}</li>`)}</ol>`)}
    </div>
    ${bulk && h(Several, { repo, close: () => setBulk(false), done: tickets.refresh })}`;
}

/** @param {Ticket} ticket @param {string | null | undefined} current */
function isCurrent(ticket, current) {
  return ticket.state === 'open' && Boolean(current) && Number.parseInt(current ?? '', 10) === ticket.number;
}

/** @param {string} repo @returns {Promise<Ticket[]>} */
async function everyTicket(repo) {
  /** @type {Ticket[]} */
  const all = [];
  let after;
  do {
    const page = await ticket_list(repo, { limit: 500, after });
    all.push(...page.items);
    after = page.next;
  } while (after);
  return all;
}

/**
 * The queue while its order is changed: by dragging, or a step at a time.
 * @param {{repo: string, items: Ticket[], set: (items: Ticket[]) => void, refresh: () => void}} props
 */
function Order({ repo, items: known, set, refresh }) {
  const [trouble, setTrouble] = useState(/** @type {import('../api/client.js').Trouble | null} */ (null));
  const [dragged, setDragged] = useState(/** @type {number | null} */ (null));
  const [said, setSaid] = useState('');
  const list = useRef(/** @type {HTMLElement | null} */ (null));

  // Until the last move is made, what the hub says in between is older than what is seen.
  const [wished, setWished] = useState(/** @type {Ticket[] | null} */ (null));
  const items = wished ?? known;

  // Moves are made one after another, with the numbers that the hub gave last: whoever is quick
  // does not wait for them.
  const standing = useRef(known);
  if (!wished) standing.current = known;
  const moves = useRef({ under: 0, done: Promise.resolve() });

  /** @param {number} from @param {number} to */
  function move(from, to) {
    if (to < 0 || to >= items.length || from === to) return;
    const ticket = items[from];
    const next = items.filter((one) => one !== ticket);
    next.splice(to, 0, ticket);
    moves.current.under += 1;
    set(next);
    setWished(next);
    setSaid(`${ticket.title} is number ${to + 1} of ${items.length}`);
    moves.current.done = moves.current.done.then(() => carryOut(ticket, next[to + 1], next[to - 1]));
  }

  /**
   * @param {Ticket} ticket
   * @param {Ticket | undefined} after What it comes before: that makes room for it.
   * @param {Ticket | undefined} before
   */
  async function carryOut(ticket, after, before) {
    const number = (/** @type {Ticket | undefined} */ one) => standing.current.find((known) => known.id === one?.id)?.number;
    try {
      const wanted = number(after) ?? (number(before) ?? 0) + 1;
      standing.current = (await ticket_move(repo, ticket.id, wanted)).items;
      if (moves.current.under === 1) set(standing.current);
      setTrouble(null);
    } catch (error) {
      setTrouble(troubleOf(error));
      refresh();
    }
    moves.current.under -= 1;
    if (moves.current.under === 0) setWished(null);
  }

  /** Which place a pointer is at. @param {number} y */
  function placeAt(y) {
    const rows = [...(list.current?.children ?? [])];
    const place = rows.findIndex((row) => y < row.getBoundingClientRect().bottom);
    return place < 0 ? rows.length - 1 : place;
  }

  return html`${h(TroubleNote, { trouble })}
    <p class="unseen" role="status">${said}</p>
    <ol class="list ordering" ref=${list}>${items.map((ticket, index) => html`<li key=${ticket.id} class=${dragged === index ? 'dragged' : undefined}><div class="item">
      <button type="button" class="button plain icon handle" tabindex="-1" aria-hidden="true"
        onPointerDown=${(/** @type {PointerEvent} */ event) => {
          /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
          setDragged(index);
        }}
        onPointerUp=${(/** @type {PointerEvent} */ event) => {
          setDragged(null);
          move(index, placeAt(event.clientY));
        }}
        onPointerCancel=${() => setDragged(null)}>${h(Icon, { name: 'drag' })}</button>
      <span class="grow line">${ticket.title}</span>
      ${h(Button, { icon: 'up', label: `Move “${ticket.title}” up`, tone: 'plain', disabled: index === 0, onClick: () => move(index, index - 1) })}
      ${h(Button, { icon: 'down', label: `Move “${ticket.title}” down`, tone: 'plain', disabled: index === items.length - 1, onClick: () => move(index, index + 1) })}
    </div></li>`)}</ol>`;
}

/** @param {{repo: string, close: () => void, done: () => void}} props */
function Several({ repo, close, done }) {
  const [text, setText] = useState('');
  const [verify, setVerify] = useState('');
  const [made, setMade] = useState(0);
  const found = drafts(text);
  const { act, busy, slow, trouble } = useAct(async () => {
    const commands = verify.split('\n').map((line) => line.trim()).filter(Boolean);
    for (const draft of found.slice(made)) {
      await ticket_create(repo, { ...draft, verify: commands });
      setMade((count) => count + 1);
    }
    done();
    close();
  });
  return h(Sheet, {
    title: 'Add several tickets',
    close,
    children: html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void act();
    }}>
      ${h(Field, { label: 'Tickets', value: text, set: setText, rows: 8, hint: 'One a line; or Markdown, with a heading for each and its text below.' })}
      ${h(Field, { label: 'Commands that prove each of them', value: verify, set: setVerify, rows: 2, mono: true, plain: true, hint: 'One a line. The hub runs them when an agent says that it is done.' })}
      ${found.length > 0 && html`<ol class="small muted numbered">${found.slice(0, 6).map((draft) => html`<li key=${draft.title} class="line">${draft.title}</li>`)}${found.length > 6 && html`<li>and ${found.length - 6} more</li>`}</ol>`}
      ${h(TroubleNote, { trouble })}
      ${h(Button, { tone: 'main', type: 'submit', full: true, busy: slow, disabled: busy || found.length === 0, children: busy ? `${made} of ${found.length} added` : `Add ${counted(found.length, 'ticket')}` })}
    </form>`,
  });
}
