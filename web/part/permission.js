/** What an agent may not do without a person. */

import { Button, useAct } from './act.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { When } from './time.js';
import { TroubleNote } from './trouble.js';

/**
 * An agent asks for permission.
 * @param {{approval: import('../api/types.d.ts').Approval, decide: (decision: string) => Promise<unknown>}} props
 */
export function Permission({ approval, decide }) {
  const { act, busy, slow, trouble } = useAct(decide);
  return html`<article class="card wants stack">
    <header class="row small muted">${h(Icon, { name: 'shield', size: 18 })}<b class="grow">Asks for permission</b>${h(When, { at: approval.asked_at })}</header>
    ${h(Asked, { request: approval.request })}
    <div class="row wrap">
      ${h(Button, { tone: 'main', busy: slow, disabled: busy, onClick: () => void act('accept'), children: 'Allow' })}
      ${h(Button, { disabled: busy, onClick: () => void act('accept_for_session'), children: 'Allow for this session' })}
      ${h(Button, { tone: 'grave', disabled: busy, onClick: () => void act('decline'), children: 'Deny' })}
    </div>
    ${h(TroubleNote, { trouble })}
  </article>`;
}

/**
 * What an agent wants to do.
 * @param {{request: import('../api/types.d.ts').ApprovalRequest}} props
 */
function Asked({ request }) {
  switch (request.type) {
    case 'command':
      return html`<div class="stack tight">${request.reason && html`<p>${request.reason}</p>`}
        <pre class="output" tabindex="0">${request.command}</pre><span class="tiny muted">in ${request.cwd}</span></div>`;
    case 'file_change':
      return html`<div class="stack tight">${request.reason && html`<p>${request.reason}</p>`}
        <ul class="mono">${request.changes.map((change) => html`<li key=${change.path}>${change.kind} ${change.path}</li>`)}</ul></div>`;
    case 'other':
      return html`<pre class="output" tabindex="0">${request.detail}</pre>`;
  }
}
