// One browser, one hub, and what is looked at whatever a story does.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { axe, browserArgs, browserPath, chromium } from './tools.js';

/** A phone in one hand, and a desk. */
export const sizes = [
  { name: 'phone', width: 390, height: 844, touch: true },
  { name: 'desk', width: 1280, height: 800, touch: false },
];

/** Answers of the test that started this process; it does not wait for them unless it asks. */
let lines;

/** Has the test that started this process do something to the hub; waits until it is done. */
export async function ask(word) {
  lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  process.stdout.write(`!${word}\n`);
  const { value, done } = await lines.next();
  assert(!done, `nobody answers "${word}"`);
  return value;
}

/** The hub, as its owner at the machine sees it. */
export const hub = {
  url: process.env.CAR_HUB_URL,
  root: process.env.CAR_HUB_ROOT,
  /** One request with the owner's token. */
  async call(method, path, body, headers = {}) {
    const answer = await fetch(`${hub.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${process.env.CAR_HUB_TOKEN}`, 'content-type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    assert(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  },
  get: (path) => hub.call('GET', path),
  post: (path, body = {}) => hub.call('POST', path, body),
  /** Asks again until the answer is as wanted. */
  async until(path, wanted) {
    const end = Date.now() + 60_000;
    for (;;) {
      const seen = await hub.get(path);
      if (wanted(seen)) return seen;
      assert(Date.now() < end, `${path} stays ${JSON.stringify(seen)}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  },
  /** A job's end. */
  async job(job) {
    const ended = await hub.until(`/jobs/${job.id}`, (j) => !['queued', 'running'].includes(j.status));
    assert.equal(ended.status, 'completed', JSON.stringify(ended));
    return ended;
  },
};

/** Opens the browser; its profile is gone when it is closed. */
export async function open() {
  return chromium.launch({
    executablePath: browserPath,
    args: browserArgs,
  });
}

/** Has broken rules of the policy told on the console, and brings what looks for the others. */
async function watchRules(context) {
  await context.addInitScript({ content: axe });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(
        `policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`,
      );
    });
  });
}

/** A browser's page, watched. */
export class Tab {
  /** @param browser {import('playwright-core').Browser} */
  static async open(browser, size, options = {}) {
    const context = await browser.newContext({
      baseURL: hub.url,
      viewport: { width: size.width, height: size.height },
      hasTouch: size.touch,
      isMobile: size.touch,
      deviceScaleFactor: options.scale ?? 1,
      colorScheme: options.scheme ?? 'light',
      reducedMotion: 'reduce',
      serviceWorkers: options.serviceWorkers ?? 'block',
      permissions: options.permissions,
    });
    context.setDefaultTimeout(60_000);
    const tab = new Tab();
    tab.context = context;
    tab.size = size;
    tab.faults = [];
    tab.allowed = [];
    if (!options.bare) await watchRules(context);
    tab.page = await context.newPage();
    tab.asking = new Set();
    tab.answered = Date.now();
    tab.page.on('request', (request) => tab.asking.add(request));
    for (const end of ['requestfinished', 'requestfailed']) {
      tab.page.on(end, (request) => {
        tab.asking.delete(request);
        tab.answered = Date.now();
      });
    }
    tab.page.on('console', (message) => {
      if (message.type() === 'error') tab.faults.push(`${message.text()} (${message.location().url})`);
    });
    tab.page.on('pageerror', (error) => tab.faults.push(error.stack ?? String(error)));
    return tab;
  }

  /** From now on, these words in the console are expected. */
  expect(pattern) {
    this.allowed.push(pattern);
  }

  /** Pairs this browser as its user would: by a link whose code the owner opened. */
  async pair(place = '#/', scopes = ['read', 'write', 'run', 'approve', 'admin']) {
    const opened = await hub.post('/pairings', { scopes });
    await this.page.goto(`/pair#${opened.code}`);
    await hub.until(`/pairings/${opened.pairing.id}`, (pairing) => pairing.state === 'waiting');
    await hub.post(`/pairings/${opened.pairing.id}/decide`, { approve: true });
    await this.page.locator('.frame:not(.early)').waitFor();
    if (place !== '#/') await this.go(place);
  }

  /** Goes to a place of the page. */
  async go(place) {
    // The heading of the screen before is none of this one.
    await this.page.evaluate((hash) => {
      if (location.hash !== hash) for (const one of document.querySelectorAll('h1')) one.dataset.left = '';
    }, place);
    await this.page.goto(`/${place}`);
    await this.page.locator('h1:not([data-left])').waitFor();
  }

  /** Presses a button that asks once more, and says yes in time. */
  async sure(button, question) {
    for (let tries = 0; ; tries += 1) {
      await button.click();
      try {
        return await question.click({ timeout: 3000 });
      } catch (error) {
        // It asks for a few seconds only.
        if (tries === 9) throw error;
      }
    }
  }

  /** Waits until nothing was asked of the hub for a moment, so that what is seen is what stays. */
  async quiet() {
    const end = Date.now() + 60_000;
    while (this.asking.size > 0 || Date.now() - this.answered < 300) {
      assert(Date.now() < end, `the page asks and asks: ${[...this.asking].map((request) => request.url())}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  /**
   * Waits until a question to the page is answered with yes. (`waitForFunction` takes a promise for a
   * yes, whatever comes of it.)
   */
  async until(question, given) {
    const end = Date.now() + 60_000;
    while (!(await this.page.evaluate(question, given))) {
      assert(Date.now() < end, `the page never says yes to ${question}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  /** Looks at what is on the screen: no serious fault for people who see or move otherwise. */
  async look(name) {
    const found = await this.page.evaluate(async () => {
      const result = await window.axe.run(document, { resultTypes: ['violations'] });
      return result.violations
        .filter((rule) => rule.impact === 'serious' || rule.impact === 'critical')
        .map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`);
    });
    assert.deepEqual(found, [], `${name} (${this.size.name})`);
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(wide <= 0, `${name} (${this.size.name}) is ${wide} pixels wider than the screen`);
  }

  /** What stands on the screen, the dialog before what is under it; for somebody who has no picture. */
  async reads() {
    const read = this.page.evaluate(() => [...document.querySelectorAll('dialog[open]'), document.body].map((part) => part.innerText).join('\n--\n'));
    return (await read.catch((error) => String(error))).slice(0, 4000);
  }

  async close() {
    await this.context.close();
    const faults = this.faults.filter((fault) => !this.allowed.some((pattern) => pattern.test(fault)));
    assert.deepEqual(faults, [], `what the console said (${this.size.name})`);
  }
}

/** Runs stories, each at both sizes, in one browser. */
export async function run(stories) {
  // A story that hangs must not hold up everything else.
  setTimeout(() => {
    console.error('the stories did not end within twenty minutes');
    process.exit(1);
  }, 1_200_000).unref();
  const browser = await open();
  try {
    for (const [name, story] of Object.entries(stories)) {
      for (const size of story.sizes ?? sizes) {
        const begun = Date.now();
        const tab = await Tab.open(browser, size, story.options);
        try {
          await story(tab, size);
          await tab.close();
        } catch (error) {
          const place = process.env.CAR_STORY_FAULTS;
          if (place) await tab.page.screenshot({ path: `${place}/${name}-${size.name}.png` }).catch(() => {});
          console.error(
            `${name} (${size.name}) at ${tab.page.url()}: ${error.stack}\n${tab.faults.join('\n')}`,
          );
          console.error(`it reads:\n${await tab.reads()}`);
          throw error;
        }
        console.error(`${name} (${size.name}): ${Date.now() - begun} ms`);
      }
    }
  } finally {
    await browser.close();
    process.stdin.destroy();
  }
}
