/** Where a message is written. The draft is kept, with its files, until it is sent. */

import { useEffect, useLayoutEffect, useRef, useState } from '../vendor/hooks.js';
import { key } from '../api/client.js';
import { file_put, message_post, thread_compact, thread_interrupt, thread_reset, thread_stop } from '../api/operations.js';
import { keepMessages } from '../state/store.js';
import { Button, useAct } from './act.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { bytes } from './number.js';
import { TroubleNote } from './trouble.js';

/** @typedef {import('../api/types.d.ts').Thread} Thread */

/** Words that do something instead of being said. */
const COMMANDS = [
  { word: '/stop', text: 'Cut off the answer, and take back what waits', work: thread_stop },
  { word: '/new', text: 'Begin a new conversation; the messages stay', work: thread_reset },
  { word: '/compact', text: 'Make the agent’s memory of this shorter', work: thread_compact },
];

/**
 * A message that is written, or was and did not reach the hub yet. The id makes it one message
 * however often it is sent.
 * @typedef {{text: string, files: {name: string, size: number}[], id: string}} Draft
 */

/** @param {string} thread @returns {Draft} */
function draftOf(thread) {
  try {
    const kept = JSON.parse(localStorage.getItem(`draft ${thread}`) ?? 'null');
    if (kept) return kept;
  } catch {
    // Something else wrote there.
  }
  return { text: '', files: [], id: key() };
}

const touches = matchMedia('(pointer: coarse)');

/** @param {{thread: Thread, working: boolean, given: string, posted: () => void}} props */
export function Composer({ thread, working, given, posted }) {
  const id = thread.id;
  const [draft, setDraft] = useState(() => {
    const kept = draftOf(id);
    return given && !kept.text ? { ...kept, text: given } : kept;
  });
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const chosen = useRef(/** @type {HTMLInputElement | null} */ (null));

  useEffect(() => {
    if (draft.text || draft.files.length) localStorage.setItem(`draft ${id}`, JSON.stringify(draft));
    else localStorage.removeItem(`draft ${id}`);
  }, [draft]);
  useLayoutEffect(() => {
    const field = area.current;
    if (!field) return;
    field.style.height = 'auto';
    field.style.height = `${Math.min(field.scrollHeight + 2, window.innerHeight * 0.4)}px`;
  }, [draft.text]);

  const post = useAct(async (/** @type {'queue' | 'interrupt'} */ busy) => {
    const text = draft.text.trim();
    const command = COMMANDS.find((one) => one.word === text);
    if (command) {
      await command.work(id);
    } else {
      const message = await message_post(id, {
        body: text,
        attachments: draft.files.map((file) => file.name),
        client_turn_id: draft.id,
        busy,
      });
      keepMessages(id, [message]);
      posted();
    }
    setDraft({ text: '', files: [], id: key() });
  });
  const stop = useAct(() => thread_interrupt(id));
  const upload = useAct(async (/** @type {File[]} */ files) => {
    for (const file of files) {
      const kept = await file_put(thread.repo ?? null, 'inbox', file);
      setDraft((now) => ({ ...now, files: [...now.files, { name: kept.name, size: kept.size }] }));
    }
  });

  const says = draft.text.trim() !== '' || draft.files.length > 0;
  const offered = draft.text.startsWith('/') && !draft.text.includes(' ') ? COMMANDS.filter((one) => one.word.startsWith(draft.text.trim())) : [];
  return html`<form class="composer stack tight" onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    if (says) void post.act('queue');
  }}
    onDragOver=${(/** @type {DragEvent} */ event) => event.preventDefault()}
    onDrop=${(/** @type {DragEvent} */ event) => {
      event.preventDefault();
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length) void upload.act(files);
    }}>
    ${h(TroubleNote, { trouble: post.trouble ?? upload.trouble ?? stop.trouble })}
    ${offered.length > 0 && html`<ul class="list offered">${offered.map((one) => html`<li key=${one.word}><button type="button" class="item" onClick=${() => {
      setDraft({ ...draft, text: one.word });
      area.current?.focus();
    }}><code>${one.word}</code><span class="small muted grow">${one.text}</span></button></li>`)}</ul>`}
    ${draft.files.length > 0 && html`<ul class="row wrap">${draft.files.map((file) => html`<li key=${file.name} class="chip file">${h(Icon, { name: 'clip', size: 14 })}${file.name} <span class="muted">${bytes(file.size)}</span>
      <button type="button" aria-label=${`Take ${file.name} out`} onClick=${() => setDraft({ ...draft, files: draft.files.filter((one) => one !== file) })}>${h(Icon, { name: 'cross', size: 14 })}</button></li>`)}</ul>`}
    <div class="row end-aligned">
      <input ref=${chosen} type="file" multiple hidden aria-label="Files" tabindex="-1" onChange=${(/** @type {any} */ event) => {
        const files = [...event.target.files];
        event.target.value = '';
        if (files.length) void upload.act(files);
      }} />
      ${h(Button, { icon: 'clip', label: 'Add files or a photo', tone: 'plain', busy: upload.slow, disabled: upload.busy, onClick: () => chosen.current?.click() })}
      <label class="unseen" for="message">Message</label>
      <textarea id="message" ref=${area} rows="1" value=${draft.text} placeholder=${working ? 'Write while it works' : 'Message'}
        onInput=${(/** @type {any} */ event) => setDraft({ ...draft, text: event.target.value })}
        onPaste=${(/** @type {ClipboardEvent} */ event) => {
          const files = [...(event.clipboardData?.files ?? [])];
          if (files.length) {
            event.preventDefault();
            void upload.act(files);
          }
        }}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing || touches.matches) return;
          event.preventDefault();
          if (says) void post.act('queue');
        }}></textarea>
      ${working && !says
        ? h(Button, { icon: 'stop', label: 'Stop the answer', busy: stop.slow, disabled: stop.busy, onClick: () => void stop.act() })
        : h(Button, { icon: 'send', label: working ? 'Queue it' : 'Send', tone: 'main', type: 'submit', busy: post.slow, disabled: post.busy || !says })}
    </div>
    ${working && says && html`<div class="row wrap small muted"><span class="grow">It waits until this answer is done.</span>
      ${h(Button, { tone: 'plain', disabled: post.busy, onClick: () => void post.act('interrupt'), children: 'Interrupt and send now' })}</div>`}
  </form>`;
}
