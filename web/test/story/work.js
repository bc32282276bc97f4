// A day's work by hand: clone, worktree, ticket, mistake and mend, run, answer, approve, review, stop,
// remove and bring back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DONE, repo, start, ticket } from '../content.js';
import { apply, EMPTY } from '../../state/apply.js';
import { hub, run } from '../harness.js';

async function queue(tab, size) {
  const { page } = tab;
  const source = `source-${size.name}`;
  const id = `copy-${size.name}`;
  const directory = await repo(source);
  await tab.pair();
  await page.getByRole('link', { name: 'Repos' }).first().click();
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByLabel('Address').fill(directory);
  await page.getByLabel('Name').fill(id);
  await tab.look('adding a repo');
  await page.getByRole('button', { name: 'Clone it' }).click();
  await page.getByRole('link', { name: id }).first().click();
  const setUp = page.getByRole('button', { name: 'Set it up' });
  if (await setUp.isVisible().catch(() => false)) await setUp.click();

  // What its source has got meanwhile.
  execFileSync('git', ['-C', directory, 'commit', '--quiet', '--allow-empty', '-m', 'News']);
  await page.getByRole('button', { name: 'Sync with its remote' }).click();
  await page.getByText('1 commit on').waitFor();
  await page.getByText('News').waitFor();
  await tab.look('a repo brought up to date');

  await page.getByRole('button', { name: 'New worktree' }).click();
  await page.getByLabel('Branch').fill(`work/${size.name}`);
  await page.getByLabel('Starts at').fill('HEAD');
  await tab.look('making a worktree');
  await page.getByRole('button', { name: 'Create it' }).click();
  await page.getByRole('link', { name: `work/${size.name}` }).first().click();
  const tree = `${id}--work-${size.name}`;

  // A ticket, spoilt and mended.
  await tab.go(`#/repos/${tree}/tickets/new`);
  await page.getByLabel('What is to be done').fill('Write the letter');
  await page.getByLabel('In full').fill('@@FAKE[{"write": ["letter.txt", "Dear all\\n"]}, {"done": true}, {"commit": "Write"}]@@');
  await page.getByLabel('Commands that prove it').fill('test -s letter.txt');
  await page.getByLabel('Who does it').selectOption('demo');
  await tab.look('a new ticket');
  await page.getByRole('button', { name: 'Add it to the queue' }).click();
  await page.getByRole('button', { name: 'Edit' }).click();
  const text = page.getByLabel('The ticket’s file');
  const good = await text.inputValue();
  await text.fill(good.replace('done: false', 'done: perhaps'));
  await page.getByRole('status').filter({ hasText: 'perhaps is not a boolean' }).waitFor();
  await tab.look('a ticket with an error');
  await page.getByRole('button', { name: 'Save with errors' }).click();
  await page.getByRole('button', { name: 'Edit' }).click();
  await text.fill(good);
  await page.getByText('The linter finds nothing.').waitFor();
  await text.press('End');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Edit' }).waitFor();

  // Its command is tried before anybody works.
  await page.getByRole('button', { name: 'Try now' }).click();
  await page.getByText('failed: test -s letter.txt').waitFor();
  await page.getByText('exit 1').waitFor();
  await tab.look('a try that failed');

  await tab.go(`#/repos/${tree}`);
  await tab.look('a worktree');
  await page.getByRole('button', { name: 'Run the open ticket' }).click();
  await page.getByText(/1 verified/).first().waitFor();
  // Or it would do the next ticket too.
  await hub.until(`/runs?repo=${tree}`, (runs) => runs.items[0].state.status === 'completed');
  await tab.look('a run that is done');

  // Its review.
  await page.getByRole('link', { name: /change/i }).first().click();
  await page.getByRole('option', { name: /letter\.txt/ }).click();
  await page.getByRole('option', { name: /Dear all/ }).click();
  await page.getByLabel('What about it?').fill('Who is all?');
  await tab.look('a remark');
  await page.getByRole('button', { name: 'Make it a ticket' }).click();
  await page.getByText(/It is/).waitFor();
  const tickets = await hub.get(`/repos/${tree}/tickets`);
  assert.equal(tickets.items.at(-1).title, 'Review of letter.txt:1');

  // One that is like the first.
  await tab.go(`#/repos/${tree}/tickets/new`);
  await page.getByLabel('In full').fill('Mine.');
  await page.getByLabel('Begin like').selectOption({ label: '1 Write the letter' });
  const proof = page.getByLabel('Commands that prove it');
  await page.waitForFunction(() => [...document.querySelectorAll('textarea')].some((field) => field.value === 'test -s letter.txt'));
  assert.equal(await proof.inputValue(), 'test -s letter.txt');
  await tab.look('a ticket like another');
  await page.getByLabel('Begin like').selectOption({ label: 'An empty ticket' });
  await page.waitForFunction(() => [...document.querySelectorAll('textarea')].some((field) => field.value === 'Mine.'));
  assert.equal(await proof.inputValue(), '');

  // Gone with what is nowhere else, and back.
  const { path } = await hub.get(`/repos/${tree}`);
  writeFileSync(join(hub.root, path, 'idea.txt'), 'Greet in verse.\n');
  await tab.go(`#/repos/${tree}`);
  // What was known of it before the run moves when the answers come.
  await page.getByText('All tickets are done').waitFor();
  await page.getByText('1 untracked').waitFor();
  await page.getByRole('button', { name: 'Remove this worktree' }).click();
  const lost = page.getByRole('checkbox', { name: 'Let it go' });
  await page.getByRole('dialog').getByText('This exists nowhere else').waitFor();
  for (const box of await lost.all()) await box.check();
  await tab.look('what would be lost');
  await page.getByRole('button', { name: 'Remove it' }).click();
  await page.getByRole('button', { name: 'Bring it back' }).click();
  await hub.until('/repos?limit=500', (all) => all.items.some((one) => one.id === tree));
}

