/** Notifications: the ways out of the hub, and what became of each word on them. */

import { useState } from '../vendor/hooks.js';
import { channel_create, channel_delete, channel_list, channel_test, channel_update, notification_list } from '../api/channels.js';
import { useResource } from '../state/store.js';
import { Act, Button, useAct } from './act.js';
import { Check, Field } from './field.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { Fold, Section } from './layout.js';
import { Paged } from './paged.js';
import { PushHere } from './push.js';
import { Sheet } from './sheet.js';
import { Status, lookOf } from './status.js';
import { Sure } from './sure.js';
import { When } from './time.js';
import { TroubleNote, Unread } from './trouble.js';
import { words } from './words.js';

/**
 * @typedef {import('../api/types.d.ts').NotificationChannel} Channel
 * @typedef {import('../api/types.d.ts').Notification} Notification
 * @typedef {import('../api/types.d.ts').QuietHours} QuietHours
 */

export default function Notices() {
  const channels = useResource('channel_list', channel_list, (event) => event.event.kind === 'notification_updated');
  const [making, setMaking] = useState(false);
  const items = channels.data?.items ?? [];
  return html`
    ${h(PushHere, null)}
    ${h(Section, {
      title: 'Ways out',
      action: h(Button, { icon: 'plus', tone: 'plain', onClick: () => setMaking(true), children: 'Webhook' }),
      children: html`<div class="stack">
        ${h(Unread, { of: channels })}
        ${channels.data && items.length === 0 && html`<p class="card muted">Nothing is told to anybody outside. A phone can be told by web push, another program by a webhook.</p>`}
        ${items.map((channel) => h(ChannelCard, { key: channel.id, channel, refresh: channels.refresh }))}
      </div>`,
    })}
    ${h(Section, {
      title: 'What was said',
      children: h(Paged, {
        name: 'notification_list',
        load: (/** @type {string | undefined} */ after) => notification_list({ after, limit: 20 }),
        matters: (/** @type {any} */ event) => event.event.kind === 'notification_updated',
        row: (/** @type {any} */ one) => h(Said, { one, channels: items }),
        empty: html`<p class="card muted small">Nothing yet: the hub speaks only when something needs a person, or a run is over.</p>`,
      }),
    })}
    ${making && h(NewWebhook, { close: () => { setMaking(false); channels.refresh(); } })}`;
}

/** @param {{channel: Channel, refresh: () => void}} props */
function ChannelCard({ channel, refresh }) {
  const [trial, setTrial] = useState(/** @type {Notification | null} */ (null));
  const change = useAct(async (/** @type {Record<string, unknown>} */ body) => {
    await channel_update(channel.id, body);
    refresh();
  });
  const sent = trial?.deliveries.find((delivery) => delivery.channel === channel.id);
  return html`<article class="card stack tight">
    <header class="row">${h(Icon, { name: channel.kind === 'web_push' ? 'phone' : 'send', class: 'muted' })}<b class="grow line">${channel.name}</b>
      ${channel.failing_since && h(Status, { status: 'failed', word: 'does not arrive' })}</header>
    <p class="small muted line mono">${channel.target}</p>
    ${h(Check, { label: 'Used', value: channel.enabled, set: (/** @type {boolean} */ enabled) => void change.act({ enabled }) })}
    ${h(Quiet, { quiet: channel.quiet ?? null, set: (/** @type {QuietHours | null} */ quiet) => void change.act({ quiet }) })}
    ${h(TroubleNote, { trouble: change.trouble })}
    ${sent && html`<p class="small" role="status">${h(Status, { status: sent.status })} ${sent.last_error ?? ''}</p>`}
    <div class="row wrap">
      ${h(Act, { icon: 'bell', work: async () => setTrial(await channel_test(channel.id)), children: 'Send a trial' })}
      ${h(Sure, { tone: 'plain', question: 'Delete it?', work: async () => { await channel_delete(channel.id); refresh(); }, children: 'Delete' })}
    </div>
  </article>`;
}

