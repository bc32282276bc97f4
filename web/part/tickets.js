import { to } from '../state/route.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { Status } from './status.js';

/** @typedef {import('../api/types.d.ts').Ticket} Ticket */

/**
 * A ticket in a list.
 * @param {{ticket: Ticket, current?: boolean}} props
 */
export function TicketRow({ ticket, current = false }) {
  const errors = ticket.issues.filter((issue) => issue.severity === 'error').length;
  const warnings = ticket.issues.length - errors;
  return html`<a href=${to('repos', ticket.repo, 'tickets', ticket.id)}>
    ${h(Status, current ? { status: 'running', bare: true } : { status: ticket.state, bare: true })}
    <span class="grow stack" style=${{ gap: '2px' }}>
      <span class="name">${ticket.title}</span>
      <span class="row wrap tiny muted">
        <span>${ticket.number === null || ticket.number === undefined ? ticket.file : String(ticket.number).padStart(3, '0')}</span>
        ${ticket.agent && html`<span class="chip">${ticket.agent === 'user' ? 'you' : ticket.agent}</span>`}
        ${ticket.has_verify && html`<span class="chip good">${h(Icon, { name: 'check', size: 14 })}checked</span>`}
        ${errors > 0 && html`<span class="chip bad">${errors} ${errors === 1 ? 'error' : 'errors'}</span>`}
        ${warnings > 0 && html`<span class="chip wants">${warnings} ${warnings === 1 ? 'warning' : 'warnings'}</span>`}
      </span>
    </span>
  </a>`;
}
