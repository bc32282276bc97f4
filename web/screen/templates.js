/** Templates of tickets, and the git repositories they come from. */

import { useState } from '../vendor/hooks.js';
import { credential_get } from '../api/credential.js';
import { template_list, template_source_create, template_source_delete, template_source_list, template_source_sync, template_source_trust } from '../api/templates.js';
import { Act, Button, useAct } from '../part/act.js';
import { Field } from '../part/field.js';
import { h, html } from '../part/html.js';
import { Icon } from '../part/icon.js';
import { JobCard } from '../part/job_card.js';
import { Empty, Fold, Head, Section } from '../part/layout.js';
import { counted } from '../part/number.js';
import { Sheet } from '../part/sheet.js';
import { Status } from '../part/status.js';
import { Sure } from '../part/sure.js';
import { TemplateList, TemplateSheet, changesTemplates } from '../part/template.js';
import { When } from '../part/time.js';
import { TroubleNote, Unread } from '../part/trouble.js';
import { words } from '../part/words.js';
import { state, useResource } from '../state/store.js';

/** @typedef {import('../api/types.d.ts').TemplateSource} TemplateSource */

export default function Templates() {
  const sources = useResource('template_source_list', () => template_source_list({ limit: 500 }), changesTemplates);
  const all = useResource('template_list', () => template_list({ limit: 500 }), changesTemplates);
  const own = useResource('credential_get', credential_get);
  const admin = own.data?.scopes.includes('admin') ?? false;
  const [find, setFind] = useState('');
  const [name, setName] = useState('');
  const [adding, setAdding] = useState(false);
  /** The job that fetches each source, as far as this page began it. */
  const [jobs, setJobs] = useState(/** @type {Record<string, import('../api/types.d.ts').Job>} */ ({}));
  const fetchOf = async (/** @type {string} */ id, rewritten = false) => {
    const job = await template_source_sync(id, rewritten);
    setJobs((now) => ({ ...now, [id]: job }));
  };
  const items = sources.data?.items ?? [];
  const add = admin && h(Button, { icon: 'plus', tone: items.length ? 'plain' : 'main', onClick: () => setAdding(true), children: 'Add a source' });

  return html`${h(Head, { title: 'Templates', up: '#/more' })}
    <div class="stack wide narrow-page">
      ${h(Unread, { of: sources })}
      ${sources.data && items.length === 0 && h(Empty, {
        title: 'No templates yet',
        children: html`<p>A template is a Markdown file in a git repository. Add a repository, read what it has, and begin tickets from it.</p>
          ${admin ? html`<div class="row wrap" style=${{ justifyContent: 'center' }}>${add}</div>` : html`<p class="small muted">Who has the scope admin can add one.</p>`}`,
      })}
      ${items.length > 0 && html`<div class="stack">${h(TemplateList, {
        of: all,
        find,
        setFind,
        open: setName,
        empty: html`<p class="card muted">None yet: the sources below have none, or were not fetched.</p>`,
      })}</div>`}
      ${items.length > 0 && h(Section, {
        title: 'Sources',
        action: add,
        children: html`<div class="stack">${items.map((source) => h(Source, { key: source.id, source, admin, job: jobs[source.id], fetchOf }))}</div>`,
      })}
    </div>
    ${name && h(TemplateSheet, { name, close: () => setName('') })}
    ${adding && h(AddSource, { close: () => setAdding(false), added: fetchOf })}`;
}

/** @param {TemplateSource} source */
function standing({ commit, trouble, rewritten }) {
  if (!commit) return { status: 'missing', word: 'not fetched' };
  if (trouble) return { status: 'failed', word: 'old copy' };
  return rewritten ? { status: 'changed', word: 'rewritten' } : { status: 'ready' };
}

/**
 * @param {{source: TemplateSource, admin: boolean, job?: import('../api/types.d.ts').Job, fetchOf: (id: string, rewritten?: boolean) => Promise<void>}} props
 */