/** @param {number} minute */
const clock = (minute) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** @param {string} text */
const minuteOf = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

/** @param {{quiet: QuietHours | null, set: (quiet: QuietHours | null) => void}} props */
function Quiet({ quiet, set }) {
  const offset = -new Date().getTimezoneOffset();
  const given = quiet ?? { from_minute: 22 * 60, to_minute: 7 * 60, utc_offset_minutes: offset };
  /** @param {Partial<QuietHours>} part */
  const change = (part) => set({ ...given, utc_offset_minutes: offset, ...part });
  return html`<div class="row wrap">
    ${h(Check, { label: 'Quiet hours', value: quiet !== null, set: (/** @type {boolean} */ on) => set(on ? given : null) })}
    ${quiet && html`<span class="row small"><input type="time" aria-label="Quiet from" value=${clock(quiet.from_minute)} onChange=${(/** @type {any} */ event) => change({ from_minute: minuteOf(event.target.value) })} />
      <span>to</span><input type="time" aria-label="Quiet until" value=${clock(quiet.to_minute)} onChange=${(/** @type {any} */ event) => change({ to_minute: minuteOf(event.target.value) })} /></span>`}
  </div>`;
}

/** @param {{one: Notification, channels: Channel[]}} props */
function Said({ one, channels }) {
  const named = (/** @type {string} */ id) => channels.find((channel) => channel.id === id)?.name ?? 'a way out that is gone';
  const worst = one.deliveries.find((delivery) => delivery.status === 'failed') ?? one.deliveries.find((delivery) => delivery.status === 'pending') ?? one.deliveries[0];
  return html`<div class="item">${h(Fold, {
    class: 'work grow',
    summary: html`${worst && h(Status, { status: worst.status, bare: true })}<span class="grow line"><b>${words(one.title)}</b> <span class="muted">${one.line}</span></span><span class="tiny muted number">${h(When, { at: one.created_at })}</span>`,
    children: html`<ul class="stack tight small inset">
      ${one.deliveries.map((delivery) => html`<li key=${delivery.channel}>${h(Status, { status: delivery.status, word: `${named(delivery.channel)}: ${lookOf(delivery.status).word}` })}
        <span class="muted">${delivery.attempts > 1 ? ` after ${delivery.attempts} tries` : ''}${delivery.last_error ? `: ${delivery.last_error}` : ''}</span></li>`)}
      ${one.seen_at && html`<li class="muted">Seen ${h(When, { at: one.seen_at })}</li>`}
      ${one.acted_at && html`<li class="muted">Done ${h(When, { at: one.acted_at })}</li>`}
    </ul>`,
  })}</div>`;
}

/** @param {{close: () => void}} props */
function NewWebhook({ close }) {
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const [secret, setSecret] = useState('');
  const { act, busy, slow, trouble } = useAct(async () => setSecret((await channel_create({ name: name.trim(), url: url.trim() })).secret));
  return h(Sheet, {
    title: secret ? 'Its secret' : 'New webhook',
    close,
    children: secret
      ? html`<div class="stack"><p>It is shown only now; what is sent is signed with it.</p><pre class="output" tabindex="0">${secret}</pre>
          ${h(Act, { icon: 'copy', full: true, work: () => navigator.clipboard.writeText(secret), children: 'Copy it' })}
          ${h(Button, { tone: 'main', full: true, onClick: close, children: 'Done' })}</div>`
      : html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
          event.preventDefault();
          void act();
        }}>
          ${h(Field, { label: 'Name', value: name, set: setName, required: true })}
          ${h(Field, { label: 'Address', value: url, set: setUrl, required: true, plain: true, type: 'url', hint: 'It gets a signed POST for each thing that needs a person.' })}
          ${h(TroubleNote, { trouble })}
          ${h(Button, { tone: 'main', type: 'submit', full: true, busy: slow, disabled: busy, children: 'Make it' })}
        </form>`,
  });
}
