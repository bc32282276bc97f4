/** Agents, who may come in, budgets, notifications, and the hub itself. */

import { useEffect, useState } from '../vendor/hooks.js';
import { agent_list } from '../api/agents.js';
import { credential_get } from '../api/credential.js';
import { device_delete, device_list, pairing_decide, pairing_list, token_create, token_delete, token_delete_others, token_list } from '../api/devices.js';
import { hub_doctor, hub_get } from '../api/hub.js';
import { Act, Button, useAct } from '../part/act.js';
import { Check, Choice, Field } from '../part/field.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { Head, Section, Tabs } from '../part/layout.js';
import { PairDevice } from '../part/pair_device.js';
import { Sheet } from '../part/sheet.js';
import { Status } from '../part/status.js';
import { Sure } from '../part/sure.js';
import { When, exactly } from '../part/time.js';
import { TroubleNote, Unread } from '../part/trouble.js';
import { words } from '../part/words.js';
import { useResource } from '../state/store.js';

/** @typedef {import('../api/types.d.ts').Device} Device */
/** @typedef {import('../api/types.d.ts').Token} Token */

const TABS = [
  { address: '#/settings', name: 'Agents', part: '' },
  { address: '#/settings?part=access', name: 'Access', part: 'access' },
  { address: '#/settings?part=budgets', name: 'Budgets', part: 'budgets' },
  { address: '#/settings?part=notices', name: 'Notifications', part: 'notices' },
  { address: '#/settings?part=hub', name: 'Hub', part: 'hub' },
];

/** @param {{query: Record<string, string>}} props */
export default function Settings({ query }) {
  const part = query.part ?? '';
  const tab = TABS.find((one) => one.part === part) ?? TABS[0];
  return html`${h(Head, { title: 'Settings', up: '#/more' })}
    <div class="stack wide narrow-page">
      ${h(Tabs, { label: 'Parts of the settings', tabs: TABS, current: tab.address })}
      ${tab.part === '' && h(Agents, null)}
      ${tab.part === 'access' && h(Access, null)}
      ${tab.part === 'budgets' && h(Later, { load: () => import('../part/budgets.js') })}
      ${tab.part === 'notices' && h(Later, { load: () => import('../part/notices.js') })}
      ${tab.part === 'hub' && h(Hub, null)}
    </div>`;
}

/**
 * A part that is loaded when it is looked at.
 * @param {{load: () => Promise<{default: any}>}} props
 */
function Later({ load }) {
  const [part, setPart] = useState(/** @type {any} */ (null));
  useEffect(() => {
    load().then((module) => setPart(() => module.default), () => setPart(() => () => html`<p class="card muted">This part could not be loaded.</p>`));
  }, []);
  return part && h(part, null);
}

function Agents() {
  const agents = useResource('agent_list', agent_list);
  return h(Section, {
    title: 'Agents on the hub’s machine',
    children: html`<div class="stack">
      ${h(Unread, { of: agents })}
      ${(agents.data?.items ?? []).map((agent) => html`<article key=${agent.id} class="card stack tight">
        <header class="row"><b class="grow">${agent.name}</b>${h(Status, { status: agent.availability })}</header>
        <dl class="facts">
          <dt>In tickets</dt><dd class="mono">agent: ${agent.id}</dd>
          ${agent.version && html`<dt>Version</dt><dd>${agent.version}</dd>`}
          ${agent.account && html`<dt>Account</dt><dd>${agent.account}</dd>`}
          <dt>Program</dt><dd class="mono">${agent.command.slice(0, 2).join(' ')}</dd>
        </dl>
        ${agent.hint && html`<div class="notice wants">${h(Icon, { name: 'warn', size: 18 })}<div>${words(agent.hint)}</div></div>`}
        <p class="row wrap">${agent.capabilities.map((one) => html`<span key=${one} class="chip">${one.replaceAll('_', ' ')}</span>`)}</p>
      </article>`)}
    </div>`,
  });
}

