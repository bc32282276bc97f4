// Pictures of every screen with real content, at both sizes, light and dark, into the directory that
// `CAR_SCREENSHOTS` names.
import { mkdirSync } from 'node:fs';
import { day } from './content.js';
import { Tab, hub, open, sizes } from './harness.js';

const place = process.env.CAR_SCREENSHOTS ?? 'screenshots';
mkdirSync(place, { recursive: true });

/** @type {[string, string, ((page: import('playwright-core').Page) => Promise<unknown>)?][]} */
const empty = [['home-empty', '#/'], ['repos-empty', '#/repos'], ['runs-empty', '#/runs']];

function screens({ done, asks, fails, works }) {
  return [
    ['home', '#/'],
    ['chat', '#/chat'],
    ['threads', '#/threads'],
    ['repos', '#/repos'],
    ['repos-add', '#/repos?add=1'],
    ['repo', '#/repos/greeter'],
    ['repo-remove', '#/repos/greeter--feature-colours', (page) => page.getByRole('button', { name: /remove/i }).first().click()],
    ['tickets', '#/repos/billing/tickets'],
    ['ticket', '#/repos/billing/tickets/1'],
    ['ticket-new', '#/repos/billing/tickets/new'],
    ['context', '#/repos/billing/context'],
    ['files', '#/repos/billing/files'],
    ['runs', '#/runs'],
    ['run-done', `#/runs/${done.id}`],
    ['run-asks', `#/runs/${asks.id}`],
    ['run-fails', `#/runs/${fails.id}`],
    ['run-works', `#/runs/${works.id}`],
    ['diff', `#/runs/${done.id}/diff`],
    ['diff-file', `#/runs/${done.id}/diff?file=greet.sh`],
    ['diff-remark', `#/runs/${asks.id}/diff?file=src%2Finvoice.rs`, (page) => page.getByRole('listbox', { name: 'Lines' }).getByRole('option').nth(3).click()],
    ['jobs', '#/jobs'],
    ['archive', '#/archive'],
    ['usage', '#/usage'],
    ['audit', '#/audit'],
    ['settings', '#/settings'],
    ['more', '#/more'],
  ];
}

const only = process.env.CAR_SCREENS?.split(',');

async function take(browser, list) {
  for (const size of sizes) {
    for (const scheme of ['light', 'dark']) {
      const tab = await Tab.open(browser, size, { scheme });
      tab.expect(/./);
      await tab.pair();
      for (const [name, address, prepare] of list) {
        if (only && !only.some((wanted) => name.startsWith(wanted))) continue;
        try {
          await tab.go('#/more');
          await tab.go(address);
          await prepare?.(tab.page);
          await tab.page.locator('main :is(.card, .list, .windowed, .field, .notice)').first().waitFor();
          await tab.page.waitForLoadState('networkidle').catch(() => {});
          await tab.page.screenshot({ path: `${place}/${name}-${size.name}-${scheme}.png` });
        } catch (error) {
          console.error(`${name} (${size.name}, ${scheme}): ${error.message}`);
        }
      }
      console.error(`${size.name}, ${scheme}: ${tab.faults.length ? tab.faults.join('\n  ') : 'no error in the console'}`);
      await tab.close();
    }
  }
}

const browser = await open();
try {
  await take(browser, empty);
  await take(browser, screens(await day()));
} finally {
  await browser.close();
  process.stdin.destroy();
}
console.error(`pictures of ${hub.url} are in ${place}`);
