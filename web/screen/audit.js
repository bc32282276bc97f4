/** Who did what: the hub's chain of acts. */

import { useState } from '../vendor/hooks.js';
import { audit_head, audit_list, audit_verify } from '../api/audit.js';
import { hub_get } from '../api/hub.js';
import { Button, useAct } from '../part/act.js';
import { HistoryNote } from '../part/frame.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { Head } from '../part/layout.js';
import { Paged } from '../part/paged.js';
import { Sure } from '../part/sure.js';
import { When } from '../part/time.js';
import { TroubleNote } from '../part/trouble.js';
import { changed, keep, kept } from '../state/history.js';

/** @typedef {import('../api/types.d.ts').AuditLine} AuditLine */

/** @type {Record<string, import('../part/icon.js').IconName>} */
const ACTORS = { hub: 'gear', token: 'key', device: 'phone', agent: 'chat' };

export default function Audit() {
  const [report, setReport] = useState(/** @type {import('../api/types.d.ts').AuditReport | null} */ (null));
  const [seen, setSeen] = useState(0);
  const verify = useAct(async () => {
    const { instance } = await hub_get();
    const head = kept(instance);
    const found = await audit_verify(head ? `${head.seq}-${head.hash}` : undefined);
    if (found.ok) keep(instance, found.head);
    setSeen(head?.seq ?? 0);
    setReport(found);
  });
  const accept = async () => {
    keep((await hub_get()).instance, await audit_head());
    setReport(null);
  };
  return html`${h(Head, { title: 'Audit', up: '#/more', children: h(Button, { icon: 'shield', busy: verify.slow, disabled: verify.busy, onClick: () => void verify.act(), children: 'Verify' }) })}
    <div class="stack narrow-page">
      <p class="muted small">Every act leaves a line, and each line holds the hash of the one before.</p>
      ${h(HistoryNote, {
        changed: changed.value,
        children: html`<p>Where it is known why, as after work on the hub’s own files, what is there now can be taken for its history from here on.</p>
          <div>${h(Sure, { work: accept, question: 'Really take it?', children: 'Take what is there now' })}</div>`,
      })}
      ${h(TroubleNote, { trouble: verify.trouble })}
      ${report && (report.ok
        ? html`<p class="row" role="status">${h(Icon, { name: 'check', size: 18, class: 'good' })}All ${report.lines} lines are as they were written${seen ? `, and line ${seen} is as this browser saw it` : ''}.</p>`
        : html`<div class="trouble" role="alert">${h(Icon, { name: 'warn', size: 18 })}<div><b>The chain is broken at line ${report.broken?.seq}:</b> ${report.broken?.detail}.</div></div>`)}
      ${h(Paged, {
        name: 'audit_list',
        load: (/** @type {string | undefined} */ after) => audit_list({ after, limit: 50 }),
        row: (/** @type {any} */ line) => h(Line, { line }),
        empty: html`<p class="card muted">Nobody has done anything yet.</p>`,
      })}
    </div>`;
}

/** @param {{line: AuditLine}} props */
function Line({ line }) {
  return html`<div class="item">
    ${h(Icon, { name: ACTORS[line.actor.kind] ?? 'gear', class: 'muted' })}
    <span class="grow stack" style=${{ gap: '0' }}>
      <span class="line"><b>${line.verb}</b> <span class="muted">${line.object}</span></span>
      <span class="small muted">${line.actor.name}${line.outcome !== 'done' ? html` · <span class=${line.outcome === 'refused' || line.outcome === 'failed' ? 'bad' : ''}>${line.outcome}</span>` : ''}${line.detail ? ` · ${line.detail}` : ''}${line.ip_claimed ? ` · from ${line.ip_claimed}` : ''}</span>
    </span>
    <span class="tiny muted number">${h(When, { at: line.at })}<br />${line.seq}</span>
  </div>`;
}
