/** Where a message is written. The draft is kept, with its files, until it is sent. */

import { useEffect, useLayoutEffect, useRef, useState } from '../vendor/hooks.js';
import { key, troubleOf } from '../api/client.js';
import { file_put } from '../api/files.js';
import { message_post, thread_compact, thread_interrupt, thread_reset, thread_resume, thread_stop } from '../api/threads.js';
import { sharedFiles, sharedText } from '../state/shared.js';
import { go, place } from '../state/route.js';
import { readMessages } from '../state/store.js';
import { Button, useAct } from './act.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { bytes } from './number.js';
import { Recording, keepRecording, recordingKind } from './recording.js';
import { TroubleNote } from './trouble.js';
import { Speak, Speaking, useVoice } from './voice.js';

/** @typedef {import('../api/types.d.ts').Thread} Thread */

/** Words that do something instead of being said. */
const COMMANDS = [
  { word: '/stop', text: 'Cut off the answer, and take back what waits', work: thread_stop },
  { word: '/resume', text: 'Let what is held go on', work: thread_resume },
  { word: '/new', text: 'Begin a new conversation; the messages stay', work: thread_reset },
  { word: '/compact', text: 'Make the agent’s memory of this shorter', work: thread_compact },
];

/**
 * A message that is written, or was and did not reach the hub yet. The id makes it one message
 * however often it is sent.
 * @typedef {{text: string, files: {name: string, size: number}[], id: string}} Draft
 */

/**
 * What was written and not sent yet.
 * @param {string} thread
 * @returns {Draft}
 */
function draftOf(thread) {
  try {
    const kept = JSON.parse(localStorage.getItem(`draft ${thread}`) ?? 'null');
    if (kept) return kept;
  } catch {
    // Something else wrote there.
  }
  return { text: '', files: [], id: key() };
}

/** @param {string} thread @param {Draft} draft */
function keepDraft(thread, draft) {
  if (draft.text || draft.files.length) localStorage.setItem(`draft ${thread}`, JSON.stringify(draft));
  else localStorage.removeItem(`draft ${thread}`);
}

/**
 * The text with words put in at a place, apart from what stands around them.
 * @param {string} text
 * @param {string} words
 * @param {number} from
 * @param {number} to
 */
function withWords(text, words, from, to) {
  const [before, after] = [text.slice(0, from), text.slice(to)];
  const put = before + (before === '' || /\s$/.test(before) ? '' : ' ') + words;
  return { text: put + (after === '' || /^\s/.test(after) ? '' : ' ') + after, caret: put.length };
}

const touches = matchMedia('(pointer: coarse)');

