// A ticket worked by the real Codex, followed and answered in the page: its question, what it asks
// leave for, the hub's check, and what it changed.
import assert from 'node:assert/strict';
import { repo, start, ticket } from '../content.js';
import { hub, run } from '../harness.js';

async function followed(tab, size) {
  const { page } = tab;
  const base = `real-${size.name}`;
  await repo(base);
  await hub.job(await hub.post('/worktrees', { base, branch: 'colour', start_point: 'HEAD' }));
  const id = `${base}--colour`;
  await ticket(id, 'Paint it', [
    { on: 1, dispatch: { mode: 'pause', title: 'Which colour?', body: 'Red or **blue**?' } },
    { on: 1, say: 'I have asked.' },
    { from: 2, say: 'Blue it is.' },
    { from: 2, sh: 'echo blue > colour.txt' },
    { from: 2, escalate: true, sh: 'touch asked.txt' },
    { from: 2, commit: 'Paint it blue' },
    { from: 2, done: true },
  ], { agent: 'codex', verify: ['grep -qx blue colour.txt'] });
  await tab.pair();
  const begun = await start(id, 'paused', { approvals: 'on_request' });
  await tab.go(`#/runs/${begun.id}`);
  await page.getByRole('heading', { name: 'Which colour?' }).first().waitFor();
  await tab.look('Codex asks');
  await page.getByLabel('Your answer').fill('Blue, as the sea.');
  await page.getByRole('button', { name: 'Send' }).click();

  const leave = page.getByRole('article').filter({ hasText: 'Asks for permission' });
  await leave.getByText('touch asked.txt').waitFor();
  await tab.look('Codex asks for permission');
  await leave.getByRole('button', { name: 'Allow', exact: true }).click();
  await page.getByText(/1 verified/).first().waitFor({ timeout: 60_000 });
  await leave.waitFor({ state: 'detached' });

  await page.getByText('Blue it is.').first().waitFor();
  await page.getByRole('article', { name: /Check of .*passed/ }).waitFor();
  const prompts = page.getByText('The prompt', { exact: true });
  await prompts.last().click();
  await page.getByText('Blue, as the sea.').last().waitFor();
  await tab.look('what Codex did');
  const turns = await hub.get(`/runs/${begun.id}/turns`);
  assert.equal(turns.items.length, 2);
  assert(turns.items.every((turn) => turn.agent === 'codex' && turn.usage.input_tokens > 0), JSON.stringify(turns));

  await page.getByRole('link', { name: /Review what it changed/ }).click();
  await page.getByRole('option', { name: /colour\.txt/ }).click();
  await page.getByRole('option', { name: /blue/ }).waitFor();
  await tab.look('its changes');
}

await run({ followed });
