/**
 * The page is a fold over the hub's log: what is shown of runs, turns and jobs is what the events
 * say, one after the other. Pure: the same state and event give the same state, and a state is
 * never changed in place.
 *
 * @typedef {import('../api/types.d.ts').Event} Event
 * @typedef {import('../api/types.d.ts').HubSnapshot} HubSnapshot
 * @typedef {import('../api/types.d.ts').RunLine} RunLine
 * @typedef {import('../api/types.d.ts').Job} Job
 * @typedef {import('../api/types.d.ts').Item} Item
 * @typedef {import('../api/types.d.ts').PlanStep} PlanStep
 * @typedef {import('../api/types.d.ts').Turn} Turn
 * @typedef {import('../api/types.d.ts').InboxItem} InboxItem
 * @typedef {import('../api/types.d.ts').Thread} Thread
 * @typedef {import('../api/types.d.ts').Message} Message
 */

/**
 * A run as lists show it.
 * @typedef {RunLine & {turn?: string, last?: string, endedAt?: string}} Line
 */

/**
 * A turn somebody looks at.
 * @typedef {object} TurnView
 * @property {Item[]} items
 * @property {PlanStep[]} plan
 * @property {string[]} notices
 */

/**
 * @typedef {object} State
 * @property {string} epoch
 * @property {number} seq Number of the last event that is in it.
 * @property {Record<string, Line>} runs Those that have not ended, and those that ended since.
 * @property {Record<string, Job>} jobs Those that are at work, and those that ended since.
 * @property {Record<string, InboxItem>} inbox What waits for a person.
 * @property {number} waiting How many things wait.
 * @property {Record<string, TurnView>} turns Those somebody looks at.
 * @property {Record<string, Thread>} threads Those somebody looks at, and those that changed since.
 * @property {Record<string, Message[]>} messages Of threads somebody looks at, in order.
 */

/** @type {State} */
export const EMPTY = { epoch: '', seq: 0, runs: {}, jobs: {}, inbox: {}, waiting: 0, turns: {}, threads: {}, messages: {} };

const ENDS = new Set(['completed', 'failed', 'stopped', 'superseded']);

/**
 * Whether a run that stands so is over for good.
 * @param {string} status
 */
export const isEnd = (status) => ENDS.has(status);

/**
 * The state a snapshot tells.
 * @param {HubSnapshot} snapshot
 * @param {Job[]} jobs
 * @param {InboxItem[]} inbox
 * @param {State} before What somebody looks at is kept until it is read again.
 * @returns {State}
 */
export function fromSnapshot(snapshot, jobs, inbox, before = EMPTY) {
  return {
    ...before,
    epoch: snapshot.epoch ?? '',
    seq: snapshot.as_of,
    runs: Object.fromEntries(snapshot.runs.map((run) => [run.id, run])),
    // Those somebody looks at are read again.
    threads: {},
    ...lists(jobs, inbox, before),
    waiting: snapshot.attention_total,
  };
}

/**
 * The state with the jobs and the open items of the inbox as they were read.
 * @param {State} state
 * @param {Job[]} jobs
 * @param {InboxItem[]} inbox
 * @returns {State}
 */
export function withLists(state, jobs, inbox) {
  return { ...state, ...lists(jobs, inbox, state) };
}

/**
 * @param {Job[]} jobs
 * @param {InboxItem[]} inbox
 * @param {State} before Jobs that have ended stay.
 */
function lists(jobs, inbox, before) {
  const ended = Object.values(before.jobs).filter((job) => job.status !== 'running');
  return {
    jobs: Object.fromEntries([...ended, ...jobs].map((job) => [job.id, job])),
    inbox: Object.fromEntries(inbox.map((item) => [item.id, item])),
  };
}

/**
 * The state with a turn that was read as a whole.
 * @param {State} state
 * @param {string} id
 * @param {Item[]} items
 * @param {PlanStep[]} [plan]
 * @returns {State}
 */
export function withTurn(state, id, items, plan) {
  const known = state.turns[id];
  const view = { items, plan: plan ?? known?.plan ?? [], notices: known?.notices ?? [] };
  return { ...state, turns: { ...state.turns, [id]: view } };
}

