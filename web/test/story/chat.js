// A conversation in one hand: words that do something, files, what waits while it works, and stopping.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hub, run } from '../harness.js';

const script = (...steps) => `@@FAKE[${steps.map((step) => JSON.stringify(step)).join(', ')}]@@`;

/** The stream has told these words of an agent. */
const live = (socket, words) => socket.waitForEvent('framereceived', { predicate: ({ payload }) => payload.includes('"live"') && payload.includes(words) });

async function chat(tab, size) {
  const { page } = tab;
  const connected = page.waitForEvent('websocket');
  const thread = await hub.post('/threads', { agent: 'demo', name: `Chat ${size.name}` });
  const messages = (wanted) => hub.until(`/threads/${thread.id}/messages`, (all) => wanted(all.items));
  await tab.pair(`#/threads/${thread.id}`);
  const socket = await connected;
  const field = page.getByRole('textbox', { name: 'Message' });
  const sent = page.getByRole('article', { name: /^Message/ });

  // A photo or a file goes with the words.
  await page.locator('input[type="file"]').setInputFiles({ name: `spec-${size.name}.md`, mimeType: 'text/markdown', buffer: Buffer.from('# Spec') });
  await page.getByRole('button', { name: `Take spec-${size.name}.md out` }).waitFor();
  await field.fill(`Read it. ${script({ sh: 'true' }, { say: 'I have read **it**.' })}`);
  await tab.look('a message with a file');
  await page.getByRole('button', { name: 'Send' }).click();
  await sent.first().locator('.answer').getByText('I have read').waitFor();
  const first = await messages((items) => items.length === 1 && items[0].status === 'completed');
  assert.deepEqual(first.items[0].attachments, [`spec-${size.name}.md`]);
  // What is sent is no draft any more.
  await tab.until((input) => input.value === '', await field.elementHandle());

  // What is written while it works waits, and can be taken back; the answer can be cut off.
  // The stream tells the whole answer while what the page asked of it is still on its way.
  const begin = join(hub.root, `begin-${size.name}`);
  await page.route(/\/messages\/[^/?]+$/, async (route) => {
    const answer = await route.fetch();
    const told = live(socket, 'begins');
    writeFileSync(begin, '');
    await told;
    // The page takes in what came at its next frame.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await route.fulfill({ response: answer });
  }, { times: 1 });
  await field.fill(script({ sh: `until test -e ${begin}; do sleep 0.05; done` }, { say: 'A long answer begins', chunks: 3 }, { hang: true }));
  await page.getByRole('button', { name: 'Send' }).click();
  await sent.nth(1).locator('.answer').getByText('A long answer').first().waitFor();
  await field.fill('And what about this?');
  await page.getByRole('button', { name: 'Queue it' }).click();
  await page.getByText('waits its turn').waitFor();
  await tab.look('a message that waits');
  await page.getByRole('button', { name: 'Take it back' }).click();
  await page.getByRole('button', { name: 'Stop the answer' }).click();
  await page.getByText('cut off').first().waitFor();
  await messages((items) => items.some((one) => one.status === 'interrupted') && items.every((one) => one.status !== 'queued'));

  // Words that do something.
  await field.fill('/');
  await page.getByRole('button', { name: '/new' }).waitFor();
  await tab.look('what can be said to the page');
  await page.getByRole('button', { name: '/new' }).click();
  await page.getByRole('button', { name: 'Send' }).click();
  await hub.until(`/threads/${thread.id}`, (seen) => seen.status === 'idle');
  await field.fill(script({ say: 'Who are you?' }));
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('A new conversation begins', { exact: false }).waitFor();
  await sent.last().getByText('Who are you?').last().waitFor();
  await tab.look('a new conversation');

  // What holds it is said, with what lets it go on.
  const held = await hub.post('/threads', { agent: 'demo', name: `Held ${size.name}` });
  await hub.post(`/threads/${held.id}/messages`, { body: script({ on: 1, fail: { class: 'quota', resets_in: 15 } }, { from: 2, say: 'After the reset.' }) });
  await tab.go(`#/threads/${held.id}`);
  await page.getByText('It goes on by itself', { exact: false }).waitFor();
  await page.getByRole('button', { name: 'Go on' }).waitFor();
  await tab.look('a thread that is held');
  await sent.last().locator('.answer').getByText('After the reset.').waitFor();
}

await run({ chat });
