import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, apply, fromSnapshot, lastLine, withLists, withMessages, withNews, withTurn, withoutTurns } from '../../state/apply.js';

let seq = 0;
const event = (kind, more = {}) => ({ seq: (seq += 1), at: '2026-01-01T00:00:00Z', repo: 'demo', run: 'run_1', event: kind, ...more });
const fold = (state, ...events) => events.reduce(apply, state);

test('a run is what its events say', () => {
  const usage = { input_tokens: 10, cached_input_tokens: 0, output_tokens: 5, reasoning_tokens: 0 };
  const state = fold(
    EMPTY,
    event({ kind: 'run_created' }),
    event({ kind: 'run_state_changed', state: { status: 'running', phase: { name: 'selecting' } }, explain: 'looks' }),
    event({ kind: 'ticket_selected', ticket: { id: 'tkt_1', number: 7, file: 'TICKET-007.md', title: 'Seven', agent: 'demo' } }),
    event({ kind: 'turn_started', turn: 'trn_1', number: 1, ticket: 'tkt_1', agent: 'demo', purpose: 'work', prompt_hash: '' }),
    event({ kind: 'item_updated', turn: 'trn_1', completed: true, item: { id: 'a', body: { type: 'command', command: 'ls\n-l', cwd: '/', status: 'completed', output: '' } } }),
  );
  const { run_1: run } = state.runs;
  assert.deepEqual(
    [run.status, run.explain, run.owner, run.ticket, run.turn, run.last, run.turns],
    ['running', 'looks', 'agent', '007 Seven', 'trn_1', '$ ls', 1],
  );
  const ended = fold(
    state,
    event({ kind: 'turn_ended', turn: 'trn_1', status: 'completed', error: null, usage }),
    event({ kind: 'run_state_changed', state: { status: 'completed' }, explain: 'done' }),
  ).runs.run_1;
  assert.deepEqual([ended.tokens, ended.turn, ended.owner, ended.endedAt], [15, undefined, 'nobody', '2026-01-01T00:00:00Z']);
});

test('what is in the state already changes nothing, and nothing is changed in place', () => {
  const before = Object.freeze(fromSnapshot({ epoch: 'e', as_of: 50, runs: [], attention_total: 0 }, [], []));
  assert.equal(apply(before, { ...event({ kind: 'run_created' }), seq: 50 }), before);
  const after = apply(before, { ...event({ kind: 'run_created' }), seq: 51 });
  assert.deepEqual([before.runs, after.seq, Object.keys(after.runs)], [{}, 51, ['run_1']]);
  const unknown = apply(after, { ...event({ kind: 'of_a_newer_hub' }), seq: 52 });
  assert.deepEqual({ ...unknown, seq: 51 }, after);
});

test('a new snapshot keeps no thread as it was, and jobs that have ended', () => {
  const job = (id, status) => ({ id, status });
  const before = { ...EMPTY, threads: { thr_1: { id: 'thr_1', status: 'working' } }, jobs: { a: job('a', 'completed'), b: job('b', 'running') } };
  const state = fromSnapshot({ epoch: 'e', as_of: 50, runs: [], attention_total: 0 }, [job('b', 'failed'), job('c', 'running')], [{ id: 'itm_1', status: 'open' }], before);
  assert.deepEqual([state.threads, Object.keys(state.inbox)], [{}, ['itm_1']]);
  assert.deepEqual(Object.values(state.jobs).map((one) => `${one.id} ${one.status}`), ['a completed', 'b failed', 'c running']);
  const read = withLists(state, [job('c', 'completed')], []);
  assert.deepEqual([read.seq, read.inbox, read.jobs.c.status, read.jobs.a.status], [50, {}, 'completed', 'completed']);
  // What came while the lists were read is said again over them.
  const news = [{ kind: 'job_updated', job: job('d', 'running') }, { kind: 'inbox_updated', item: { id: 'itm_2', status: 'open' }, counts: { open: 1 } }];
  const after = news.reduce((now, kind) => withNews(now, event(kind)), read);
  assert.deepEqual([after.jobs.d.status, Object.keys(after.inbox)], ['running', ['itm_2']]);
});

test('turns are followed while somebody looks', () => {
  const item = (text) => ({ kind: 'item_updated', turn: 'trn_1', completed: true, item: { id: 'm', body: { type: 'message', text } } });
  const at = (state, kind) => apply(state, { ...event(kind), seq: state.seq + 1 });
  assert.deepEqual(at(EMPTY, item('a')).turns, {});
  let state = withTurn(EMPTY, 'trn_1', [], []);
  state = at(at(state, item('a')), item('b'));
  assert.deepEqual(state.turns.trn_1.items.map((one) => one.body.text), ['b']);
  assert.deepEqual(withoutTurns(state, ['trn_1']).turns, {});
});

test('messages stand by their number, however they come', () => {
  const message = (number, status = 'queued') => ({ id: `mes_${number}`, thread: 'thr_1', number, status });
  let state = withMessages(EMPTY, 'thr_1', [message(3), message(4)]);
  state = withMessages(state, 'thr_1', [message(1), message(2)]);
  state = apply(state, { ...event({ kind: 'message_updated', message: message(3, 'working') }), seq: state.seq + 1 });
  assert.deepEqual(state.messages.thr_1.map((one) => `${one.number} ${one.status}`), ['1 queued', '2 queued', '3 working', '4 queued']);
  const other = apply(state, { ...event({ kind: 'message_updated', message: { ...message(1), thread: 'thr_2' } }), seq: state.seq + 1 });
  assert.equal(other.messages.thr_2, undefined, 'nobody looks at it');
});

test('the last line with something on it', () => {
  assert.equal(lastLine('a\n  b  \n\n'), 'b');
  assert.equal(lastLine('\n'), undefined);
});

test('the inbox holds what waits', () => {
  const item = (status, more) => ({ id: 'inb_1', status, rank: 1, ...more });
  const at = (state, one, open) => apply(state, { ...event({ kind: 'inbox_updated', item: one, counts: { open, unseen: 0 } }), seq: state.seq + 1 });
  const open = at(EMPTY, item('open', { body: 'text' }), 1);
  assert.deepEqual([open.inbox.inb_1.body, open.waiting], ['text', 1]);
  const resolved = at(open, item('resolved'), 0);
  assert.deepEqual([resolved.inbox, resolved.waiting], [{}, 0]);
});