function Access() {
  const own = useResource('credential_get', credential_get);
  if (!own.data) return h(Unread, { of: own });
  const admin = own.data.scopes.includes('admin');
  return html`
    ${h(Section, {
      title: 'This browser',
      children: html`<dl class="card facts"><dt>Name</dt><dd>${own.data.actor.name}</dd><dt>May</dt><dd>${own.data.scopes.join(', ')}</dd>
        ${own.data.repos.length > 0 && html`<dt>Reaches</dt><dd>${own.data.repos.join(', ')}</dd>`}
        ${own.data.expires_at && html`<dt>Until</dt><dd>${exactly(own.data.expires_at)}</dd>`}</dl>`,
    })}
    ${admin
      ? html`${h(Asking, null)}${h(Devices, { own: own.data.actor.id })}${h(Tokens, null)}
        ${h(Section, { title: 'Everybody else', children: html`<div class="stack tight">${h(Sure, { tone: 'grave', work: token_delete_others, question: 'All others have to log in again. Sure?', children: 'Log out everybody else' })}
          <p class="small muted">All other browsers and all tokens stop working within a second; agents at work get new ones.</p></div>` })}`
      : html`<p class="card muted">This browser may not decide who comes in. On the hub’s machine: <code>car pair --scopes read,write,run,approve,admin</code>.</p>`}`;
}

/** Machines that ask to be let in by `car login`. */
function Asking() {
  const pairings = useResource('pairing_list', pairing_list);
  useEffect(() => {
    const timer = setInterval(pairings.refresh, 5000);
    return () => clearInterval(timer);
  }, []);
  const waiting = (pairings.data?.items ?? []).filter((one) => one.state === 'waiting' && one.kind === 'token');
  if (waiting.length === 0) return null;
  return h(Section, {
    title: 'Ask to be let in',
    children: html`<div class="stack">${waiting.map((one) => html`<article key=${one.id} class="card wants stack tight">
      <p><b>${one.name}</b> from ${one.address ?? 'nowhere'}, to ${one.scopes.join(', ')}</p>
      <p>It has to show this code: <b class="mono code">${one.code}</b></p>
      <div class="row wrap">${h(Act, { tone: 'main', work: async () => { await pairing_decide(one.id, true); pairings.refresh(); }, children: 'It does: let it in' })}
        ${h(Act, { tone: 'grave', work: async () => { await pairing_decide(one.id, false); pairings.refresh(); }, children: 'Turn it away' })}</div></article>`)}</div>`,
  });
}

/** @param {{own: string}} props */
function Devices({ own }) {
  const devices = useResource('device_list', device_list);
  const [pairing, setPairing] = useState(false);
  return h(Section, {
    title: 'Browsers',
    action: h(Button, { icon: 'plus', tone: 'plain', onClick: () => setPairing(true), children: 'Pair another' }),
    children: html`${h(Unread, { of: devices })}
      <ul class="list">${(devices.data?.items ?? []).map((device) => html`<li key=${device.id}><div class="item">
        ${h(Icon, { name: 'phone', class: 'muted' })}
        <span class="grow stack" style=${{ gap: '0' }}><span class="name line">${device.name}${device.id === own ? ' (this one)' : ''}</span>
          <span class="small muted">${device.scopes.join(', ')}</span>
          <span class="tiny muted">used ${h(When, { at: device.last_used_at })}, good until ${exactly(device.expires_at)}</span></span>
        ${device.id !== own && h(Sure, { tone: 'plain', question: 'Log it out?', work: async () => { await device_delete(device.id); devices.refresh(); }, children: 'Revoke' })}
      </div></li>`)}</ul>
      ${pairing && h(PairDevice, { close: () => { setPairing(false); devices.refresh(); } })}`,
  });
}

function Tokens() {
  const tokens = useResource('token_list', token_list);
  const [making, setMaking] = useState(false);
  return h(Section, {
    title: 'Tokens',
    action: h(Button, { icon: 'plus', tone: 'plain', onClick: () => setMaking(true), children: 'New token' }),
    children: html`${h(Unread, { of: tokens })}
      ${tokens.data && tokens.data.items.length === 0 && html`<p class="card muted small">No tokens. Scripts and other machines use them.</p>`}
      ${tokens.data && tokens.data.items.length > 0 && html`<ul class="list">${tokens.data.items.map((token) => html`<li key=${token.id}><div class="item">
        ${h(Icon, { name: 'key', class: 'muted' })}
        <span class="grow stack" style=${{ gap: '0' }}><span class="name line">${token.name}</span>
          <span class="small muted">${token.scopes.join(', ')}${token.repos.length ? ` on ${token.repos.join(', ')}` : ''}</span>
          <span class="tiny muted">${token.last_used_at ? html`used ${h(When, { at: token.last_used_at })}` : 'never used'}${token.expires_at ? `, good until ${exactly(token.expires_at)}` : ''}</span></span>
        ${h(Sure, { tone: 'plain', question: 'End it?', work: async () => { await token_delete(token.id); tokens.refresh(); }, children: 'Revoke' })}
      </div></li>`)}</ul>`}
      ${making && h(NewToken, { close: () => { setMaking(false); tokens.refresh(); } })}`,
  });
}

