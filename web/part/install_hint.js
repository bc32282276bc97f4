import { useState } from '../vendor/hooks.js';
import { install, installed, isApple, offer } from '../state/install.js';
import { Act, Button } from './act.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';

/** Whether whoever uses this browser wants to hear no more of it. */
const PUT_AWAY = 'install put away';

/** Says once that the page can be a program of its own, where this browser can do that. */
export function InstallHint() {
  const [away, setAway] = useState(() => localStorage.getItem(PUT_AWAY) !== null);
  if (away || installed() || !(offer.value || isApple())) return null;
  return html`<aside class="notice" aria-label="Install the hub">${h(Icon, { name: 'phone', size: 18 })}
    <div class="grow stack tight">
      <p>${isApple()
        ? 'In the share menu choose “Add to Home Screen”: the hub opens like an app, and can notify you.'
        : 'The hub can be an app: it opens with a touch, takes what you share, and can notify you.'}</p>
      <div class="row wrap">
        ${offer.value && h(Act, { tone: 'main', work: install, children: 'Install it' })}
        ${h(Button, { tone: 'plain', onClick: () => { localStorage.setItem(PUT_AWAY, '1'); setAway(true); }, children: 'Not now' })}
      </div>
    </div></aside>`;
}
