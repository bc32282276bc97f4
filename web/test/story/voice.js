// Speaking in one hand: a recording is made, heard, sent and played; its words come into the draft;
// and what goes wrong on the way loses nothing of what was said or written.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { ask, hub, run } from '../harness.js';

/** Keeps what the page records, to be compared with what arrives. */
function listen() {
  const Own = globalThis.MediaRecorder;
  globalThis.recorded = [];
  globalThis.MediaRecorder = class extends Own {
    constructor(stream, options) {
      super(stream, options);
      globalThis.heard = stream;
      const pieces = [];
      this.addEventListener('dataavailable', ({ data }) => pieces.push(data));
      this.addEventListener('stop', () => globalThis.recorded.push(new Blob(pieces)));
    }
  };
}

/** SHA-256 of the last recording, in the page. */
async function lastRecording() {
  const bytes = await globalThis.recorded.at(-1).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const isReleased = () => globalThis.heard.getTracks().every((track) => track.readyState === 'ended');
const keptFile = (name) => readFileSync(join(hub.root, '.codex-autorunner/filebox/inbox', name));
const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex');
const lengthOf = (audio) => audio.evaluate((player) => player.duration);

/** The parts of the composer. */
function parts(page) {
  return {
    field: page.getByRole('textbox', { name: 'Message' }),
    speak: page.getByRole('button', { name: 'Speak' }),
    recording: page.getByRole('group', { name: 'Recording' }),
    files: page.locator('.composer .chip.file'),
  };
}

/** Says something for a moment: until there is something of it. */
async function say(page, { end = 'Stop' } = {}) {
  const { speak, recording } = parts(page);
  await speak.click();
  await recording.getByText(/0:0[1-9]/).waitFor();
  if (end) await recording.getByRole('button', { name: end }).click();
}

/** Nothing finds words: recordings are files. */
async function recorded(tab, size) {
  const { page } = tab;
  await page.addInitScript(listen);
  const thread = await hub.post('/threads', { agent: 'demo', name: `Spoken ${size.name}` });
  await tab.pair(`#/threads/${thread.id}`);
  const { field, speak, recording, files } = parts(page);
  await field.fill('Listen to this.');
  const box = await speak.boundingBox();
  assert(box.width >= 44 && box.height >= 44, `the button is ${box.width} by ${box.height}`);

  // Escape throws it away, and lets go of the microphone.
  await say(page, { end: '' });
  await recording.getByText('hears you').waitFor();
  await tab.look('a recording that is made');
  await page.keyboard.press('Escape');
  await recording.waitFor({ state: 'detached' });
  await tab.until(isReleased);
  assert.equal(await files.count(), 0);

  // Ended, it is a file of the draft that can be heard before it is sent.
  await say(page);
  await files.first().waitFor();
  await tab.until(isReleased);
  const audio = files.first().locator('audio');
  await tab.until(() => Number.isFinite(document.querySelector('.composer audio')?.duration));
  assert(await lengthOf(audio) >= 0.5, `${await lengthOf(audio)} seconds`);
  await audio.evaluate((player) => player.play());
  await tab.until(() => document.querySelector('.composer audio').currentTime > 0);
  await audio.evaluate((player) => player.pause());
  assert.equal(await field.inputValue(), 'Listen to this.');
  await tab.look('a recording in the draft');
  const name = (await files.first().locator('.line').textContent()).trim();
  assert.match(name, /^voice-\d{8}-\d{6}\.webm$/);
  assert.equal(hashOf(keptFile(name)), await page.evaluate(lastRecording), 'byte for byte');

  // It is kept with the draft, and fetched to be heard again.
  await page.reload();
  await files.getByRole('button', { name: `Listen to ${name}` }).click();
  await files.locator('audio').waitFor();
  await page.getByRole('button', { name: 'Send' }).click();
  const sent = page.getByRole('article', { name: 'Message 1' });
  await sent.getByText('Listen to this.').first().waitFor();
  const messages = await hub.until(`/threads/${thread.id}/messages`, (all) => all.items.length === 1 && all.items[0].status === 'completed');
  assert.deepEqual(messages.items[0].attachments, [name]);
  await page.reload();
  await sent.getByRole('button', { name: `Listen to ${name}` }).click();
  await tab.until(() => document.querySelector('.said audio')?.currentTime > 0);
  await tab.look('a recording that was sent');

  // Whoever leaves the screen while speaking finds what was said in the draft.
  await say(page, { end: '' });
  await page.evaluate(() => {
    location.hash = '#/more';
  });
  await tab.until(isReleased);
  await tab.until((id) => (localStorage.getItem(`draft ${id}`) ?? '').includes('voice-'), thread.id);
  await tab.go(`#/threads/${thread.id}`);
  await files.first().waitFor();
}

/** Where there is no microphone to be had, that is said, and the draft is whole. */
async function refused(tab, size) {
  const { page } = tab;
  const thread = await hub.post('/threads', { agent: 'demo', name: `Silent ${size.name}` });
  await tab.pair(`#/threads/${thread.id}`);
  const { field, speak } = parts(page);
  await field.fill('Written, not spoken.');
  // Nobody has said yes to this browser's question, which is a no.
  await speak.click();
  await page.getByText('allow it in the browser’s settings for this site', { exact: false }).waitFor();
  await tab.look('a microphone that is refused');
  assert.equal(await field.inputValue(), 'Written, not spoken.');
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('None', 'NotFoundError'));
  });
  await speak.click();
  await page.getByText('There is no microphone here', { exact: false }).waitFor();
  await page.reload();
  assert.equal(await field.inputValue(), 'Written, not spoken.');
}

