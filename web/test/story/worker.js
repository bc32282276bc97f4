// The page as a program of its own: what is pushed is shown and answered without the page, what
// another program shares is in the chat, and the page opens while the hub is away.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DONE, repo, start, ticket } from '../content.js';
import { ask, hub, run } from '../harness.js';
import { PushService } from '../push_service.js';

const service = await PushService.open();
writeFileSync(join(hub.root, 'codex-autorunner.yml'), `notifications:\n  push_services: ["${service.authority}"]\n`);
await ask('stop');
await ask('serve');

/** Calls an operation on pushes as the page does, with the credential of this browser. */
function operation(page, name, body) {
  return page.evaluate(async ([name, body]) => {
    const file = new URL('api/push.js', document.querySelector('script[src$="/main.js"]').src);
    return (await import(file))[name](body);
  }, [name, body]);
}

/** Has the browser hand a message to the page's worker, and waits until the worker has shown it: whoever
 * asks a browser what it shows while it is about to show something may have it forget that. */
async function deliver(tab, data) {
  const [worker] = tab.context.serviceWorkers();
  await worker.evaluate(() => {
    const { registration } = self;
    self.told = new Promise((done, failed) => {
      registration.showNotification = (...given) => {
        delete registration.showNotification;
        const showing = registration.showNotification(...given);
        showing.then(() => done(), failed);
        return showing;
      };
    });
  });
  const session = await tab.context.newCDPSession(tab.page);
  const registered = new Promise((done) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations.length && done(registrations[0]));
  });
  await session.send('ServiceWorker.enable');
  const { registrationId } = await registered;
  await session.send('ServiceWorker.deliverPushMessage', { origin: hub.url, registrationId, data: JSON.stringify(data) });
  await worker.evaluate(() => self.told);
  await session.detach();
}

/** Waits until this browser shows something so called, or no longer does. */
async function shown(tab, title, wanted = true) {
  await tab.until(async ([title, wanted]) => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).some((one) => one.title === title) === wanted;
  }, [title, wanted]);
}

/** Touches a notification, or one of its buttons. No browser without a screen lets itself be touched
 * there, so the worker is told what it would be told. */
async function touch(tab, title, action, reply) {
  const [worker] = tab.context.serviceWorkers();
  await worker.evaluate(async ([title, action, reply]) => {
    const notification = (await self.registration.getNotifications()).find((one) => one.title === title);
    const event = new NotificationEvent('notificationclick', { notification, action, reply });
    let work;
    Object.defineProperty(event, 'waitUntil', { value: (promise) => { work = promise; } });
    Object.defineProperty(event, 'reply', { value: reply });
    self.dispatchEvent(event);
    await work;
  }, [title, action, reply]);
}

async function pushed(tab, size) {
  const { page } = tab;
  const id = `pushed-${size.name}`;
  await repo(id);
  await ticket(id, 'Choose a colour', [
    { on: 1, dispatch: { mode: 'pause', title: 'Which colour?', body: 'Red or blue?' } },
    { from: 2, write: ['colour.txt', 'blue\n'] },
    ...DONE.map((step) => ({ from: 2, ...step })),
  ]);
  await tab.pair();
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await operation(page, 'push_subscribe', service.subscription());
  const asked = await start(id, 'paused');
  const message = await service.next();
  assert(message.actions.some(({ action }) => action === 'reply'), JSON.stringify(message));
  await deliver(tab, message);
  await shown(tab, message.title);

  // The answer goes without the page and without its cookie.
  await touch(tab, message.title, 'reply', 'Blue.');
  await hub.until(`/runs/${asked.id}`, (seen) => seen.state.status === 'completed');
  const replies = await hub.get(`/runs/${asked.id}/replies`);
  assert.equal(replies.items.at(-1).body.trim(), 'Blue.');
  await hub.until('/notifications', (all) => all.items.some((one) => one.acted_at && one.deliveries.some((way) => way.status === 'delivered')));

  // It was good for one answer.
  tab.expect(/40\d|41\d/);
  await shown(tab, message.title, false);
  // Under a name of its own: a browser may still be taking the first one away.
  await deliver(tab, { ...message, id: `${message.id} again` });
  await shown(tab, message.title);
  await touch(tab, message.title, 'reply', 'Red.');
  await shown(tab, 'That was not done');
  await operation(page, 'push_unsubscribe');
}

async function shared(tab, size) {
  const { page } = tab;
  await tab.pair('#/chat');
  await page.getByRole('textbox', { name: 'Message' }).fill('Look at this:');
  await tab.until(async () => Boolean((await navigator.serviceWorker.ready).active && navigator.serviceWorker.controller));
  // As the system posts it when the hub is chosen in another program's share menu.
  const name = `notes-${size.name}.txt`;
  await page.evaluate(async (name) => {
    const form = new FormData();
    form.set('title', 'An article');
    form.set('url', 'https://example.org/article');
    form.append('files', new File(['three lines'], name, { type: 'text/plain' }));
    await fetch('/share', { method: 'POST', body: form, redirect: 'manual' });
  }, name);
  await tab.go('#/');
  await tab.go('#/chat?shared=1');
  await page.getByRole('button', { name: `Take ${name} out` }).waitFor();
  const text = await page.getByRole('textbox', { name: 'Message' }).inputValue();
  assert.equal(text, 'Look at this:\n\nAn article\nhttps://example.org/article');
  assert.equal(new URL(page.url()).hash, '#/chat', 'it is taken once');
  await tab.look('what was shared');
  // The draft is there after the phone slept, or the page was thrown away.
  await page.reload();
  await page.getByRole('button', { name: `Take ${name} out` }).waitFor();
  assert.equal(await page.getByRole('textbox', { name: 'Message' }).inputValue(), text);
}