/** @param {{thread: Thread, working: boolean, given: string, shared: boolean, posted: () => void}} props */
export function Composer({ thread, working, given, shared, posted }) {
  const id = thread.id;
  const [draft, setDraft] = useState(() => {
    const kept = draftOf(id);
    return given && !kept.text ? { ...kept, text: given } : kept;
  });
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const chosen = useRef(/** @type {HTMLInputElement | null} */ (null));

  const there = useRef(true);
  useEffect(() => () => {
    there.current = false;
  }, []);
  // What comes after the screen was left is in the draft all the same.
  const change = (/** @type {(now: Draft) => Draft} */ how) => (there.current ? setDraft(how) : keepDraft(id, how(draftOf(id))));

  // At once: whoever writes and leaves loses no letter.
  useLayoutEffect(() => keepDraft(id, draft), [draft]);
  // Where to go on writing, once words were put in.
  const caretAt = useRef(/** @type {number | null} */ (null));
  useLayoutEffect(() => {
    const field = area.current;
    if (!field) return;
    if (caretAt.current !== null) field.setSelectionRange(caretAt.current, caretAt.current);
    caretAt.current = null;
    field.style.height = 'auto';
    field.style.height = `${Math.min(field.scrollHeight + 2, window.innerHeight * 0.4)}px`;
  }, [draft.text]);

  const post = useAct(async (/** @type {'queue' | 'interrupt'} */ busy) => {
    const text = draft.text.trim();
    const command = COMMANDS.find((one) => one.word === text);
    if (command) {
      await command.work(id);
    } else {
      const message = { body: text, attachments: draft.files.map((file) => file.name), client_turn_id: draft.id, busy };
      const send = (/** @type {string} */ client_turn_id) => readMessages(id, () => message_post(id, { ...message, client_turn_id }), (posted) => [posted]);
      await send(draft.id).catch((error) => {
        // It had arrived, and was changed since: what is here now is another message.
        if (troubleOf(error).code !== 'idempotency_mismatch') throw error;
        const fresh = key();
        change((now) => ({ ...now, id: fresh }));
        return send(fresh);
      });
      posted();
    }
    // What was written meanwhile stays.
    change((now) => ({
      text: now.text.startsWith(draft.text) ? now.text.slice(draft.text.length).trimStart() : now.text,
      files: now.files.filter((file) => !draft.files.some((sent) => sent.name === file.name)),
      id: key(),
    }));
  });
  const stop = useAct(() => thread_interrupt(id));
  const repo = thread.repo ?? null;
  async function attach(/** @type {File} */ file) {
    const kept = await file_put(repo, 'inbox', file);
    if (recordingKind(kept.name)) keepRecording(repo, kept.name, file);
    change((now) => ({ ...now, files: [...now.files, { name: kept.name, size: kept.size }] }));
  }
  const upload = useAct(async (/** @type {File[]} */ files) => {
    for (const file of files) await attach(file);
  });
  const voice = useVoice({
    attach,
    insert: (words) => {
      const field = area.current;
      const [from, to] = [field?.selectionStart ?? Infinity, field?.selectionEnd ?? Infinity];
      change((now) => {
        const { text, caret } = withWords(now.text, words, from, to);
        caretAt.current = caret;
        return { ...now, text };
      });
    },
  });

  // What another program shared comes to what is written already.
  const receive = useAct(async () => {
    const here = place.value;
    const text = await sharedText();
    if (text) change((now) => ({ ...now, text: [now.text.trimEnd(), text].filter(Boolean).join('\n\n') }));
    await sharedFiles(attach);
    if (place.value === here) go(`#${here.path}`, { replace: true });
    area.current?.focus();
  });
  useEffect(() => {
    if (shared) void receive.act();
  }, [shared]);

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
    ${h(TroubleNote, { trouble: receive.trouble, again: () => void receive.act() })}
    ${offered.length > 0 && html`<ul class="list offered">${offered.map((one) => html`<li key=${one.word}><button type="button" class="item" onClick=${() => {
      setDraft({ ...draft, text: one.word });
      area.current?.focus();
    }}><code>${one.word}</code><span class="small muted grow">${one.text}</span></button></li>`)}</ul>`}
    ${draft.files.length > 0 && html`<ul class="row wrap">${draft.files.map((file) => html`<li key=${file.name} class=${`chip file ${recordingKind(file.name) ? 'spoken' : ''}`}>${recordingKind(file.name) ? h(Recording, { repo, name: file.name }) : h(Icon, { name: 'clip', size: 14 })}<span class="line">${file.name}</span> <span class="muted">${bytes(file.size)}</span>
      <button type="button" aria-label=${`Take ${file.name} out`} onClick=${() => setDraft({ ...draft, files: draft.files.filter((one) => one !== file) })}>${h(Icon, { name: 'cross', size: 14 })}</button></li>`)}</ul>`}
    ${h(Speaking, { voice })}
    <div class="row end-aligned">
      <input ref=${chosen} type="file" multiple hidden aria-label="Files" tabindex="-1" onChange=${(/** @type {any} */ event) => {
        const files = [...event.target.files];
        event.target.value = '';
        if (files.length) void upload.act(files);
      }} />
      ${h(Button, { icon: 'clip', label: 'Add files or a photo', tone: 'plain', busy: upload.slow, disabled: upload.busy, onClick: () => chosen.current?.click() })}
      ${h(Speak, { voice })}
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
