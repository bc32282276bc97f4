import { h, html } from './html.js';
import { Fold } from './layout.js';
import { Status } from './status.js';
import { When, span } from './time.js';

/** @typedef {import('../api/types.d.ts').Evidence} Evidence */

/**
 * What the hub ran to check an agent's claim, and what came of it.
 * @param {{evidence: Evidence}} props
 */
export function EvidenceCard({ evidence }) {
  const { commands, verdict } = evidence;
  return html`<article class="card stack tight evidence" aria-label=${`Check of ${evidence.ticket_path}: ${verdict}`}>
    <header class="row">
      ${h(Status, { status: verdict, word: verdict === 'passed' ? 'Check passed' : verdict === 'failed' ? 'Check failed' : undefined })}
      <span class="grow line small muted">${evidence.ticket_path.split('/').at(-1)}</span>
      <span class="small muted number">${h(When, { at: evidence.ended_at })}</span>
    </header>
    ${(evidence.protected ?? []).length > 0 && html`<p class="small">Protected files were changed: <span class="mono">${evidence.protected?.join(', ')}</span></p>`}
    ${h(Commands, { commands })}
    ${evidence.tree && html`<p class="tiny muted">Holds for the tree <code>${evidence.tree.slice(0, 10)}</code>${evidence.commit ? html` of commit <code>${evidence.commit.slice(0, 10)}</code>` : ''}</p>`}
  </article>`;
}

/**
 * What commands gave; of those that failed, what they printed.
 * @param {{commands: import('../api/types.d.ts').CommandResult[]}} props
 */
export function Commands({ commands }) {
  return html`${commands.map((result, index) => {
    const good = result.exit_code === 0;
    return h(Fold, {
      key: index,
      open: !good,
      class: 'work',
      summary: html`${h(Status, { status: good ? 'passed' : 'failed', bare: true })}<code class="grow line">${result.command.run}</code>
        <span class="tiny muted number">${result.timed_out ? 'took too long' : good ? span(result.duration_ms) : result.exit_code === null || result.exit_code === undefined ? 'ended by a signal' : `exit ${result.exit_code}`}</span>`,
      children: html`<div class="inset stack tight">
        ${result.tail.trim() ? html`<pre class="output" tabindex="0">${result.tail}</pre>` : html`<p class="small muted">It printed nothing.</p>`}
        ${result.fails_on_base && html`<p class="small muted">It fails on the commit the run began at, too.</p>`}
      </div>`,
    });
  })}`;
}
