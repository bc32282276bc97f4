/** A conversation with an agent: the project manager's, or another's. */

import { useEffect, useLayoutEffect, useRef, useState } from '../vendor/hooks.js';
import { message_cancel, message_continue, message_get, message_list, thread_approval_decide, thread_get, thread_resume } from '../api/threads.js';
import { troubleOf } from '../api/client.js';
import { Act, Button } from '../part/act.js';
import { Composer } from '../part/composer.js';
import { useFollow } from '../part/follow.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { Items, stretches } from '../part/items.js';
import { Empty, Fold, Head } from '../part/layout.js';
import { Markdown } from '../part/markdown.js';
import { Recording, recordingKind } from '../part/recording.js';
import { Spent } from '../part/spent.js';
import { Status } from '../part/status.js';
import { ThreadMenu } from '../part/thread_menu.js';
import { ThreadList } from '../part/thread_list.js';
import { When } from '../part/time.js';
import { TroubleNote, Unread } from '../part/trouble.js';
import { Permission } from '../part/permission.js';
import { words } from '../part/words.js';
import { to } from '../state/route.js';
import { leaveTurns, piecesIn, readMessages, readTurn, state, useResource } from '../state/store.js';

/**
 * @typedef {import('../api/types.d.ts').Message} Message
 * @typedef {import('../api/types.d.ts').Thread} Thread
 */

/** Messages a page. */
const PAGE = 30;

/** @param {{params: Record<string, string>, query: Record<string, string>}} props */
export default function Chat({ params, query }) {
  // The project manager's thread goes by a name of its own.
  const key = params.thread ?? 'pma';
  const about = useResource(`thread_get ${key}`, () => thread_get(key));
  const thread = about.data && (state.value.threads[about.data.id] ?? about.data);
  if (!thread) return html`${h(Head, { title: 'Chat', up: params.thread ? '#/threads' : undefined })}${h(Unread, { of: about })}`;
  return h(Conversation, { key: thread.id, thread, main: !params.thread, refresh: about.refresh, given: query.text ?? '', shared: query.shared === '1' });
}

/** @param {{thread: Thread, main: boolean, refresh: () => void, given: string, shared: boolean}} props */
function Conversation({ thread, main, refresh, given, shared }) {
  const id = thread.id;
  const newest = useResource(`message_list ${id}`, () => readMessages(id, () => message_list(id, { limit: PAGE }), (page) => page.items));
  const [first, setFirst] = useState(/** @type {number | undefined} */ (undefined));
  const [more, setMore] = useState(true);
  const messages = state.value.messages[id] ?? [];
  const working = thread.status === 'working' || thread.status === 'asking';
  const current = messages.find((message) => message.id === thread.current);
  const written = current?.turn ? piecesIn(current.turn).value : undefined;
  const { end, away, toEnd } = useFollow(true, [messages.length, written, current?.turn && state.value.turns[current.turn], current?.status, newest.data]);
  const before = useRef(0);

  useEffect(() => {
    if (newest.data && first === undefined) setMore(Boolean(newest.data.next));
  }, [newest.data]);
  useEffect(() => () => leaveTurns(Object.keys(state.value.turns)), []);
  // What is put in above must not move what is read.
  useLayoutEffect(() => {
    if (!before.current) return;
    window.scrollBy(0, document.documentElement.scrollHeight - before.current);
    before.current = 0;
  }, [first]);

  async function earlier() {
    await readMessages(id, () => message_list(id, { before: messages[0]?.number, limit: PAGE }), (page) => {
      before.current = document.documentElement.scrollHeight;
      setFirst(page.items[0]?.number);
      setMore(Boolean(page.next));
      return page.items;
    });
  }

  return html`<div class="chat">
    <div class="threads-beside">${h(ThreadList, { current: id })}</div>
    <div class="conversation">
      ${h(Head, {
        title: thread.name,
        up: main ? undefined : '#/threads',
        crumb: html`${thread.agent}${thread.repo ? html` in <a href=${to('repos', thread.repo)}>${thread.repo}</a>` : ''}`,
        children: html`${main && html`<a class="button plain only-narrow" href="#/threads">Threads</a>`}${h(ThreadMenu, { thread, refresh })}`,
      })}
      <div class="stack wide messages">
        ${h(Unread, { of: newest })}
        ${more && messages.length >= PAGE && h(Act, { tone: 'plain', full: true, work: earlier, children: 'Earlier messages' })}
        ${newest.data && messages.length === 0 && h(Welcome, { thread })}
        ${messages.map((message, index) => [
          index > 0 && message.conversation !== messages[index - 1].conversation && html`<p class="divider small muted" key=${`new ${message.id}`}><span>A new conversation begins; the agent does not remember what is above.</span></p>`,
          h(MessageView, { key: message.id, message, repo: thread.repo ?? null, last: index === messages.length - 1 }),
        ])}
        ${(thread.approvals_open ?? []).map((approval) => h(Permission, { key: approval.id, approval, decide: (/** @type {string} */ decision) => thread_approval_decide(id, approval.id, decision).then(refresh) }))}
        ${thread.status === 'held' && html`<div class="notice wants">${h(Icon, { name: 'clock', size: 18 })}<div class="grow">${words(thread.explain)}</div>${h(Act, { work: () => thread_resume(id).then(refresh), children: 'Go on' })}</div>`}
        <div ref=${end} class="the-end"></div>
      </div>
      ${away && html`<div class="to-end">${h(Button, { icon: 'down', label: 'To the newest', onClick: toEnd })}</div>`}
      ${thread.archived_at
        ? html`<p class="notice">This thread was put away; take it out again to go on.</p>`
        : h(Composer, { thread, working, given, shared, posted: toEnd })}
    </div>
  </div>`;
}