function Source({ source, admin, job, fetchOf }) {
  const { id, commit, untrusted, skipped, rewritten } = source;
  const now = job && (state.value.jobs[job.id] ?? job);
  return html`<article class="card stack tight" aria-label=${id}>
    <header class="row"><b class="grow line">${id}</b>${h(Status, standing(source))}</header>
    <dl class="facts small">
      <dt>From</dt><dd class="mono">${source.url}</dd>
      <dt>At</dt><dd class="mono">${source.default_ref}${commit ? ` ${commit.slice(0, 10)}` : ''}</dd>
      ${source.fetched_at && html`<dt>Fetched</dt><dd>${h(When, { at: source.fetched_at })}</dd>`}
      ${commit && html`<dt>Has</dt><dd>${counted(source.templates, 'template')}${untrusted ? `, ${untrusted} not trusted` : ''}</dd>`}
    </dl>
    ${source.trouble && html`<div class="notice wants">${h(Icon, { name: 'warn', size: 18 })}<div><b>It could not be fetched; the copy goes on being used.</b> ${words(source.trouble)}</div></div>`}
    ${rewritten && html`<div class="notice wants">${h(Icon, { name: 'warn', size: 18 })}<div class="stack tight"><div>Its history was rewritten: <code>${rewritten.slice(0, 10)}</code> does not follow what is here, and is not taken.</div>
      <div>${h(Sure, { question: 'Take it all the same?', work: () => fetchOf(id, true), children: 'Take the rewritten one' })}</div></div></div>`}
    ${skipped.length > 0 && h(Fold, {
      summary: html`<span class="small">${counted(skipped.length, 'file')} left out</span>`,
      children: html`<ul class="small">${skipped.map((one) => html`<li key=${one.path}><code>${one.path}</code>: ${one.why}</li>`)}</ul>`,
    })}
    ${now && now.status !== 'completed' && h(JobCard, { job: now })}
    ${now?.status === 'completed' && html`<p class="small muted" role="status">${now.phase}</p>`}
    <div class="row wrap">
      ${h(Act, { icon: 'again', disabled: now?.status === 'running', work: () => fetchOf(id), children: 'Fetch' })}
      ${admin && commit && untrusted > 0 && h(Sure, { tone: 'plain', question: `Trust all ${untrusted} as they are?`, work: () => template_source_trust(id, commit), children: 'Trust all' })}
      ${admin && h(Sure, { tone: 'plain', question: 'Remove it?', work: () => template_source_delete(id), children: 'Remove' })}
    </div>
  </article>`;
}

/** @param {{close: () => void, added: (id: string) => Promise<void>}} props */
function AddSource({ close, added }) {
  const [id, setId] = useState('');
  const [url, setUrl] = useState('');
  const [ref, setRef] = useState('');
  const { act, busy, slow, trouble } = useAct(async () => {
    await template_source_create({ id: id.trim(), url: url.trim(), ...(ref.trim() ? { default_ref: ref.trim() } : {}) });
    await added(id.trim());
    close();
  });
  return h(Sheet, {
    title: 'Add a source',
    close,
    children: html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void act();
    }}>
      ${h(Field, { label: 'Address', hint: 'What git can fetch: https, ssh, or a path on the hub’s machine.', value: url, set: setUrl, required: true, plain: true })}
      ${h(Field, { label: 'Name', hint: 'Short: templates are named by it, as in team:fix/bug.md.', value: id, set: setId, required: true, plain: true })}
      ${h(Field, { label: 'Branch, tag or commit', hint: 'main when empty.', value: ref, set: setRef, plain: true })}
      <p class="small muted">Nothing in it is run, and none of it is trusted before somebody has read it.</p>
      ${h(TroubleNote, { trouble })}
      ${h(Button, { tone: 'main', type: 'submit', full: true, busy: slow, disabled: busy || !id.trim() || !url.trim(), children: 'Add and fetch it' })}
    </form>`,
  });
}