/**
 * The state with an item of the inbox as it is now.
 * @param {State} state
 * @param {InboxItem} item
 * @returns {State}
 */
export function withInbox(state, item) {
  const { [item.id]: before, ...others } = state.inbox;
  if (item.status === 'open') return { ...state, inbox: { ...others, [item.id]: { ...before, ...item } } };
  return { ...state, inbox: others };
}

/**
 * The state with messages of a thread that were read.
 * @param {State} state
 * @param {string} thread
 * @param {Message[]} read
 * @returns {State}
 */
export function withMessages(state, thread, read) {
  const known = state.messages[thread] ?? [];
  return { ...state, messages: { ...state.messages, [thread]: read.reduce(withMessage, known) } };
}

/**
 * The messages with one that is new, or stands differently. They are numbered from 1.
 * @param {Message[]} messages
 * @param {Message} message
 */
function withMessage(messages, message) {
  const place = messages.findLastIndex((known) => known.number <= message.number);
  if (place >= 0 && messages[place].id === message.id) return messages.with(place, message);
  return messages.toSpliced(place + 1, 0, message);
}

/**
 * The state without turns nobody looks at any more.
 * @param {State} state
 * @param {string[]} turns
 * @returns {State}
 */
export function withoutTurns(state, turns) {
  const left = Object.entries(state.turns).filter(([id]) => !turns.includes(id));
  return { ...state, turns: Object.fromEntries(left) };
}

/**
 * What an event makes of the state. An event that is in it already changes nothing.
 * @param {State} state
 * @param {Event} event
 * @returns {State}
 */
export function apply(state, event) {
  if (event.seq <= state.seq) return state;
  return folded({ ...state, seq: event.seq }, event);
}

/**
 * @param {State} state
 * @param {Event} event
 * @returns {State}
 */
function folded(state, event) {
  const kind = event.event;
  switch (kind.kind) {
    case 'run_created':
      return run(state, event, (line) => line);
    case 'run_state_changed':
      return run(state, event, (line) => ({
        ...line,
        status: kind.state.status,
        explain: kind.explain,
        owner: ownerOf(kind.state.status),
        next_at: nextAt(kind.state),
        endedAt: isEnd(kind.state.status) ? event.at : undefined,
      }));
    case 'ticket_selected':
      return run(state, event, (line) => ({
        ...line,
        ticket: `${String(kind.ticket.number).padStart(3, '0')} ${kind.ticket.title}`,
      }));
    case 'ticket_finished':
      return run(state, event, (line) => ({ ...line, tickets: oneMoreDone(line.tickets) }));
    case 'turn_started':
      return run(state, event, (line) => ({ ...line, turns: kind.number, turn: kind.turn, last: undefined }));
    case 'turn_ended':
      return run(state, event, (line) => ({
        ...line,
        turn: undefined,
        tokens: line.tokens + kind.usage.input_tokens + kind.usage.output_tokens,
      }));
    case 'item_updated':
      return run(withNews(state, event), event, (line) => ({ ...line, last: lastOf(kind.item) ?? line.last }));
    case 'plan_updated':
    case 'message_updated':
    case 'job_updated':
      return withNews(state, event);
    case 'agent_notice':
      return turn(state, kind.turn, (view) => ({ ...view, notices: [...view.notices, kind.message] }));
    case 'verify_started':
      return run(state, event, (line) => ({ ...line, last: `checks: ${kind.commands.join(' && ')}` }));
    case 'inbox_updated':
      return { ...withNews(state, event), waiting: kind.counts.open };
    case 'thread_updated':
      return { ...state, threads: { ...state.threads, [kind.thread.id]: kind.thread } };
    case 'hub_started':
    case 'repo_added':
    case 'repo_removed':
    case 'ticket_changed':
    case 'context_changed':
    case 'session_started':
    case 'session_ended':
    case 'rate_limits_updated':
    case 'approval_requested':
    case 'approval_resolved':
    case 'diff_updated':
    case 'checkpoint':
    case 'dispatch_created':
    case 'reply_received':
    case 'verify_ended':
    case 'templates_changed':
    case 'backup_failed':
    case 'restore_confirmed':
    case 'webhook_disabled':
    case 'notification_updated':
    case 'terminal_updated':
    case 'file_changed':
    case 'pma_doc_changed':
      return state;
  }
  // A newer hub says more than this page knows; of what it knows, nothing may be left out above.
  /** @type {never} */
  const unknown = kind;
  void unknown;
  return state;
}