/** @param {{thread: Thread}} props */
function Welcome({ thread }) {
  if (thread.kind !== 'pma') return h(Empty, { title: 'Nothing was said yet', children: html`<p>Write below what you want from ${thread.agent}.</p>` });
  return h(Empty, {
    title: 'Your project manager',
    children: html`<p>It knows the hub: repos, tickets, runs. Say what you want in plain words; it makes the worktrees and tickets, starts runs, and tells you what became of them.</p>
      <ul class="stack tight examples">
        ${['What is going on?', 'Split this into tickets: …', 'What did last night cost?'].map((text) => html`<li key=${text} class="muted">“${text}”</li>`)}
      </ul>`,
  });
}

/** @param {{message: Message, repo: string | null, last: boolean}} props */
function MessageView({ message, repo, last }) {
  return html`<article class="exchange stack" aria-label=${`Message ${message.number}`}>
    <div class=${`said ${message.origin === 'wake' ? 'by-hub' : ''}`}>
      ${message.origin === 'wake' && html`<span class="tiny muted row">${h(Icon, { name: 'bell', size: 14 })}${message.author}</span>`}
      ${message.body && h(Markdown, { text: message.body, breaks: true })}
      ${(message.attachments ?? []).length > 0 && html`<ul class="row wrap">${message.attachments?.map((name) => html`<li key=${name} class=${`chip file ${recordingKind(name) ? 'spoken' : ''}`}>${recordingKind(name) ? h(Recording, { repo, name }) : h(Icon, { name: 'clip', size: 14 })}<span class="line">${name}</span></li>`)}</ul>`}
      <span class="tiny muted">${message.origin === 'user' && message.author ? `${message.author} · ` : ''}${h(When, { at: message.created_at })}</span>
    </div>
    ${h(Answer, { message, last })}
  </article>`;
}

/** @param {{message: Message, last: boolean}} props */
function Answer({ message, last }) {
  const { status, turn } = message;
  const working = status === 'working';
  const view = turn ? state.value.turns[turn] : undefined;
  const [trouble, setTrouble] = useState(/** @type {import('../api/client.js').Trouble | null} */ (null));
  const [seen, setSeen] = useState(false);
  const load = () => {
    if (!turn) return;
    readTurn(turn, () => message_get(message.thread, message.id)).then(() => setTrouble(null), (error) => setTrouble(troubleOf(error)));
  };
  // What is under way is shown as it comes; of what is over, the work is read when it is asked for.
  useEffect(() => {
    if (turn && !view && (working || (last && status !== 'completed'))) load();
  }, [turn, working]);

  if (status === 'queued') {
    return html`<div class="row small muted">${h(Status, { status, word: 'waits its turn' })}${h(Act, { tone: 'plain', work: () => message_cancel(message.thread, message.id), children: 'Take it back' })}</div>`;
  }
  const pieces = turn ? piecesIn(turn).value : {};
  return html`<div class="answer stack">
    ${view
      ? h(Items, { items: view.items, pieces, running: working })
      : html`${turn && !working && h(Fold, {
            class: 'work',
            open: seen,
            onOpen: (/** @type {boolean} */ open) => {
              setSeen(open);
              if (open) load();
            },
            summary: html`<span class="muted">What it did</span>`,
          })}${message.answer && h(Markdown, { text: message.answer })}`}
    ${view && !working && message.answer && !stretches(view.items).some((stretch) => 'words' in stretch) && h(Markdown, { text: message.answer })}
    ${working && (!view || (view.items.length === 0 && Object.keys(pieces).length === 0)) && html`<p class="row small muted">${h(Status, { status: 'working', word: 'reads your message' })}</p>`}
    ${h(TroubleNote, { trouble })}
    ${!working && h(Spent, { message })}
    ${(status === 'failed' || status === 'interrupted' || status === 'blocked' || status === 'cancelled') && html`<div class="row wrap small">
      ${h(Status, { status, word: { failed: 'failed', interrupted: 'cut off', blocked: 'stopped by a safety rule', cancelled: 'taken back' }[status] })}
      <span class="muted grow">${message.error?.message ?? message.detail ?? ''}</span>
      ${(status === 'failed' || status === 'interrupted') && last && h(Act, { icon: 'play', work: () => message_continue(message.thread, message.id), children: 'Continue' })}</div>`}
  </div>`;
}
