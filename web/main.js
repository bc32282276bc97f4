/**
 * The page: it finds out whether this browser is let in, follows the hub, and shows the screen its
 * address names. Screens are loaded when they are gone to.
 */

import { useEffect, useLayoutEffect, useRef, useState } from './vendor/hooks.js';
import { render } from './vendor/preact.js';
import { UNREACHED, base, troubleOf } from './api/client.js';
import { link } from './api/socket.js';
import { access } from './api/session.js';
import { h, html } from './part/html.js';
import { Button } from './part/act.js';
import { HistoryNote, OfflineLine, Rail } from './part/frame.js';
import { TroubleNote } from './part/trouble.js';
import { start as startWorker } from './state/install.js';
import { changed, look as lookBack } from './state/history.js';
import { follow, matched, place } from './state/route.js';
import { afterDrawing, boot, ready, rest } from './state/store.js';

/** @typedef {{params: Record<string, string>, query: Record<string, string>}} ScreenProps */
/** @typedef {(props: ScreenProps) => any} Screen */

/**
 * Every screen, by its address. The first that fits is shown.
 * @type {[string, () => Promise<{default: Screen}>][]}
 */
const SCREENS = [
  ['/', () => import('./screen/home.js')],
  ['/inbox', () => import('./screen/inbox.js')],
  ['/chat', () => import('./screen/chat.js')],
  ['/threads', () => import('./screen/threads.js')],
  ['/threads/:thread', () => import('./screen/chat.js')],
  ['/repos', () => import('./screen/repos.js')],
  ['/repos/:repo', () => import('./screen/repo.js')],
  ['/repos/:repo/tickets', () => import('./screen/tickets.js')],
  ['/repos/:repo/tickets/new', () => import('./screen/ticket_new.js')],
  ['/repos/:repo/tickets/:ticket', () => import('./screen/ticket.js')],
  ['/repos/:repo/context', () => import('./screen/context.js')],
  ['/repos/:repo/files', () => import('./screen/files.js')],
  ['/pma', () => import('./screen/pma.js')],
  ['/runs', () => import('./screen/runs.js')],
  ['/runs/:run/diff', () => import('./screen/diff.js')],
  ['/runs/:run', () => import('./screen/run.js')],
  ['/jobs', () => import('./screen/jobs.js')],
  ['/jobs/:job', () => import('./screen/job.js')],
  ['/archive', () => import('./screen/archive.js')],
  ['/templates', () => import('./screen/templates.js')],
  ['/usage', () => import('./screen/usage.js')],
  ['/terminals', () => import('./screen/terminals.js')],
  ['/terminals/:terminal', () => import('./screen/terminal.js')],
  ['/audit', () => import('./screen/audit.js')],
  ['/settings', () => import('./screen/settings.js')],
  ['/more', () => import('./screen/more.js')],
];

/** @type {Map<string, Screen>} */
const loaded = new Map();

/** Where each place was scrolled to. @type {Map<string, number>} */
const scrolled = new Map();

/** Whether this page was opened to let this browser in. */
const wantsToPair = location.pathname === `${base}/pair`;

/** How long the first answers are waited for before anything is drawn, in milliseconds. */
const PATIENCE = 200;

/** The first look at the hub, until it is taken. @type {Promise<void> | undefined} */
let begun;

