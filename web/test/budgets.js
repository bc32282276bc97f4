// Measures what the page may cost, of a hub that is served by the program named first: `make
// web-budgets`. It prints a table and judges nothing: a busy machine is no fault of the page.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createInterface } from 'node:readline';

const program = resolve(process.argv[2] ?? 'target/release/car-hub');
const place = mkdtempSync(join(tmpdir(), 'car-budgets-'));
const environment = {
  ...process.env,
  CAR_CONFIG_DIR: join(place, 'config'),
  ...Object.fromEntries(['AUTHOR', 'COMMITTER'].flatMap((role) => [[`GIT_${role}_NAME`, 'Ada'], [`GIT_${role}_EMAIL`, 'ada@example.org']])),
};

/** Serves a new hub, and tells `harness.js` of it. */
async function serve() {
  const root = join(place, 'hub');
  mkdirSync(root);
  execFileSync(program, ['init', root], { env: environment });
  const served = spawn(program, ['serve', '--root', root, '--port', '0'], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  const { value } = await createInterface({ input: served.stdout })[Symbol.asyncIterator]().next();
  process.env.CAR_HUB_URL = value.replace('car-hub ready: ', '').trim();
  process.env.CAR_HUB_ROOT = root;
  process.env.CAR_HUB_TOKEN = /^token = "(.+)"$/m.exec(readFileSync(join(place, 'config/credentials.toml'), 'utf8'))[1];
  return served;
}

const served = await serve();
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.once(signal, () => served.kill() && process.exit(1));
const { Bare } = await import('./bare.js');
const { DONE, day, repo, start, ticket } = await import('./content.js');
const { Tab, hub, open, sizes } = await import('./harness.js');
const phone = sizes[0];

/** A phone that is neither new nor near: a processor a quarter as fast, 150 ms away, 1.6 Mbit/s. */
async function slow(session) {
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 });
}

const middle = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** How often Home is opened each way; the middle one counts. */
const ROUNDS = 7;

/** How long the network is silent when a page has all it wants, in milliseconds. */
const SILENCE = 700;

/** Notes when Home was drawn. It stands in the page, and is all that does. */
const WATCH = `new MutationObserver((_, observer) => {
  if (!document.querySelector('main .section, main .card')) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.drawn = performance.now(); }));
}).observe(document, { childList: true, subtree: true });`;

/** The least of a page that asks as Home does: for a style and a script, then for what it draws. */
const LEAST = {
  '/': ['text/html', '<!doctype html><link rel="stylesheet" href="/a.css"><body><script src="/a.js"></script></body>'],
  '/a.css': ['text/css', 'body { margin: 16px; }'],
  '/a.js': ['text/javascript', `fetch('/a.json').then((answer) => answer.json()).then((text) => {
    const main = document.createElement('main');
    main.append(Object.assign(document.createElement('p'), { className: 'card', textContent: text }));
    document.body.append(main);
  });`],
  '/a.json': ['application/json', '"Nothing needs you."'],
};

