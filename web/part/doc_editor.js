import { useLayoutEffect, useState } from '../vendor/hooks.js';
import { dropText, keepText, keptText } from '../state/kept_text.js';
import { Button, useAct } from './act.js';
import { h, html } from './html.js';
import { Icon } from './icon.js';
import { Markdown } from './markdown.js';
import { TroubleNote } from './trouble.js';

/**
 * A document in Markdown that a person and an agent may both change. A draft is kept; a change that
 * was made meanwhile is shown, not written over.
 * @param {{name: string, title: string, hint?: string, content: string, etag: string, save: (content: string, etag: string) => Promise<unknown>}} props
 */
export function DocEditor({ name, title, hint, content: saved, etag: current, save }) {
  const kept = `doc ${name}`;
  const [draft] = useState(() => keptText(kept));
  const [editing, setEditing] = useState(draft !== null);
  const [content, setContent] = useState(draft?.content ?? saved);
  const [etag, setEtag] = useState(draft?.etag ?? current);
  const { act, busy, slow, trouble, clear } = useAct(async () => {
    await save(content, etag);
    dropText(kept);
    setEditing(false);
  });
  // At once: whoever writes and leaves loses no letter.
  useLayoutEffect(() => {
    if (editing && content !== saved) keepText(kept, content, etag);
  }, [content, etag]);
  const stale = trouble?.code === 'stale' ? trouble.problem.current : undefined;

  if (!editing) {
    return html`<div class="card stack">
      <header class="row top"><div class="grow"><h2>${title}</h2>${hint && html`<p class="small muted">${hint}</p>`}</div>
        ${h(Button, { icon: 'pencil', onClick: () => { setContent(saved); setEtag(current); setEditing(true); }, children: 'Edit' })}</header>
      ${saved.trim() ? h(Markdown, { text: saved }) : html`<p class="muted">It is empty.</p>`}
    </div>`;
  }
  return html`<div class="stack">
    <div class="field"><label for="doc">${title}</label>
      <textarea id="doc" class="mono tall" value=${content} onInput=${(/** @type {any} */ event) => setContent(event.target.value)}></textarea></div>
    ${stale
      ? html`<div class="notice wants">${h(Icon, { name: 'warn', size: 18 })}<div class="grow stack tight">
          <p><b>It was changed meanwhile</b>, by an agent or somebody else. Yours is kept here; look at theirs and carry over what you need.</p>
          <pre class="output" tabindex="0">${stale.content}</pre>
          <div class="row wrap">${h(Button, { onClick: () => { setEtag(stale.etag); clear(); }, children: 'Keep mine instead' })}
            ${h(Button, { onClick: () => { setContent(stale.content); setEtag(stale.etag); clear(); }, children: 'Take theirs' })}</div></div></div>`
      : h(TroubleNote, { trouble })}
    <div class="bar-below row end">
      ${h(Button, { onClick: () => { dropText(kept); setEditing(false); }, children: content === saved ? 'Close' : 'Throw away' })}
      ${h(Button, { tone: 'main', busy: slow, disabled: busy || content === saved, onClick: () => void act(), children: 'Save' })}
    </div>
  </div>`;
}
