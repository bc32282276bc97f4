// A shell in one hand: opened, typed into, cut and taken up again, ended.
import assert from 'node:assert/strict';
import { ask, hub, run } from '../harness.js';

const SCOPES = ['read', 'write', 'terminal'];

/** Waits until the terminal on the screen shows this text so often. */
async function shows(page, text, times = 1) {
  await page.waitForFunction(
    ([wanted, count]) => {
      const rows = [...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent.replaceAll('\u00a0', ' '));
      return rows.join('\n').split(wanted).length - 1 >= count;
    },
    [text, times],
  );
}

const seen = (page) => page.evaluate(() => [...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent).join('\n'));

/** Opens one from the list. */
async function opened(tab) {
  const { page } = tab;
  await tab.go('#/terminals');
  await page.getByRole('button', { name: 'Open a terminal' }).click();
  await tab.look('where to open a terminal');
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByText('Shift+Escape leaves').waitFor();
}

async function typed(tab, size) {
  const { page } = tab;
  await tab.pair('#/', SCOPES);
  await opened(tab);
  const input = page.getByRole('textbox', { name: 'Terminal input' });
  await input.focus();
  await page.keyboard.type('echo one-$((40+2)); stty size\n');
  await shows(page, 'one-42');
  const { items } = await hub.get('/terminals');
  const terminal = items[0];
  await shows(page, `${terminal.rows} ${terminal.cols}`);
  assert(terminal.cols > (size.touch ? 35 : 80), `${terminal.cols} columns`);
  // Colours come without inline styles.
  await page.keyboard.type("printf '\\033[38;2;200;30;30mred\\033[0m \\033[1;32mgreen\\033[0m\\n'\n");
  await shows(page, 'red green');
  await tab.look('a terminal');
  // The keys a phone has not: a line that is not wanted is given up, and the one before comes back.
  for (const key of await page.getByRole('group', { name: 'Keys' }).getByRole('button').all()) {
    const box = await key.boundingBox();
    assert(box.width >= 44 && box.height >= 44, `${await key.textContent()}: ${box.width}×${box.height}`);
  }
  await page.keyboard.type('cat');
  await page.getByRole('button', { name: 'Pipe' }).click();
  await shows(page, 'cat|');
  await page.getByRole('button', { name: 'Ctrl' }).click();
  await page.keyboard.type('c');
  await shows(page, '^C');
  assert.equal(await page.getByRole('button', { name: 'Ctrl' }).getAttribute('aria-pressed'), 'false');
  await page.keyboard.type('sleep 1000\n');
  await page.getByRole('button', { name: 'Ctrl' }).click();
  await page.keyboard.type('c');
  await page.keyboard.type('echo two-$((40+3))\n');
  await shows(page, 'two-43');
  await page.getByRole('button', { name: 'Paste' }).click();
  await page.getByLabel('Text for the terminal').fill('echo pasted-$((40+4))');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.waitForFunction(() => document.activeElement?.classList.contains('xterm-helper-textarea'));
  await page.keyboard.press('Enter');
  await shows(page, 'pasted-44');
  await page.keyboard.press('Shift+Escape');
  assert.equal(await page.evaluate(() => document.activeElement?.className), 'terminal-state small');
  // Another look at the same one sees the same.
  await page.reload();
  await shows(page, 'pasted-44');
  await tab.sure(page.getByRole('button', { name: 'End' }), page.getByRole('button', { name: 'End it now?' }));
  await page.getByText('This terminal has ended').waitFor();
  await tab.look('an ended terminal');
  await tab.go('#/terminals');
  await page.getByText('killed').first().waitFor();
  await tab.look('terminals');
}

async function cut(tab) {
  const { page } = tab;
  tab.expect(/WebSocket connection to|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|Failed to fetch/);
  await tab.pair('#/', SCOPES);
  await opened(tab);
  await page.getByRole('textbox', { name: 'Terminal input' }).focus();
  await page.keyboard.type('echo be""fore; for i in 1 2 3; do sleep 0.3; echo line-$i; done; echo af""ter\n');
  await shows(page, 'before');
  await tab.context.setOffline(true);
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await page.getByText('No connection. It goes on where it was').waitFor();
  await tab.context.setOffline(false);
  await shows(page, 'after');
  for (const word of ['line-1', 'line-2', 'line-3', 'after']) {
    assert.equal((await seen(page)).split(word).length, 2, `${word} once`);
  }
  // A hub that starts again has ended it, and the page says so by itself.
  await ask('stop');
  await ask('serve');
  await page.getByText('This terminal has ended').waitFor({ timeout: 30_000 });
  assert((await seen(page)).includes('after'));
}
cut.sizes = [{ name: 'phone', width: 390, height: 844, touch: true }];

async function without(tab) {
  const { page } = tab;
  await tab.pair('#/terminals');
  await page.getByText('car pair --scopes').waitFor();
  await tab.look('a browser without terminals');
}

await run({ without, typed, cut });