async function answers(tab, size) {
  const { page } = tab;
  const id = `answers-${size.name}`;
  await repo(id);
  await ticket(id, 'Choose a colour', [
    { on: 1, dispatch: { mode: 'pause', title: 'Which colour?', body: 'Red or blue?' } },
    { from: 2, write: ['colour.txt', 'blue\n'] },
    ...DONE.map((step) => ({ from: 2, ...step })),
  ]);
  await tab.pair();
  const asked = await start(id, 'paused');
  const card = page.getByRole('article').filter({ hasText: id }).first();
  await card.getByRole('textbox').fill('Blue.');
  await tab.look('a question');
  await card.getByRole('button', { name: 'Send' }).click();
  await hub.until(`/runs/${asked.id}`, (seen) => seen.state.status === 'completed');
  await card.waitFor({ state: 'detached' });

  await ticket(id, 'Ask before acting', [{ escalate: true, sh: 'echo yes > allowed.txt' }, { hang: true }]);
  const run = await start(id, 'running', { approvals: 'untrusted' });
  await tab.go(`#/runs/${run.id}`);
  await page.getByRole('button', { name: 'Allow', exact: true }).first().click();
  await hub.until(`/runs/${run.id}`, (seen) => !seen.approvals?.length);
  await tab.look('a run at work');
  await tab.sure(page.getByRole('button', { name: 'Stop', exact: true }).first(), page.getByRole('button', { name: 'Stop it for good?' }));
  await hub.until(`/runs/${run.id}`, (seen) => seen.state.status === 'stopped');
  await page.getByText('stopped').first().waitFor();
  await tab.look('a run that was stopped');
}

/** Several tickets at once, and their order: a step at a time, and by dragging. */
async function order(tab, size) {
  const { page } = tab;
  const id = `order-${size.name}`;
  await repo(id);
  await tab.pair(`#/repos/${id}/tickets`);
  await page.getByRole('button', { name: 'Add several at once' }).click();
  await page.getByLabel('Tickets', { exact: true }).fill('1. First\n2. Second\n3. Third');
  await page.getByLabel('Commands that prove each of them').fill('true');
  await tab.look('several tickets');
  await page.getByRole('button', { name: 'Add 3 tickets' }).click();
  await page.getByRole('button', { name: 'Order' }).click();
  const stands = (titles) => hub.until(`/repos/${id}/tickets`, (all) => all.items.map((one) => one.title).join() === titles);
  // A quick thumb: the second touch comes before the first move is done.
  await page.getByRole('button', { name: 'Move “Third” up' }).click();
  await page.getByRole('button', { name: 'Move “First” down' }).click();
  await stands('Third,First,Second');
  await tab.look('the order');
  await page.locator('.ordering li').nth(0).filter({ hasText: 'Third' }).waitFor();
  await page.locator('.ordering li').nth(1).filter({ hasText: 'First' }).waitFor();
  const [first, last] = await Promise.all([0, 2].map((place) => page.locator('.ordering .handle').nth(place).boundingBox()));
  await page.mouse.move(first.x + 20, first.y + 20);
  await page.mouse.down();
  await page.mouse.move(last.x + 20, last.y + 20, { steps: 5 });
  await page.mouse.up();
  await stands('First,Second,Third');
}

