/** Letting another browser in, from this one. */

import { useEffect, useState } from '../vendor/hooks.js';
import { base, troubleOf } from '../api/client.js';
import { pairing_create, pairing_decide, pairing_get } from '../api/devices.js';
import { Act, Button } from './act.js';
import { h, html } from './html.js';
import { Qr } from './qr.js';
import { Sheet } from './sheet.js';
import { Status } from './status.js';
import { TroubleNote } from './trouble.js';

/** @typedef {import('../api/types.d.ts').Pairing} Pairing */

/** @param {{close: () => void}} props */
export function PairDevice({ close }) {
  const [link, setLink] = useState('');
  const [pairing, setPairing] = useState(/** @type {Pairing | null} */ (null));
  const [trouble, setTrouble] = useState(/** @type {any} */ (null));

  useEffect(() => {
    const stopped = new AbortController();
    const follow = async () => {
      const made = await pairing_create({});
      // A phone needs the hub's name; this page's own will do where the hub has none.
      const origin = made.hosts.length && !made.hosts.includes(location.host) ? `https://${made.hosts[0]}` : location.origin;
      setLink(`${origin}${base}/pair#${made.code}`);
      let now = made.pairing;
      setPairing(now);
      while (!stopped.signal.aborted && ['open', 'waiting', 'approved'].includes(now.state)) {
        now = await pairing_get(now.id, now.state, stopped.signal);
        setPairing(now);
      }
    };
    follow().catch((error) => !stopped.signal.aborted && setTrouble(troubleOf(error)));
    return () => stopped.abort();
  }, []);

  return h(Sheet, {
    title: 'Pair another browser',
    close,
    children: html`<div class="stack" role="status">
      ${h(TroubleNote, { trouble })}
      ${pairing?.state === 'open' && html`
        <p>Scan this with the phone, or open the link in the other browser. It works once, for ten minutes.</p>
        ${link && h(Qr, { text: link })}
        <pre class="output" tabindex="0">${link}</pre>
        ${h(Act, { icon: 'copy', full: true, work: () => navigator.clipboard.writeText(link), children: 'Copy the link' })}
        ${/^(localhost|127\.|\[::1\])/.test(location.host) && html`<p class="small muted">This address works on the hub’s machine only. For a phone, give the hub a name: <code>tailscale serve --bg PORT</code>, and that name into <code>server.allowed_hosts</code>.</p>`}`}
      ${pairing?.state === 'waiting' && html`
        <p><b>${pairing.name}</b> from ${pairing.address ?? 'nowhere'} asks to be let in, to ${pairing.scopes.join(', ')}.</p>
        <div class="row wrap">${h(Act, { tone: 'main', work: () => pairing_decide(pairing.id, true), children: 'Let it in' })}
          ${h(Act, { tone: 'grave', work: () => pairing_decide(pairing.id, false), children: 'Turn it away' })}</div>`}
      ${pairing && ['approved', 'done', 'denied', 'expired'].includes(pairing.state) && html`
        <p>${h(Status, { status: pairing.state === 'done' ? 'approved' : pairing.state, word: { approved: 'It is being let in.', done: `${pairing.name} is paired.`, denied: 'It was turned away.', expired: 'The link has run out.' }[/** @type {'done'} */ (pairing.state)] })}</p>
        ${h(Button, { tone: 'main', full: true, onClick: close, children: 'Done' })}`}
    </div>`,
  });
}
