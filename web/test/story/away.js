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

await run({ away });