/**
 * What an event says of a turn, a message, a job or an item of the inbox as a whole. It may be said
 * again over an answer of the hub that was made before it: what changed last stands.
 * @param {State} state
 * @param {Event} event
 * @returns {State}
 */
export function withNews(state, event) {
  const kind = event.event;
  switch (kind.kind) {
    case 'item_updated':
      return turn(state, kind.turn, (view) => ({ ...view, items: withItem(view.items, kind.item) }));
    case 'plan_updated':
      return turn(state, kind.turn, (view) => ({ ...view, plan: kind.steps }));
    case 'message_updated': {
      const { thread } = kind.message;
      return state.messages[thread] ? withMessages(state, thread, [kind.message]) : state;
    }
    case 'job_updated':
      return { ...state, jobs: { ...state.jobs, [kind.job.id]: kind.job } };
    case 'inbox_updated':
      return withInbox(state, kind.item);
    default:
      return state;
  }
}

/**
 * @param {State} state
 * @param {Event} event
 * @param {(line: Line) => Line} change
 * @returns {State}
 */
function run(state, event, change) {
  if (!event.run) return state;
  const known = state.runs[event.run] ?? begun(event);
  return { ...state, runs: { ...state.runs, [event.run]: change(known) } };
}

/**
 * A run this page did not know of.
 * @param {Event} event
 * @returns {Line}
 */
function begun(event) {
  return {
    id: /** @type {string} */ (event.run),
    repo: event.repo ?? '',
    status: 'pending',
    explain: 'waits for a free slot',
    owner: 'hub',
    tickets: { total: 0, done: 0, invalid: 0 },
    turns: 0,
    tokens: 0,
    created_at: event.at,
  };
}

/**
 * @param {State} state
 * @param {string} id
 * @param {(view: TurnView) => TurnView} change
 * @returns {State}
 */
function turn(state, id, change) {
  const known = state.turns[id];
  return known ? { ...state, turns: { ...state.turns, [id]: change(known) } } : state;
}

/**
 * @param {Item[]} items
 * @param {Item} item
 */
function withItem(items, item) {
  const place = items.findIndex((known) => known.id === item.id);
  return place < 0 ? [...items, item] : items.with(place, item);
}

/** @param {import('../api/types.d.ts').TicketCounts} counts */
function oneMoreDone(counts) {
  return { ...counts, done: Math.min(counts.done + 1, counts.total) };
}

/** @param {string} status @returns {RunLine['owner']} */
function ownerOf(status) {
  if (isEnd(status)) return 'nobody';
  if (status === 'paused') return 'user';
  if (status === 'parked') return 'provider';
  return status === 'running' ? 'agent' : 'hub';
}

/** @param {import('../api/types.d.ts').RunState} state */
function nextAt(state) {
  if (state.status === 'parked') return state.until;
  if (state.status === 'running' && state.phase.name === 'backing_off') return state.phase.until;
  return undefined;
}

/**
 * What an agent did last, in one line.
 * @param {Item} item
 * @returns {string | undefined}
 */
export function lastOf(item) {
  const body = item.body;
  switch (body.type) {
    case 'message':
    case 'reasoning':
      return lastLine(body.text);
    case 'command':
      return `$ ${firstLine(body.command)}`;
    case 'file_change':
      return body.changes.length === 1
        ? `edits ${body.changes[0].path}`
        : `edits ${body.changes.length} files`;
    case 'tool':
      return body.name;
  }
  return undefined;
}

/** @param {string} text */
const firstLine = (text) => text.split('\n', 1)[0];

/**
 * The last line with something on it.
 * @param {string} text
 * @returns {string | undefined}
 */
export function lastLine(text) {
  const lines = text.split('\n');
  return lines.findLast((line) => line.trim() !== '')?.trim();
}