const SCOPES = ['read', 'write', 'run', 'approve', 'admin'];

/** @param {{close: () => void}} props */
function NewToken({ close }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState(['read']);
  const [days, setDays] = useState('90');
  const [secret, setSecret] = useState('');
  const { act, busy, slow, trouble } = useAct(async () => {
    const created = await token_create({ name: name.trim(), scopes: /** @type {any} */ (scopes), days: Number(days) });
    setSecret(created.secret);
  });
  return h(Sheet, {
    title: secret ? 'The new token' : 'New token',
    close,
    children: secret
      ? html`<div class="stack"><p>It is shown only now. Send it as <code>Authorization: Bearer …</code></p>
          <pre class="output" tabindex="0">${secret}</pre>
          ${h(Act, { icon: 'copy', full: true, work: () => navigator.clipboard.writeText(secret), children: 'Copy it' })}
          ${h(Button, { tone: 'main', full: true, onClick: close, children: 'Done' })}</div>`
      : html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
          event.preventDefault();
          void act();
        }}>
          ${h(Field, { label: 'What it is for', value: name, set: setName, required: true, placeholder: 'ci' })}
          <fieldset class="field"><legend>What it may do</legend>${SCOPES.map((scope) => h(Check, { key: scope, label: scope, value: scopes.includes(scope), set: (/** @type {boolean} */ on) => setScopes(on ? [...scopes, scope] : scopes.filter((one) => one !== scope)) }))}</fieldset>
          ${h(Choice, { label: 'Good for', value: days, set: setDays, options: [{ value: '7', name: '7 days' }, { value: '30', name: '30 days' }, { value: '90', name: '90 days' }, { value: '366', name: 'a year' }] })}
          ${h(TroubleNote, { trouble })}
          ${h(Button, { tone: 'main', type: 'submit', full: true, busy: slow, disabled: busy || !name.trim() || scopes.length === 0, children: 'Make it' })}
        </form>`,
  });
}

function Hub() {
  const hub = useResource('hub_get', hub_get);
  const [report, setReport] = useState(/** @type {import('../api/types.d.ts').DoctorReport | null} */ (null));
  const look = useAct(async () => setReport(await hub_doctor()));
  const data = hub.data;
  return html`${h(Unread, { of: hub })}
    ${data && h(Section, {
      title: 'The hub',
      children: html`<dl class="card facts">
        <dt>Version</dt><dd>${data.version}</dd>
        <dt>Directory</dt><dd class="mono">${data.root}</dd>
        <dt>Serves since</dt><dd>${h(When, { at: data.started_at })}</dd>
        <dt>Runs at once</dt><dd>${data.max_parallel_runs}</dd>
        <dt>Newest backup</dt><dd>${data.backup_at ? h(When, { at: data.backup_at }) : 'none yet'}</dd>
        <dt>Events</dt><dd>${data.last_seq}</dd>
      </dl>`,
    })}
    ${h(Section, {
      title: 'Health',
      action: h(Button, { tone: 'plain', busy: look.slow, disabled: look.busy, onClick: () => void look.act(), children: 'Look' }),
      children: html`${h(TroubleNote, { trouble: look.trouble })}
        ${report && html`<ul class="list">${report.findings.map((finding, index) => html`<li key=${index}><div class="item">
          ${h(Status, { status: { ok: 'passed', warning: 'asking', error: 'failed' }[/** @type {string} */ (finding.level)] ?? 'not_verified', word: finding.level, bare: true })}
          <span class="grow"><b>${finding.check}</b><br /><span class="small">${words(finding.detail)}</span></span></div></li>`)}</ul>`}
        ${!report && !look.trouble && html`<p class="card muted small">Looks for what could keep the hub from working.</p>`}`,
    })}
    <p class="small muted">The rest is set in files on the hub’s machine; <code>car-hub config</code> shows every value and where it comes from.</p>`;
}