/** What the service does with the next recordings. */
const service = { status: 200, words: '', held: undefined, got: [] };

/** Has the hub find words, at a service of this story. */
async function named() {
  const server = createServer(async (request, answer) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    service.got.push(Buffer.concat(pieces));
    await service.held;
    answer.writeHead(service.status, { 'content-type': 'application/json' });
    answer.end(JSON.stringify(service.status === 200 ? { text: service.words } : { error: { message: service.words } }));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  server.unref();
  await ask('stop');
  appendFileSync(join(hub.root, 'codex-autorunner.override.yml'), `voice:\n  endpoint: http://127.0.0.1:${server.address().port}/v1\n`);
  await ask('serve');
}

/** The words come into the draft, where it is being written. */
async function heard(tab, size) {
  const { page } = tab;
  if (service.got.length === 0) await named();
  await page.addInitScript(listen);
  const thread = await hub.post('/threads', { agent: 'demo', name: `Heard ${size.name}` });
  await tab.pair(`#/threads/${thread.id}`);
  const { field, recording, files } = parts(page);
  await field.fill('Please today.');
  await field.evaluate((area) => area.setSelectionRange(6, 6));
  Object.assign(service, { status: 200, words: 'split the parser' });
  await say(page);
  await page.waitForFunction(() => document.querySelector('textarea').value === 'Please split the parser today.');
  assert.equal(await field.evaluate((area) => area.selectionStart), 'Please split the parser'.length);
  assert.equal(await files.count(), 0);
  const asked = hashOf(service.got.at(-1).subarray(service.got.at(-1).indexOf('\r\n\r\n', service.got.at(-1).indexOf('filename=')) + 4, service.got.at(-1).lastIndexOf('\r\n--')));
  assert.equal(asked, await page.evaluate(lastRecording), 'byte for byte');
  await tab.look('words in the draft');

  // While they are being found, the recording can be attached as it is.
  let letGo;
  service.held = new Promise((done) => {
    letGo = done;
  });
  await say(page);
  await recording.getByText('Finding the words').waitFor();
  await tab.look('words that are being found');
  await recording.getByRole('button', { name: 'Attach it as it is' }).click();
  await files.first().locator('audio').waitFor();
  letGo();
  service.held = undefined;
  await page.getByRole('button', { name: /^Take voice-/ }).click();
  assert.equal(await files.count(), 0);

  // What cannot be heard is attached, and why is said; what was written stays.
  tab.expect(/502 \(Bad Gateway\)/);
  Object.assign(service, { status: 500, words: 'The ears are full.' });
  await say(page);
  await page.getByText('The ears are full.', { exact: false }).waitFor();
  await page.getByText('The recording is attached instead.', { exact: false }).waitFor();
  await files.first().locator('audio').waitFor();
  assert.equal(await field.inputValue(), 'Please split the parser today.');
  await tab.look('a recording that was not heard');
  const name = (await files.first().locator('.line').textContent()).trim();
  assert.equal(hashOf(keptFile(name)), await page.evaluate(lastRecording), 'nothing spoken is lost');

  // A hub that is not there: the recording waits in the page until it is.
  tab.expect(/ERR_CONNECTION_REFUSED|ERR_FAILED|WebSocket/);
  await page.getByRole('button', { name: /^Take voice-/ }).click();
  await page.context().setOffline(true);
  tab.expect(/ERR_INTERNET_DISCONNECTED/);
  await say(page);
  await recording.getByRole('button', { name: 'Attach it again' }).waitFor();
  await recording.locator('audio').waitFor();
  await tab.look('a recording that is only here');
  await page.context().setOffline(false);
  await recording.getByRole('button', { name: 'Attach it again' }).click();
  await files.first().locator('audio').waitFor();
}

recorded.options = { permissions: ['microphone'] };
heard.options = { permissions: ['microphone'] };

await run({ recorded, refused, heard });