/** What a slow line does to somebody who does not wait for it. */
async function slow(tab, size) {
  const { page } = tab;
  const id = `slow-${size.name}`;
  await repo(id);
  await ticket(id, 'Take your time', DONE);
  await tab.pair(`#/repos/${id}/tickets`);

  // An answer that comes late takes nobody away from where they went meanwhile.
  const start = `**/repos/${id}/runs`;
  let answered;
  const late = new Promise((done) => {
    answered = done;
  });
  const gone = new Promise((done) => {
    void page.route(start, async (route) => {
      const answer = await route.fetch();
      done();
      await late;
      await route.fulfill({ response: answer });
    }, { times: 1 });
  });
  await tab.go(`#/repos/${id}`);
  await page.getByRole('button', { name: 'Run the open ticket' }).click();
  await gone;
  await tab.go('#/usage');
  const told = page.waitForResponse(start);
  answered();
  await told;
  await tab.quiet();
  assert.equal(new URL(page.url()).hash, '#/usage');
  await hub.until(`/runs?repo=${id}`, (runs) => runs.items[0].state.status === 'completed');

  // A text that was left and that an agent changed since is not written over.
  tab.expect(/412/);
  const [about] = (await hub.get(`/repos/${id}/tickets`)).items;
  await tab.go(`#/repos/${id}/tickets/${about.id}`);
  await page.getByRole('button', { name: 'Edit' }).click();
  const text = page.getByLabel('The ticket’s file');
  await text.press('Control+End');
  await text.pressSequentially('Mine.');
  await tab.go('#/usage');
  await hub.post(`/repos/${id}/tickets/1/done`, { done: false });
  await tab.go(`#/repos/${id}/tickets/${about.id}`);
  await page.getByText('open', { exact: true }).first().waitFor();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('It was changed meanwhile').waitFor();
  assert((await text.inputValue()).includes('Mine.'));
  await tab.look('a ticket that was changed meanwhile');
  await page.getByRole('button', { name: 'Keep mine instead' }).click();

  // A try whose answer was lost is still at work: its end is waited for.
  tab.expect(/409/);
  await page.route(`**/repos/${id}/tickets/${about.id}`, (route) =>
    route.fulfill({ status: 409, headers: { 'retry-after': '1', 'content-type': 'application/problem+json' }, body: JSON.stringify({ code: 'idempotency_in_flight', title: 'Under way', detail: 'Ask again.' }) }), { times: 1 });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Edit' }).waitFor();
  const saved = await hub.get(`/repos/${id}/tickets/1`);
  assert(saved.content.includes('Mine.'));
}

await run({ queue, answers, order, slow });

/** The page is a fold over the log: from nothing, it comes to what the hub says. */
async function folded() {
  let state = EMPTY;
  let after;
  do {
    const page = await hub.get(`/events?limit=500${after ? `&after=${after}` : ''}`);
    state = page.items.reduce(apply, state);
    after = page.next;
  } while (after);
  const runs = (await hub.get('/runs?limit=500')).items;
  assert(runs.length >= 6);
  for (const run of runs) {
    const line = state.runs[run.id];
    const tokens = run.usage.input_tokens + run.usage.output_tokens;
    assert.deepEqual([line.status, line.repo, line.tokens], [run.state.status, run.repo, tokens], run.id);
    // A state is never changed in place, and an event that is in it changes nothing.
    assert.equal(apply(state, { seq: 1, event: { kind: 'hub_started' } }), state);
  }
}

await folded();
