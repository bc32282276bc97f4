// The first minute: the link that `make run` prints opens the page, let in, on the sample at work.
import { hub, run, sizes } from '../harness.js';

async function minute(tab) {
  const { page } = tab;
  await page.goto(process.env.CAR_LINK);
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
  const row = page.getByRole('main').getByRole('link', { name: /sample/ }).first();
  await row.waitFor();
  await tab.look('the sample at work');
  await row.click();
  await page.getByRole('article', { name: /Check of .*failed/ }).first().waitFor();
  await page.getByText('All tickets are done; 3 of 3 verified.').waitFor();
  await tab.look('the sample done');
  const place = process.env.CAR_STORY_PICTURES;
  if (place) await page.screenshot({ path: `${place}/first.png` });
  const runs = await hub.get('/runs');
  if (runs.items[0].finished.verified !== 3) throw new Error(JSON.stringify(runs));
}

// The link lets one browser in.
minute.sizes = [sizes[0]];
await run({ minute });
