/** This browser as a way out of the hub: pushes, quiet hours, a trial, and installing the page. */

import { useEffect, useState } from '../vendor/hooks.js';
import { troubleOf } from '../api/client.js';
import { push_test } from '../api/push.js';
import { badge, install, installed, isApple, offer } from '../state/install.js';
import { pushable, pushed, subscribe, unsubscribe } from '../state/pushes.js';
import { Act, useAct } from './act.js';
import { Check } from './field.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { Section } from './layout.js';
import { Status } from './status.js';
import { TroubleNote } from './trouble.js';

export { badge };

/** @typedef {import('../api/types.d.ts').NotificationChannel} NotificationChannel */

const KINDS = /** @type {[NotificationChannel['kinds'][number], string][]} */ ([
  ['attention', 'Something waits for me'],
  ['failed', 'A run or an answer failed'],
  ['completed', 'A run is done'],
]);

/** `22:00` of a minute of the day. @param {number} minute */
const clock = (minute) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** @param {string} text */
const minuteOf = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

export function PushHere() {
  const [channel, setChannel] = useState(/** @type {NotificationChannel | null | undefined} */ (undefined));
  const [trouble, setTrouble] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (pushable()) pushed().then(setChannel, (error) => setTrouble(troubleOf(error)));
  }, []);
  return h(Section, {
    title: 'This browser',
    children: html`<div class="card stack">
      ${h(TroubleNote, { trouble })}
      ${pushable() && channel === undefined && !trouble && html`<p class="small muted">Asking the browser …</p>`}
      ${!pushable() && html`<p>${isApple() && !installed()
        ? 'An iPhone or iPad shows notifications of installed pages only: in the share menu choose “Add to Home Screen”, and open the hub from there.'
        : 'This browser cannot show notifications of this page. It needs an address that begins with https.'}</p>`}
      ${pushable() && channel === null && h(Off, { set: setChannel })}
      ${channel && h(On, { key: channel.id, channel, set: setChannel })}
      ${offer.value && html`<div class="row wrap"><p class="grow small muted">The hub can be a program of its own, with its sign among the others.</p>
        ${h(Act, { icon: 'down_to', work: install, children: 'Install it' })}</div>`}
    </div>`,
  });
}

/** @param {{set: (channel: NotificationChannel) => void}} props */
function Off({ set }) {
  return html`<p>The hub can tell you here what needs you, also when this page is closed; you answer from the notification.</p>
    <div>${h(Act, { tone: 'main', icon: 'bell', work: async () => set(await subscribe({ kinds: ['attention', 'failed', 'completed'], quiet: null })), children: 'Notify me here' })}</div>`;
}

/** @param {{channel: NotificationChannel, set: (channel: NotificationChannel | null) => void}} props */
function On({ channel, set }) {
  const [said, setSaid] = useState('');
  const change = useAct(async (/** @type {Pick<NotificationChannel, 'kinds' | 'quiet'>} */ wishes) => set(await subscribe(wishes)));
  const kinds = channel.kinds.length ? channel.kinds : KINDS.map(([kind]) => kind);
  const quiet = channel.quiet ?? null;
  const hours = (/** @type {number} */ from, /** @type {number} */ to) =>
    void change.act({ kinds, quiet: { from_minute: from, to_minute: to, utc_offset_minutes: -new Date().getTimezoneOffset() } });
  return html`<p class="row">${h(Status, { status: channel.failing_since ? 'failed' : 'ready', word: channel.failing_since ? 'What is sent does not arrive' : 'You are notified here' })}</p>
    <fieldset class="stack tight" disabled=${change.busy}><legend class="small muted">When</legend>
      ${KINDS.map(([kind, name]) => h(Check, { key: kind, label: name, value: kinds.includes(kind),
        set: (/** @type {boolean} */ on) => {
          const wanted = on ? [...kinds, kind] : kinds.filter((known) => known !== kind);
          if (wanted.length) void change.act({ kinds: wanted, quiet });
        } }))}
    </fieldset>
    <fieldset class="stack tight" disabled=${change.busy}><legend class="small muted">Quiet hours</legend>
      ${h(Check, { label: 'Tell me nothing at night', value: quiet !== null, set: (/** @type {boolean} */ on) => (on ? hours(22 * 60, 7 * 60) : void change.act({ kinds, quiet: null })) })}
      ${quiet && html`<div class="row wrap">
        <label class="row small">from <input type="time" value=${clock(quiet.from_minute)} onChange=${(/** @type {any} */ event) => event.target.value && hours(minuteOf(event.target.value), quiet.to_minute)} /></label>
        <label class="row small">to <input type="time" value=${clock(quiet.to_minute)} onChange=${(/** @type {any} */ event) => event.target.value && hours(quiet.from_minute, minuteOf(event.target.value))} /></label>
        <span class="small muted">What comes then is told at their end.</span></div>`}
    </fieldset>
    ${h(TroubleNote, { trouble: change.trouble })}
    ${said && html`<p class="row small" role="status">${h(Icon, { name: 'bell', size: 16 })}<span>${said}</span></p>`}
    <div class="row wrap">
      ${h(Act, { icon: 'bell', work: async () => {
        const trial = await push_test();
        const way = trial.deliveries.at(-1);
        setSaid(way?.status === 'delivered' ? 'The push service took it; it shows in a moment.' : `It did not leave: ${way?.last_error ?? 'nobody knows why'}.`);
      }, children: 'Try it' })}
      ${h(Act, { tone: 'grave', work: async () => {
        await unsubscribe();
        set(null);
      }, children: 'Stop it' })}
    </div>`;
}
