/**
 * Letting this browser in: the code stands behind `#`, which no server sees, and is taken out of the
 * address at once.
 */

import { useEffect, useState } from '../vendor/hooks.js';
import { base, troubleOf } from '../api/client.js';
import { credential_get } from '../api/credential.js';
import { pair_finish, pair_request } from '../api/devices.js';
import * as session from '../api/session.js';
import { Button, useAct } from '../part/act.js';
import { Mark } from '../part/frame.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { Status } from '../part/status.js';
import { TroubleNote } from '../part/trouble.js';

/**
 * @typedef {{name: 'look'} | {name: 'ask'} | {name: 'known', device: string} | {name: 'waiting'}
 *   | {name: 'denied' | 'expired'} | {name: 'in'}} Step
 */

/** What this browser would be called. */
function ownName() {
  const agent = navigator.userAgent;
  const browser = /Edg\//.test(agent) ? 'Edge'
    : /Firefox\//.test(agent) ? 'Firefox'
    : /CriOS|Chrome\//.test(agent) ? 'Chrome'
    : /Safari\//.test(agent) ? 'Safari' : 'Browser';
  const device = /iPhone/.test(agent) ? 'iPhone'
    : /iPad/.test(agent) ? 'iPad'
    : /Android/.test(agent) ? 'Android'
    : /Mac OS/.test(agent) ? 'Mac'
    : /Windows/.test(agent) ? 'Windows'
    : /Linux/.test(agent) ? 'Linux' : 'this device';
  return `${browser} on ${device}`;
}

/** The code in what was typed or pasted: a whole link, or the code alone. @param {string} text */
export const codeIn = (text) => text.trim().replace(/^.*#/, '');

/** The code of the address; it is taken out of there. */
function codeOfAddress() {
  const code = location.pathname === `${base}/pair` ? codeIn(location.hash) : '';
  if (code) history.replaceState(null, '', `${base}/pair`);
  return code;
}

const address = codeOfAddress();

const enter = () => location.replace(`${base}/`);

export default function Pair() {
  const [step, setStep] = useState(/** @type {Step} */ ({ name: 'look' }));
  const [code, setCode] = useState(address);
  const [name, setName] = useState(ownName);

  const { act: ask, busy, slow, trouble } = useAct(async () => {
    const asked = await pair_request(codeIn(code), name.trim());
    setStep({ name: 'waiting' });
    await outcome(asked.secret);
  });

  /** @param {string} secret */
  async function outcome(secret) {
    for (;;) {
      const told = await patiently(() => pair_finish(secret));
      switch (told.type) {
        case 'waiting':
          continue;
        case 'device':
          session.keep(told.proof);
          setStep({ name: 'in' });
          return enter();
        case 'denied':
        case 'expired':
          setCode('');
          return setStep({ name: told.type });
        case 'token':
          return setStep({ name: 'expired' });
      }
    }
  }

  useEffect(() => {
    const begin = () => {
      setStep({ name: 'ask' });
      // The link of `make run`: whoever has it sits at the machine.
      if (address) void ask();
    };
    if (!session.current()) return begin();
    credential_get().then((credential) => setStep({ name: 'known', device: credential.actor.name }), begin);
  }, []);

  return html`<div class="pair stack wide">
    <div class="row">${h(Mark, { size: 40 })}<h1>CAR Hub</h1></div>
    ${body()}
  </div>`;

  function body() {
    switch (step.name) {
      case 'look':
        return null;
      case 'in':
        return html`<p>${h(Status, { status: 'approved', word: 'This browser is let in.' })}</p>`;
      case 'known':
        return html`<div class="stack">
          <p>This browser is let in already, as <b>${step.device}</b>.</p>
          ${h(Button, { tone: 'main', full: true, onClick: enter, children: 'Open the hub' })}
          ${h(Button, { full: true, onClick: () => setStep({ name: 'ask' }), children: 'Pair it again' })}
        </div>`;
      case 'waiting':
        return html`<div class="card stack" role="status">
          <p>${h(Status, { status: 'waiting', word: 'Waiting for a yes' })}</p>
          <p>The hub asks at its machine, in the terminal where the link was made, whether to let <b>${name}</b> in. This page goes on by itself.</p>
        </div>`;
      case 'denied':
        return html`<div class="stack">${ended('It was turned away', 'Somebody at the hub said no. If that was a mistake, make another link.')}${form()}</div>`;
      case 'expired':
        return html`<div class="stack">${ended('The link has run out', 'Nobody said yes in time, or it was used already. A new link is made in a moment.')}${form()}</div>`;
      case 'ask':
        return form();
    }
  }

  function form() {
    return html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void ask();
    }}>
      ${!address && html`<p class="muted">This browser is not known to the hub. On the hub's machine, run <code>car pair</code>: it shows a QR code to scan and a link to open here.</p>`}
      <div class="field"><label for="code">Link or code</label>
        <input id="code" name="code" value=${code} required autocomplete="off" autocapitalize="off" spellcheck=${false}
          onInput=${(/** @type {any} */ event) => setCode(event.target.value)} />
        <span class="hint">Good for one browser and ten minutes.</span></div>
      <div class="field"><label for="name">Name of this browser</label>
        <input id="name" name="name" value=${name} required maxlength="100"
          onInput=${(/** @type {any} */ event) => setName(event.target.value)} />
        <span class="hint">So you know it in the list of devices.</span></div>
      ${h(Button, { tone: 'main', type: 'submit', full: true, busy: slow, disabled: busy, children: 'Pair this browser' })}
      ${h(TroubleNote, { trouble })}
    </form>`;
  }
}

/** @param {string} title @param {string} text */
function ended(title, text) {
  return html`<div class="notice wants" role="alert">${h(Icon, { name: 'warn', size: 18 })}<div><b>${title}.</b> ${text}</div></div>`;
}

/**
 * Asks until there is an answer: a phone that waits for a yes may lose its network meanwhile.
 * @template T
 * @param {() => Promise<T>} asks
 */
async function patiently(asks) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await asks();
    } catch (error) {
      if (troubleOf(error).code !== 'unreached' || tries > 60) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
}
