// The network goes and the hub is restarted while an agent writes: the page is complete again by itself.
import assert from 'node:assert/strict';
import { repo, start, ticket } from '../content.js';
import { ask, hub, run } from '../harness.js';

async function away(tab, size) {
  const { page } = tab;
  // What a browser says of a connection that is not there.
  tab.expect(/ERR_|WebSocket|Failed to load resource/);
  const id = `away-${size.name}`;
  await repo(id);
  const words = Array.from({ length: 60 }, (_, place) => `word-${place}`);
  await ticket(id, 'Write a long answer', [
    { say: words.slice(0, 30).join(' '), chunks: 30, gap: 0.05 },
    { say: words.slice(30).join(' '), chunks: 30, gap: 0.08 },
    { done: true },
    { commit: 'Written' },
  ]);
  await tab.pair();
  const begun = await start(id, 'running');
  await tab.go(`#/runs/${begun.id}`);
  await page.getByText(/word-3/).first().waitFor();

  await tab.context.setOffline(true);
  await page.getByText('No connection to the hub.', { exact: false }).waitFor({ timeout: 90_000 });
  await tab.look('offline');
  await ask('kill');
  await ask('serve');
  await tab.context.setOffline(false);

  await hub.until(`/runs/${begun.id}`, (seen) => ['completed', 'paused', 'failed'].includes(seen.state.status));
  await page.getByText('No connection to the hub.', { exact: false }).waitFor({ state: 'detached' });
  await page.getByText('completed').first().waitFor();
  const all = await page.getByRole('log').innerText();
  const unfolded = page.getByRole('log').locator('summary');
  for (const fold of await unfolded.all()) if (!(await fold.evaluate((one) => one.parentElement.open))) await fold.click();
  await page.getByText(/word-59/).first().waitFor();
  const text = await page.getByRole('log').innerText();
  for (const word of words) assert(text.includes(word), `${word} is missing of ${all}\n${text}`);
  await tab.look('back');
}

/** The same in a conversation. */
async function talking(tab, size) {
  const { page } = tab;
  tab.expect(/ERR_|WebSocket|Failed to load resource/);
  const words = Array.from({ length: 60 }, (_, place) => `word-${place}`);
  const script = [
    { say: words.slice(0, 30).join(' '), chunks: 30, gap: 0.05 },
    { say: words.slice(30).join(' '), chunks: 30, gap: 0.08 },
  ];
  const thread = await hub.post('/threads', { agent: 'demo', name: `Talk ${size.name}` });
  await tab.pair();
  await tab.go(`#/threads/${thread.id}`);
  await page.getByRole('textbox', { name: 'Message' }).fill(`@@FAKE[${script.map((step) => JSON.stringify(step)).join(', ')}]@@`);
  await page.getByRole('button', { name: 'Send' }).click();
  const answer = page.getByRole('article', { name: 'Message 1' }).locator('.answer');
  await answer.getByText(/word-3/).first().waitFor();
  // What is written meanwhile waits, and is not lost either.
  await page.getByRole('textbox', { name: 'Message' }).fill('And then?');

  await tab.context.setOffline(true);
  await ask('kill');
  await ask('serve');
  await tab.context.setOffline(false);
  await hub.until(`/threads/${thread.id}/messages`, (all) => all.items[0].status === 'completed');
  await answer.getByText(/word-59/).first().waitFor();
  const text = await answer.innerText();
  for (const word of words) assert(text.includes(word), `${word} is missing of ${text}`);
  assert.equal(await page.getByRole('textbox', { name: 'Message' }).inputValue(), 'And then?');
  await tab.look('an answer that went on');
}

/** The hub comes back with another history than this browser saw. */
async function rewritten(tab) {
  const { page } = tab;
  tab.expect(/ERR_|WebSocket|Failed to load resource/);
  await tab.pair();
  const { instance } = await hub.get('/hub');
  const place = `audit head ${instance}`;
  await tab.until((at) => localStorage.getItem(at) !== null, place);
  const first = await hub.get('/audit/head?line=1');
  const said = page.getByRole('alert').filter({ hasText: 'The hub’s history changed' });
  // A reload has looked once it keeps the newest end again.
  const reloaded = async () => {
    await page.evaluate(([at, head]) => localStorage.setItem(at, head), [place, JSON.stringify(first)]);
    await page.reload();
    await tab.until(([at, head]) => localStorage.getItem(at) !== head, [place, JSON.stringify(first)]);
    assert.equal(await said.count(), 0);
  };
  await reloaded();

  const saw = (head) => page.evaluate(([at, text]) => localStorage.setItem(at, text), [place, JSON.stringify(head)]);
  await saw({ seq: 1000, hash: first.hash });
  await ask('kill');
  await ask('serve');
  await said.filter({ hasText: 'line 1000 was seen before' }).waitFor();
  await tab.look('a history that was cut off');
  await saw({ seq: 1, hash: '0'.repeat(64) });
  await page.reload();
  await said.filter({ hasText: 'line 1 of its audit chain is another one' }).waitFor();
  await tab.look('a history that was changed');

  await said.getByRole('link', { name: 'Look at the audit chain' }).click();
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByText(/The chain is broken at line 1/).waitFor();
  await tab.look('audit, changed');
  await tab.sure(said.getByRole('button', { name: 'Take what is there now' }), said.getByRole('button', { name: 'Really take it?' }));
  await said.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByText(/is as this browser saw it/).waitFor();
  await reloaded();
}

await run({ away, talking, rewritten });