/** Serves it. The same machine draws it at the same time, so it tells a slow machine from a slow page. */
async function serveLeast() {
  const server = createServer((request, answer) => {
    const [type, text] = LEAST[request.url] ?? ['text/plain', ''];
    answer.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** How long Home takes, in milliseconds, and what comes over the wire, in bytes. */
async function home() {
  const bare = new Bare(join(place, 'profile'));
  try {
    return await visits(await bare.tab(phone));
  } finally {
    await bare.close();
  }
}

/** Opens Home again and again, with nothing kept and with everything kept. */
async function visits(tab) {
  const opened = await hub.post('/pairings', { scopes: ['read', 'write', 'run', 'approve', 'admin'] });
  await tab.send('Page.navigate', { url: `${hub.url}/pair#${opened.code}` });
  await hub.until(`/pairings/${opened.pairing.id}`, (pairing) => pairing.state === 'waiting');
  await hub.post(`/pairings/${opened.pairing.id}/decide`, { approve: true });
  while (!(await tab.evaluate("Boolean(document.querySelector('main .section, main .card'))"))) await pause(50);

  /** What came, by when. @type {{bytes: number, at: number}[]} */
  let came = [];
  let began = 0;
  let last = 0;
  const heard = ({ timestamp }) => {
    began ||= timestamp;
    last = Date.now();
  };
  for (const what of ['requestWillBeSent', 'dataReceived', 'loadingFinished']) tab.on(`Network.${what}`, heard);
  tab.on('Network.loadingFinished', ({ encodedDataLength, timestamp }) => came.push({ bytes: encodedDataLength, at: timestamp }));
  await tab.send('Page.enable');
  await tab.send('Page.addScriptToEvaluateOnNewDocument', { source: WATCH });
  await slow(tab);
  const visit = async (url) => {
    await tab.send('Page.navigate', { url: 'about:blank' });
    await pause(SILENCE);
    [came, began, last] = [[], 0, Date.now()];
    await tab.send('Page.navigate', { url: `${url}/` });
    while (Date.now() - last < SILENCE) await pause(50);
    const drawn = await tab.evaluate('window.drawn');
    const sum = (all) => all.reduce((total, one) => total + one.bytes, 0);
    return { drawn, first: sum(came.filter((one) => (one.at - began) * 1000 <= drawn)), bytes: sum(came) };
  };
  const floor = await serveLeast();
  const least = [];
  const cold = [];
  const warm = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await tab.send('Network.clearBrowserCache');
    await tab.send('Storage.clearDataForOrigin', { origin: hub.url, storageTypes: 'service_workers,cache_storage' });
    least.push(await visit(floor.url));
    cold.push(await visit(hub.url));
    warm.push(await visit(hub.url));
  }
  floor.close();
  const of = (visits) => ({ ms: middle(visits.map((one) => one.drawn)), first: middle(visits.map((one) => one.first)), bytes: middle(visits.map((one) => one.bytes)) });
  return { least: of(least), cold: of(cold), warm: of(warm) };
}

/** Scrolls at a place, and says how the frames came meanwhile, in milliseconds. */
async function frames(tab, session, x, y, distance) {
  await tab.page.evaluate(() => {
    const times = [];
    const note = (now) => { times.push(now); window.noting = requestAnimationFrame(note); };
    window.times = times;
    window.noting = requestAnimationFrame(note);
  });
  for (const direction of [-1, 1, -1]) {
    await session.send('Input.synthesizeScrollGesture', { x, y, yDistance: direction * distance, speed: 3000, gestureSourceType: 'touch' });
  }
  const times = await tab.page.evaluate(() => { cancelAnimationFrame(window.noting); return window.times; });
  const gaps = times.slice(1).map((now, index) => now - times[index]).sort((a, b) => a - b);
  return { rate: 1000 / (gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length), p95: gaps[Math.floor(gaps.length * 0.95)], longest: gaps.at(-1), count: gaps.length };
}

/** What the page's own process holds for itself, in MiB. */
async function memory(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const own = (id) => readFileSync(`/proc/${id}/smaps_rollup`, 'utf8').match(/^Private_\w+: +\d+/gm).reduce((sum, line) => sum + Number(/\d+/.exec(line.split(':')[1])), 0) / 1024;
  return Math.max(...processInfo.filter((one) => one.type === 'renderer').map((one) => own(one.id)));
}

/** A run of many events. */
async function long() {
  await repo('long');
  const words = 'I look at the next piece, and say in a sentence or two what I found there. '.repeat(2);
  for (let number = 1; number <= 5; number += 1) {
    const steps = [];
    for (let part = 0; part < 50; part += 1) steps.push({ say: `Piece ${part}. ${words}` }, { sh: `echo part ${part}; seq 1 5`, times: 19 });
    await ticket('long', `Part ${number}`, [...steps, ...DONE]);
  }
  return start('long', 'completed');
}

/** A run that changes many files. */
async function wide() {
  await repo('wide');
  const sh = 'for d in $(seq 1 50); do mkdir -p src/part$d; for f in $(seq 1 100); do echo "line $f" > src/part$d/file$f.txt; done; done';
  await ticket('wide', 'Write five thousand files', [{ sh }, ...DONE]);
  return start('wide', 'completed');
}

async function runPage(browser, run) {
  const { items } = await hub.get('/hub/snapshot').then(() => hub.get('/runs?limit=500'));
  const tab = await Tab.open(browser, phone, { bare: true });
  await tab.pair(`#/runs/${items.find((one) => one.id === run.id).id}`);
  await tab.page.getByText(/5 verified|5 tickets/).first().waitFor();
  await tab.page.locator('.turn').nth(4).waitFor();
  const turns = tab.page.locator('.turn > details:not([open]) > summary');
  while (await turns.count()) await turns.first().click();
  await tab.page.waitForFunction(() => document.querySelectorAll('.turn .items').length === 5, null, { timeout: 60_000 });
  await tab.page.getByText('Piece 49. I look').nth(4).waitFor({ state: 'attached' });
  await tab.page.waitForLoadState('networkidle');
  await tab.page.evaluate(() => scrollTo(0, 0));
  const session = await tab.context.newCDPSession(tab.page);
  const seen = await frames(tab, session, 195, 500, 8000);
  const nodes = await tab.page.evaluate(() => document.querySelectorAll('*').length);
  const pieces = await tab.page.evaluate(() => document.querySelectorAll('.turn details.work, .turn .prose').length);
  const held = await memory(browser);
  await tab.context.close();
  return { ...seen, nodes, pieces, held };
}

async function diffPage(browser, run) {
  const tab = await Tab.open(browser, phone, { bare: true });
  await tab.pair('#/more');
  const begun = Date.now();
  await tab.page.goto(`/#/runs/${run.id}/diff`);
  await tab.page.getByRole('option').first().waitFor();
  const first = Date.now() - begun;
  await tab.page.waitForLoadState('networkidle');
  const session = await tab.context.newCDPSession(tab.page);
  const seen = await frames(tab, session, 195, 600, 20_000);
  const nodes = await tab.page.evaluate(() => document.querySelectorAll('*').length);
  await tab.context.close();
  return { ...seen, first, nodes };
}

const line = (what, value, bar) => console.log(`| ${what.padEnd(58)} | ${value.padStart(12)} | ${bar.padStart(10)} |`);
const scrolled = (what, seen) => {
  line(`${what}: frames a second while scrolling (${seen.count} frames)`, seen.rate.toFixed(1), '60');
  line(`${what}: 95 of 100 frames came within`, `${seen.p95.toFixed(1)} ms`, '');
  line(`${what}: longest frame`, `${seen.longest.toFixed(0)} ms`, '');
  line(`${what}: elements in the page`, String(seen.nodes), '');
};

let browser;
try {
  const [much, many] = [await long(), await wide()];
  await day();
  const events = async (run) => {
    let count = 0;
    for (let after; ;) {
      const page = await hub.get(`/events?limit=500&run=${run.id}${after ? `&after=${after}` : ''}`);
      count += page.items.length;
      after = page.next;
      if (!after || page.items.length === 0) return count;
    }
  };
  console.log(`\n${program}\n`);
  line('what', 'measured', 'bar');
  line('-'.repeat(58), '-'.repeat(12), '-'.repeat(10));
  const { least, cold, warm } = await home();
  line('Home on a slow phone, first visit: drawn after', `${cold.ms.toFixed(0)} ms`, '1000 ms');
  line('The same: a page of one style, one script, one line', `${least.ms.toFixed(0)} ms`, '');
  line('Home on a slow phone, first visit: over the wire until then', `${(cold.first / 1024).toFixed(1)} KiB`, '60 KiB');
  line('Home on a slow phone, first visit: over the wire in all', `${(cold.bytes / 1024).toFixed(1)} KiB`, '');
  line('Home on a slow phone, second visit: drawn after', `${warm.ms.toFixed(0)} ms`, '');
  line('Home on a slow phone, second visit: over the wire', `${(warm.bytes / 1024).toFixed(1)} KiB`, '');
  browser = await open();
  const run = await runPage(browser, much);
  scrolled(`A run of ${await events(much)} events, all unfolded`, run);
  line('The same: pieces of work and of text', String(run.pieces), '');
  line('The same: memory of the page’s process', `${run.held.toFixed(0)} MiB`, '150 MiB');
  await browser.close();
  browser = await open();
  const diff = await diffPage(browser, many);
  line('A change of 5,000 files: first file shown after', `${diff.first} ms`, '');
  scrolled('The same', diff);
} finally {
  await browser?.close();
  for (const one of (await hub.get('/runs?limit=500')).items) {
    if (!['running', 'pending'].includes(one.state.status)) continue;
    await hub.post(`/runs/${one.id}/stop`).catch(() => {});
    await hub.until(`/runs/${one.id}`, (seen) => !['running', 'pending', 'stopping'].includes(seen.state.status));
  }
  served.kill('SIGTERM');
  await new Promise((done) => served.once('exit', done));
  rmSync(place, { recursive: true, force: true });
}
