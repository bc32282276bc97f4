/**
 * Keeps the page's own files for when there is no network, shows what the hub pushes, and takes what
 * other programs share. It keeps nothing of the hub: no answer of the API is ever stored.
 */

const worker = /** @type {any} */ (self);

/** The path the hub is served under, with a slash at its end. */
const base = new URL(worker.registration.scope).pathname;
const SHELL = 'car-shell';
const SHARED = 'car-shared';

/** Where a page has the files of its version, and which one that is. */
const ASSETS = /[^"']*\/assets\/([0-9a-f]{20})\//;

/** How long a page is waited for before the kept one is shown, in milliseconds. */
const PATIENCE = 2500;

worker.addEventListener('install', (event) => {
  event.waitUntil(keepPage().then(() => worker.skipWaiting()));
});

worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin || !url.pathname.startsWith(base)) return;
  const path = url.pathname.slice(base.length);
  if (request.method === 'POST' && path === 'share') event.respondWith(share(request));
  if (request.method !== 'GET') return;
  if (request.mode === 'navigate' && !path.startsWith('api/') && !path.startsWith('assets/')) {
    event.respondWith(page(request));
  } else if (/^assets\/[0-9a-f]{20}\//.test(path)) {
    event.respondWith(asset(request));
  }
});

/** The page as it is now, or as it was when the hub cannot be reached soon. */
async function page(request) {
  const kept = await caches.match(base, { cacheName: SHELL });
  const fresh = fetch(request).then(async (answer) => {
    if (answer.ok) await keep(answer.clone());
    // What stands before the hub says that it is not there.
    return kept && answer.status >= 500 ? kept : answer;
  });
  if (!kept) return fresh;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, kept));
  return Promise.race([fresh.catch(() => kept), late]);
}

async function keepPage() {
  const answer = await fetch(base, { cache: 'no-cache' });
  if (answer.ok) await keep(answer);
}

/**
 * Keeps a page, and with it everything it names. The files of the one before stay until the next:
 * it may be open still. What only older ones named goes.
 */
async function keep(answer) {
  const cache = await caches.open(SHELL);
  const text = await answer.clone().text();
  const found = text.match(ASSETS);
  if (!found) return;
  const known = await cache.match(base);
  const before = (await known?.text())?.match(ASSETS)?.[1];
  if (before === found[1]) return;
  const files = [...new Set(text.match(new RegExp(`[^"']*/assets/${found[1]}/[^"']+`, 'g')))];
  await Promise.all(files.map((file) => asset(new Request(file))));
  await cache.put(base, answer);
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    const needed = [found[1], before].some((version) => version && pathname.includes(`/${version}/`));
    if (pathname !== base && !needed) await cache.delete(request);
  }
}

worker.addEventListener('message', (event) => {
  if (event.data === 'keep all') event.waitUntil(keepAll().catch(() => undefined));
});

/**
 * Keeps what the other screens are made of, so that each opens at once, and without a network too.
 * One file after the other: nobody waits for them yet. What fails is kept another time; their list is
 * kept last, so where it is nothing is left to do.
 */
async function keepAll() {
  const page = await caches.match(base, { cacheName: SHELL });
  const [assets] = (await page?.text())?.match(ASSETS) ?? [];
  if (!assets) return;
  const cache = await caches.open(SHELL);
  const list = `${assets}files.txt`;
  if (await cache.match(list, { ignoreVary: true })) return;
  const answer = await fetch(list);
  if (!answer.ok) return;
  const names = await answer.clone().text();
  for (const name of names.trim().split('\n')) {
    const kept = await asset(new Request(assets + name, { priority: 'low' }));
    if (!kept.ok) return;
  }
  await cache.put(list, answer);
}

/** A file that never changes. */
async function asset(request) {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

/** What another program shares: kept until the chat takes it. */
async function share(request) {
  const form = await request.formData();
  const cache = await caches.open(SHARED);
  const words = ['title', 'text', 'url'].map((name) => form.get(name)).filter(Boolean);
  await cache.put(`${base}shared/text`, new Response(words.join('\n')));
  for (const [place, file] of form.getAll('files').entries()) {
    const headers = { 'content-type': file.type, 'x-name': encodeURIComponent(file.name) };
    await cache.put(`${base}shared/file/${place}`, new Response(file, { headers }));
  }
  return Response.redirect(`${base}#/chat?shared=1`, 303);
}

/**
 * What the hub pushes.
 * @typedef {object} Pushed
 * @property {string} id
 * @property {string} title
 * @property {string} line
 * @property {string} [open] Where it is looked at, below the hub's path.
 * @property {number} [open_items] What waits, for the badge.
 * @property {string} [token] Good for one of the actions, once.
 * @property {Array<{action: string, title: string, body?: string}>} [actions]
 */

worker.addEventListener('push', (event) => {
  /** @type {Pushed} */
  const pushed = event.data.json();
  event.waitUntil(
    Promise.all([
      worker.registration.showNotification(pushed.title, {
        body: pushed.line,
        tag: pushed.id,
        icon: `${base}assets/icon-192.png`,
        badge: `${base}assets/badge.png`,
        data: pushed,
        actions: (pushed.actions ?? []).map(({ action, title }) => ({ action, title })),
      }),
      badge(pushed.open_items),
    ]),
  );
});

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  /** @type {Pushed} */
  const pushed = event.notification.data ?? {};
  const chosen = pushed.actions?.find(({ action }) => action === event.action);
  const body = event.reply || chosen?.body;
  // A question without words for the answer is answered on its page.
  const here = chosen && pushed.token && (chosen.action !== 'reply' || body);
  event.waitUntil(here ? act(pushed, chosen.action, body) : show(pushed.open ?? ''));
});

/** Does what was chosen, without the page. */
async function act(pushed, action, body) {
  const answer = await fetch(`${base}api/v1/push/act`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    credentials: 'omit',
    body: JSON.stringify({ token: pushed.token, action, body }),
  }).catch(() => null);
  if (answer?.ok) return badge((await answer.json()).open_items);
  const problem = await answer?.json().catch(() => null);
  return worker.registration.showNotification('That was not done', {
    body: problem?.detail ?? 'The hub cannot be reached. Open it and try again.',
    tag: pushed.id,
    data: { open: pushed.open },
  });
}

/** Brings the page to the front. */
async function show(path) {
  const url = new URL(path, worker.registration.scope).href;
  const all = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = all.find((client) => client.url.startsWith(worker.registration.scope));
  if (!open) return worker.clients.openWindow(url);
  await open.focus();
  open.postMessage({ open: path });
  return undefined;
}

async function badge(count) {
  if (count === undefined || !navigator.setAppBadge) return;
  await (count ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => {});
}
