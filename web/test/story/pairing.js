// A browser that is not let in sees nothing of the hub; one that is, sees it at once.
import assert from 'node:assert/strict';
import { Tab, hub, run } from '../harness.js';

async function unpaired(tab) {
  const { page } = tab;
  // What is not there for a stranger is said to be not there, and the console says so too.
  tab.expect(/401/);
  const answer = await page.goto('/');
  assert.equal(answer.status(), 200);
  const policy = answer.headers()['content-security-policy'];
  for (const rule of ["default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"]) {
    assert(policy.includes(rule), policy);
  }
  assert(!policy.includes('unsafe'), policy);
  await page
    .getByText(/car pair/)
    .first()
    .waitFor();
  await tab.look('unpaired');
  const { instance } = await hub.get('/hub');
  assert(!(await page.content()).includes(instance));
}

async function pairing(tab) {
  const { page } = tab;
  tab.expect(/401/);
  await tab.pair();
  for (const step of ['Add a repo', 'Write a ticket', 'Start a run']) await page.getByRole('heading', { name: step }).waitFor();
  await tab.look('home, empty');
  const devices = await hub.get('/devices');
  const cookies = await tab.context.cookies();
  assert(
    cookies.every((cookie) => cookie.httpOnly && cookie.sameSite === 'Strict'),
    JSON.stringify(cookies),
  );
  // It stays in after a reload, and is out when it is revoked: its socket is closed meanwhile.
  tab.expect(/WebSocket connection to/);
  await page.reload();
  await page.getByRole('main').waitFor();
  for (const device of devices.items) await hub.call('DELETE', `/devices/${device.id}`);
  await page
    .getByText(/car pair/)
    .first()
    .waitFor();
  await tab.look('revoked');
}

/** What is in the navigation: where each place is, its sign and its name. */
const places = (page) => page.getByRole('navigation', { name: 'Main' }).locator('a').evaluateAll((links) => links.map((link) => [link.getAttribute('href'), link.querySelector('path').getAttribute('d'), link.textContent]));

/** Holds up the page's program, once; gives what lets it go. */
async function held(page) {
  let go;
  const gone = new Promise((done) => { go = done; });
  await page.route('**/main.js', (route) => gone.then(() => route.continue()), { times: 1 });
  return go;
}

/** While the program is on its way, whoever is let in sees the frame, and nobody else. */
async function early(tab, size) {
  const { page } = tab;
  tab.expect(/401/);
  let go = await held(page);
  await page.goto('/', { waitUntil: 'commit' });
  await page.locator('.frame').waitFor({ state: 'attached' });
  assert.equal(await page.getByRole('navigation').count(), 0);
  go();
  await page.getByText(/car pair/).first().waitFor();
  await tab.pair();
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
  const drawn = await places(page);

  go = await held(page);
  await page.reload({ waitUntil: 'commit' });
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  await tab.look('the frame alone');
  const first = size.touch ? 5 : 4;
  assert.deepEqual((await places(page)).slice(0, first), drawn.slice(0, first));
  await page.getByRole('link', { name: 'Repos' }).click();
  go();
  await page.getByRole('heading', { level: 1, name: 'Repos' }).waitFor();
  assert.deepEqual(await places(page), drawn, 'it is drawn over, not beside');
}

async function denied(tab) {
  const { page } = tab;
  tab.expect(/401|404/);
  const opened = await hub.post('/pairings');
  await page.goto(`/pair#${opened.code}`);
  await hub.until(`/pairings/${opened.pairing.id}`, (seen) => seen.state === 'waiting');
  await tab.look('waiting for the owner');
  assert.equal(new URL(page.url()).hash, '', 'the code is in no history');
  await hub.post(`/pairings/${opened.pairing.id}/decide`, { approve: false });
  await page
    .getByText(/turned away/)
    .first()
    .waitFor();
  await tab.look('denied');
}

/** A browser lets another one in by what its camera reads, and throws it out again. */
async function another(tab, size) {
  const { page } = tab;
  for (const device of (await hub.get('/devices')).items) await hub.call('DELETE', `/devices/${device.id}`);
  await tab.pair('#/settings?part=access');
  await page.getByRole('button', { name: 'Pair another' }).click();
  await page.getByRole('img', { name: 'QR code of the link' }).waitFor();
  await tab.look('a code for another browser');
  const link = (await page.getByRole('dialog').locator('pre').innerText()).trim();
  const other = await Tab.open(page.context().browser(), size);
  other.expect(/401|WebSocket connection to/);
  await other.page.goto(link);
  await page.getByRole('button', { name: 'Let it in' }).click();
  await other.page.getByRole('navigation', { name: 'Main' }).waitFor();
  await page.getByRole('dialog').getByText(/is paired/).waitFor();
  await page.getByRole('button', { name: 'Done' }).click();
  await tab.sure(page.getByRole('listitem').filter({ hasText: 'Chrome on' }).getByRole('button', { name: 'Revoke' }), page.getByRole('button', { name: 'Log it out?' }));
  await other.page.getByText(/car pair/).first().waitFor();
  await other.close();
}

await run({ unpaired, early, pairing, denied, another });
