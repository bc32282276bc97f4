// Pictures of every screen with real content, at both sizes, light and dark, into the directory that
// `CAR_SCREENSHOTS` names; with `CAR_README_PICTURES` the few that README shows.
import { mkdirSync } from 'node:fs';
import { day, talk } from './content.js';
import { Tab, hub, open, sizes } from './harness.js';
import { empty, screens, show } from './screens.js';

const place = process.env.CAR_SCREENSHOTS ?? 'screenshots';
mkdirSync(place, { recursive: true });

const only = process.env.CAR_SCREENS?.split(',');

async function take(browser, list) {
  for (const size of sizes) {
    for (const scheme of ['light', 'dark']) {
      const tab = await Tab.open(browser, size, { scheme, serviceWorkers: 'allow' });
      tab.expect(/./);
      await tab.pair('#/', ['read', 'write', 'run', 'approve', 'admin', 'terminal']);
      for (const [name, address, prepare] of list) {
        if (only && !only.some((wanted) => name.startsWith(wanted))) continue;
        try {
          await show(tab, address);
          await prepare?.(tab.page);
          await tab.page.mouse.move(0, 0);
          await tab.page.waitForLoadState('networkidle').catch(() => {});
          await tab.page.screenshot({ path: `${place}/${name}-${size.name}-${scheme}.png` });
        } catch (error) {
          console.error(`${name} (${size.name}, ${scheme}): ${error.message}`);
          process.exitCode = 1;
        }
      }
      console.error(`${size.name}, ${scheme}: ${tab.faults.length ? tab.faults.join('\n  ') : 'no error in the console'}`);
      await tab.close();
    }
  }
}

/** What README shows: the phone's Home and chat, and a run with its evidence on a desk. */
async function takeForReadme(browser, { done }) {
  const [phone, desk] = sizes;
  for (const [name, address, size, scheme, scale] of [
    ['home', '#/', phone, 'light', 1.5],
    ['chat', '#/chat', phone, 'dark', 1.5],
    ['run', `#/runs/${done.id}`, { ...desk, height: 720 }, 'light', 1],
  ]) {
    const tab = await Tab.open(browser, size, { scheme, scale });
    await tab.pair();
    await show(tab, address);
    if (name === 'chat') await tab.page.getByText('What it did').click();
    await tab.page.mouse.move(0, 0);
    await tab.page.waitForLoadState('networkidle').catch(() => {});
    await tab.page.screenshot({ path: `${place}/${name}.png` });
    await tab.close();
  }
}

const browser = await open();
const readme = Boolean(process.env.CAR_README_PICTURES);
try {
  if (!readme) await take(browser, empty);
  const made = { ...(await day()), terminal: await hub.post('/terminals', { cols: 80, rows: 24 }) };
  await talk();
  await (readme ? takeForReadme(browser, made) : take(browser, screens(made)));
  await hub.post(`/runs/${made.works.id}/stop`);
  await hub.until(`/runs/${made.works.id}`, (run) => run.state.status === 'stopped');
} finally {
  await browser.close();
  process.stdin.destroy();
}
console.error(`pictures of ${hub.url} are in ${place}`);
