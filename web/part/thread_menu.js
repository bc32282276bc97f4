import { useState } from '../vendor/hooks.js';
import { agent_models } from '../api/agents.js';
import { thread_compact, thread_fork, thread_reset, thread_update } from '../api/threads.js';
import { goOn, to } from '../state/route.js';
import { useResource } from '../state/store.js';
import { Act, Button, useAct } from './act.js';
import { Choice, Field } from './field.js';
import { h, html } from './html.js';
import { few } from './number.js';
import { Sheet } from './sheet.js';
import { Sure } from './sure.js';
import { TroubleNote } from './trouble.js';

/** @typedef {import('../api/types.d.ts').Thread} Thread */

/**
 * What can be done with a thread as a whole.
 * @param {{thread: Thread, refresh: () => void}} props
 */
export function ThreadMenu({ thread, refresh }) {
  const [open, setOpen] = useState(false);
  return html`${h(Button, { icon: 'gear', label: 'About this thread', tone: 'plain', onClick: () => setOpen(true) })}
    ${open && h(Menu, { thread, refresh, close: () => setOpen(false) })}`;
}

/** @param {{thread: Thread, refresh: () => void, close: () => void}} props */
function Menu({ thread, refresh, close }) {
  const id = thread.id;
  const [name, setName] = useState(thread.name);
  const [model, setModel] = useState(thread.model ?? '');
  const [approvals, setApprovals] = useState(/** @type {string} */ (thread.approvals));
  const models = useResource(`agent_models ${thread.agent}`, () => agent_models(thread.agent));
  const save = useAct(async () => {
    await thread_update(id, { name: name.trim(), approvals, ...(model ? { model } : {}) });
    refresh();
    close();
  });
  const after = (/** @type {() => Promise<unknown>} */ work) => async () => {
    await work();
    refresh();
    close();
  };
  return h(Sheet, {
    title: 'This thread',
    close,
    children: html`<form class="stack" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void save.act();
    }}>
      <p class="small muted">${thread.explain} ${few(thread.usage.input_tokens + thread.usage.output_tokens)} tokens so far.</p>
      ${h(Field, { label: 'Name', value: name, set: setName, required: true })}
      ${(models.data?.items ?? []).length > 0 && h(Choice, { label: 'Model', value: model, set: setModel, options: [{ value: '', name: 'The agent’s own choice' }, ...(models.data?.items ?? []).map((one) => ({ value: one.id, name: one.name }))] })}
      ${h(Choice, { label: 'Asks before it acts', value: approvals, set: setApprovals, options: [{ value: 'never', name: 'Never' }, { value: 'on_request', name: 'When it wants out of its sandbox' }, { value: 'untrusted', name: 'For everything not known to be harmless' }] })}
      ${h(TroubleNote, { trouble: save.trouble })}
      ${h(Button, { tone: 'main', type: 'submit', full: true, busy: save.slow, disabled: save.busy, children: 'Save' })}
      <hr />
      <div class="stack tight">
        ${h(Act, { full: true, work: after(() => thread_compact(id)), children: 'Make its memory shorter' })}
        ${h(Sure, { full: true, work: after(() => thread_reset(id)), question: 'It forgets all of this. Begin anew?', children: 'Begin a new conversation' })}
        ${h(Act, { full: true, work: async () => {
          await goOn(thread_fork(id, {}), (fork) => to('threads', fork.id));
          close();
        }, children: 'Go on in a copy' })}
        ${thread.kind !== 'pma' && h(Act, { full: true, work: after(() => thread_update(id, { archived: !thread.archived_at })), children: thread.archived_at ? 'Take it out again' : 'Put it away' })}
      </div>
    </form>`,
  });
}