/** By hand, in Settings and on Home. The push service of a browser's maker is out of reach for a test,
 * so the browser is given a subscription of ours; all else is real. */
async function turnedOn(tab, size) {
  const { page } = tab;
  await tab.context.addInitScript((keys) => {
    let own = null;
    PushManager.prototype.getSubscription = async () => own;
    PushManager.prototype.subscribe = async (options) => {
      own = { endpoint: keys.endpoint, options, toJSON: () => ({ keys }), unsubscribe: async () => { own = null; } };
      return own;
    };
    window.signs = [];
    navigator.setAppBadge = async (count) => { window.signs.push(count); };
    navigator.clearAppBadge = async () => { window.signs.push(0); };
  }, service.subscription());
  await tab.pair('#/settings?part=notices');
  await page.getByRole('button', { name: 'Notify me here' }).click();
  await page.getByText('You are notified here').waitFor();
  await page.getByRole('button', { name: 'Try it' }).click();
  const message = await service.next();
  await page.getByText('The push service took it').waitFor();
  await deliver(tab, { ...message, open_items: 3 });
  await shown(tab, message.title);
  await page.getByLabel('Tell me nothing at night').click();
  await page.getByLabel('from', { exact: true }).fill('23:30');
  const own = (all) => all.items.find((one) => one.quiet);
  await hub.until('/channels', (all) => own(all)?.quiet.from_minute === 23 * 60 + 30);
  await tab.look('notified here');
  await page.getByRole('button', { name: 'Stop it' }).click();
  await page.getByRole('button', { name: 'Notify me here' }).waitFor();
  await hub.until('/channels', (all) => !own(all));

  // What waits is a number on the page's icon, whoever sets it.
  const id = `badge-${size.name}`;
  await repo(id);
  await ticket(id, 'Ask', [{ dispatch: { mode: 'pause', title: 'Which?', body: 'Which?' } }]);
  const asked = await start(id, 'paused');
  const { open } = await hub.get('/inbox/counts');
  await tab.until((open) => window.signs.at(-1) === open, open);
  await hub.post(`/runs/${asked.id}/stop`);
  await tab.until((open) => window.signs.at(-1) === open - 1, open);

  // A browser that can install the page says so; whoever does not want it is asked once.
  const offered = () => page.evaluate(() => {
    const offer = new Event('beforeinstallprompt', { cancelable: true });
    offer.prompt = async () => { window.asked = true; };
    return !dispatchEvent(offer);
  });
  await tab.go('#/');
  assert(await offered(), 'the page asks when it wants to');
  const hint = page.getByRole('complementary', { name: 'Install the hub' });
  await tab.look('what can be installed');
  await hint.getByRole('button', { name: 'Install it' }).click();
  await hint.waitFor({ state: 'detached' });
  assert(await page.evaluate(() => window.asked));
  await offered();
  await hint.getByRole('button', { name: 'Not now' }).click();
  await hint.waitFor({ state: 'detached' });
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
  await offered();
  await tab.until(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))));
  assert.equal(await hint.count(), 0);
}

async function away(tab) {
  const { page } = tab;
  tab.expect(/ERR_|WebSocket|Failed to load resource|50[23]/);
  await tab.pair();
  await tab.until(async () => {
    const kept = await caches.open('car-shell');
    return navigator.serviceWorker.controller?.state === 'activated' && Boolean(await kept.match('/'));
  });
  // Every screen is there by now, though nobody was there yet.
  const late = await page.evaluate(() => document.querySelector('script[src$="/main.js"]').src.replace('main.js', 'screen/usage.js'));
  await tab.until(async (late) => Boolean(await (await caches.open('car-shell')).match(late)), late);
  await ask('stop');
  await page.evaluate(() => { location.hash = '#/usage'; });
  await page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor();
  await page.evaluate(() => { location.hash = '#/'; });
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
  await page.reload();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  await page.getByRole('status').filter({ hasText: 'No connection to the hub' }).waitFor();
  await tab.look('opened without the hub');
  // What stands before the hub answers in its place: that is no page to show.
  const proxy = createServer((_, response) => response.writeHead(502).end('Bad Gateway'));
  await new Promise((done) => proxy.listen(new URL(hub.url).port, '127.0.0.1', done));
  await page.reload();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  assert.equal(await page.getByText('Bad Gateway').count(), 0);
  proxy.closeAllConnections();
  await new Promise((done) => proxy.close(done));
  await ask('serve');
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
  await page.getByText('No connection to the hub', { exact: false }).waitFor({ state: 'detached' });
}

for (const story of [pushed, turnedOn, shared, away]) story.options = { serviceWorkers: 'allow', permissions: ['notifications'] };
await run({ pushed, turnedOn, shared, away });
service.close();
