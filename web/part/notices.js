/** Notifications: the ways out of the hub. */

import { html } from './html.js';

export default function Notices() {
  return html`<p class="card muted">The hub’s ways out are set up with <code>car webhook create</code>.</p>`;
}