/** The screen of the present place. */
function Shown() {
  const here = place.value;
  const found = SCREENS.map(([pattern, load]) => ({ pattern, load, params: matched(pattern, here) })).find((entry) => entry.params);
  const [shown, setShown] = useState(/** @type {{screen: Screen, props: ScreenProps, key: string} | null} */ (null));
  const [trouble, setTrouble] = useState(/** @type {import('./api/client.js').Trouble | null} */ (null));
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const first = useRef(true);

  // Not after the next frame: nothing is seen before this is done.
  useLayoutEffect(() => {
    if (!found) return undefined;
    let wanted = true;
    const show = (/** @type {Screen} */ screen) => {
      loaded.set(found.pattern, screen);
      setTrouble(null);
      setShown({ screen, props: { params: found.params ?? {}, query: here.query }, key: here.path });
    };
    const known = loaded.get(found.pattern);
    if (known) show(known);
    else {
      found.load().then(
        (module) => wanted && show(module.default),
        (error) => wanted && setTrouble(troubleOf(error)),
      );
    }
    return () => {
      wanted = false;
      scrolled.set(here.path, window.scrollY);
    };
  }, [here]);

  useEffect(() => {
    if (!shown) return;
    window.scrollTo(0, scrolled.get(shown.key) ?? 0);
    // Whoever hears the page is told where they are now; the first screen is read anyway.
    if (!first.current) main.current?.querySelector('h1')?.focus({ preventScroll: true });
    first.current = false;
  }, [shown?.key]);

  return html`<main ref=${main} id="main" tabindex="-1">
    ${here.path !== '/audit' && h(HistoryNote, { changed: changed.value })}
    ${trouble && h(Unloaded, { trouble })}
    ${!found && html`<div class="card empty"><h1>There is no such page</h1><a href="#/">Home</a></div>`}
    ${found && !trouble && shown && h(/** @type {any} */ (shown.screen), { ...shown.props, key: shown.key })}
  </main>`;
}

/** @param {{trouble: import('./api/client.js').Trouble}} props */
function Unloaded({ trouble }) {
  return html`<div class="stack narrow-page">
    <h1>This part could not be loaded</h1>
    <p>The hub was updated since this page was opened, or the connection is lost.</p>
    ${h(TroubleNote, { trouble })}
    <div>${h(Button, { tone: 'main', icon: 'again', onClick: () => location.reload(), children: 'Load the page again' })}</div>
  </div>`;
}

function App() {
  const within = access.value;
  const [pairing, setPairing] = useState(/** @type {any} */ (null));
  const [trouble, setTrouble] = useState(/** @type {import('./api/client.js').Trouble | null} */ (null));
  const [tries, setTries] = useState(0);
  const away = !ready.value && trouble?.code === UNREACHED;

  useLayoutEffect(() => {
    if (within === 'out' || wantsToPair) {
      begun = undefined;
      rest();
      import('./screen/pair.js').then((module) => setPairing(() => module.default), (error) => setTrouble(troubleOf(error)));
      return;
    }
    let wanted = true;
    const start = () => {
      const look = begun ?? boot();
      begun = undefined;
      look.then(
        () => {
          setTrouble(null);
          afterDrawing(startWorker);
        },
        (error) => {
          if (!wanted || access.value !== 'in') return;
          setTrouble(troubleOf(error));
          setTimeout(() => wanted && start(), 4000);
        },
      );
    };
    start();
    return () => {
      wanted = false;
    };
  }, [within, tries]);

  // At the start, and whenever the hub was away: meanwhile its history may have been changed.
  useEffect(() => {
    if (ready.value && link.value === 'live') void lookBack();
  }, [ready.value, link.value]);

  if (within === 'out' || wantsToPair) {
    return html`<main id="main">${trouble && h(TroubleNote, { trouble })}${pairing && h(pairing, null)}</main>`;
  }
  return html`<div class="frame">
    <a class="skip" href="#main" onClick=${skip}>To the content</a>
    ${h(OfflineLine, { link: link.value, away, again: () => setTries(tries + 1) })}
    ${h(Rail, { path: place.value.path })}
    ${ready.value ? h(Shown, null) : html`<main id="main">${trouble && !away && html`<div class="narrow-page">${h(TroubleNote, { trouble })}</div>`}
      ${away && html`<div class="head"><h1>CAR Hub</h1></div><p class="muted">The hub is away. What it does goes on without this page.</p>`}</main>`}
  </div>`;
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

follow();
if (access.value === 'in' && !wantsToPair) {
  begun = boot();
  // They are on their way already. Drawing the frame first and then all of it takes a slow phone longer.
  await Promise.race([begun.catch(() => undefined), new Promise((done) => setTimeout(done, PATIENCE))]);
}
render(h(App, null), /** @type {HTMLElement} */ (document.getElementById('app')));
