// What agents cost: usage with and without prices, a run's cost, and budgets set by hand.
import assert from 'node:assert/strict';
import { DONE, repo, start, ticket } from '../content.js';
import { hub, run } from '../harness.js';

/** A read-only look, a change by keys alone, and what stops because of it. */
async function budgets(tab, size) {
  const { page } = tab;
  const id = `costly-${size.name}`;
  await repo(id);
  await ticket(id, 'Spend a little', [{ usage: { in: 200_000, cached: 100_000, out: 10_000 } }, { write: ['a.txt', 'a\n'] }, ...DONE]);
  const done = await start(id, 'completed');
  // 0.1 million read, as many from a cache, and 0.01 million written.
  assert.equal(done.cost.amount, 100_000 + 50_000 + 100_000);
  await tab.pair();

  await tab.go(`#/runs/${done.id}`);
  await page.getByText('0.25 EUR').first().waitFor();
  await tab.look('a run with its cost');

  await tab.go('#/usage');
  await page.getByRole('heading', { name: 'By model' }).waitFor();
  await page.getByRole('link', { name: id, exact: true }).waitFor();
  const rows = page.locator('tr', { hasText: id }).filter({ hasText: '0.25 EUR' });
  await rows.first().waitFor();
  await page.getByRole('button', { name: 'money' }).click();
  await page.getByRole('heading', { name: 'Money by day' }).waitFor();
  await tab.look('usage in money');
  await page.getByRole('button', { name: '7 days' }).click();
  await page.getByRole('link', { name: id, exact: true }).waitFor();

  // What a message cost stands quietly under its answer.
  const thread = await hub.post('/threads', { agent: 'demo', name: `Costs ${size.name}` });
  const script = (...steps) => `@@FAKE[${steps.map((step) => JSON.stringify(step)).join(', ')}]@@`;
  await hub.post(`/threads/${thread.id}/messages`, { body: `How much? ${script({ usage: { in: 200_000, cached: 100_000, out: 10_000 } }, { say: 'So much.' })}` });
  await tab.go(`#/threads/${thread.id}`);
  const spent = page.locator('details.spent');
  await spent.getByText('210 k tokens · 0.25 EUR').waitFor();
  await tab.look('a message with its cost');
  await spent.getByText('What it cost').click();
  await spent.locator('dt', { hasText: 'of those cached' }).waitFor();
  await spent.locator('dd', { hasText: '100 k' }).waitFor();
  await tab.look('what a message cost');

  // By keys alone: into the field, a mistake, a limit, and Enter.
  await tab.go('#/settings?part=budgets');
  const money = page.getByRole('group', { name: 'A day, everything together' }).getByLabel('Money');
  await money.focus();
  await page.keyboard.type('1 euro');
  await page.getByText('A number such as 12.50').waitFor();
  assert(await page.getByRole('button', { name: 'Set the budgets' }).isDisabled());
  await tab.look('a budget that cannot be read');
  await page.keyboard.press('ControlOrMeta+a');
  // A little more than was used by now; a comma is read as well.
  const limit = Math.ceil((await hub.get('/budgets')).used.cost.amount / 10_000 + 5) * 10_000;
  const shown = (limit / 1_000_000).toFixed(2);
  await page.keyboard.type(shown.replace('.', ','));
  await page.keyboard.press('Enter');
  const kept = await hub.until('/budgets', (standing) => standing.limits.day_cost !== null && standing.limits.day_cost !== undefined);
  assert.deepEqual([kept.limits.day_cost, kept.limits.day_tokens ?? null], [limit, null]);
  await page.getByRole('progressbar', { name: 'Money used today' }).waitFor();
  await tab.look('budgets');

  // Over the budget of the day a run pauses and says so; raised, it goes on.
  await ticket(id, 'Spend more', [{ write: ['b.txt', 'b\n'] }, { usage: { in: 400_000 } }, { on: 1, hang: true }, ...DONE]);
  const over = await start(id, 'paused');
  assert.equal(over.state.reason, 'budget');
  await tab.go(`#/runs/${over.id}`);
  await page.getByText(`budget of ${shown} EUR for the hub is used up`).first().waitFor();
  await tab.look('a run over the budget of the day');
  await tab.go('#/');
  await page.getByText('Spent today').waitFor();
  await tab.go('#/settings?part=budgets');
  await money.fill('');
  await page.getByRole('button', { name: 'Set the budgets' }).click();
  await hub.until('/budgets', (standing) => standing.limits.day_cost === null || standing.limits.day_cost === undefined);
  await page.getByRole('progressbar', { name: 'Money used today' }).waitFor({ state: 'detached' });
  await hub.post(`/runs/${over.id}/resume`);
  await hub.until(`/runs/${over.id}`, (seen) => seen.state.status === 'completed');
}

/** Whoever may not set budgets sees them all the same. */
async function watching(tab) {
  const { page } = tab;
  await tab.pair('#/settings?part=budgets', ['read']);
  await page.getByText('This browser may look at budgets, and not set them.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Set the budgets' }).count(), 0);
  await tab.look('budgets of somebody who watches');
}

await run({ budgets, watching });
