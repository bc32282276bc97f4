import { useId } from '../vendor/hooks.js';
import { html } from './html.js';

/**
 * A field with its name, a hint, and what is wrong with it.
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.value
 * @param {(value: string) => void} props.set
 * @param {any} [props.hint]
 * @param {string | null} [props.wrong]
 * @param {'text' | 'search' | 'number' | 'url'} [props.type]
 * @param {boolean} [props.required]
 * @param {boolean} [props.plain] No spelling, no capitals: it is for a machine.
 * @param {number} [props.rows] Several lines.
 * @param {string} [props.placeholder]
 * @param {'numeric' | 'decimal'} [props.keys] The keys a phone shows.
 * @param {boolean} [props.mono]
 */
export function Field({ label, value, set, hint, wrong, type = 'text', required, plain, rows, placeholder, keys, mono }) {
  const id = useId();
  const shared = {
    id,
    value,
    required,
    placeholder,
    class: mono ? 'mono' : undefined,
    inputMode: keys,
    'aria-describedby': hint || wrong ? `${id}-hint` : undefined,
    'aria-invalid': wrong ? 'true' : undefined,
    autocapitalize: plain ? 'off' : undefined,
    autocomplete: plain ? 'off' : undefined,
    spellcheck: plain ? false : undefined,
    onInput: (/** @type {any} */ event) => set(event.target.value),
  };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${rows ? html`<textarea ...${shared} rows=${rows}></textarea>` : html`<input ...${shared} type=${type} />`}
    ${(hint || wrong) && html`<span id=${`${id}-hint`} class=${wrong ? 'bad small' : 'hint'}>${wrong ?? hint}</span>`}
  </div>`;
}

/**
 * One of several values.
 * @param {{label: string, value: string, set: (value: string) => void, options: {value: string, name: string}[], hint?: any}} props
 */
export function Choice({ label, value, set, options, hint }) {
  const id = useId();
  return html`<div class="field"><label for=${id}>${label}</label>
    <select id=${id} value=${value} onChange=${(/** @type {any} */ event) => set(event.target.value)}>
      ${options.map((option) => html`<option key=${option.value} value=${option.value} selected=${option.value === value}>${option.name}</option>`)}
    </select>
    ${hint && html`<span class="hint">${hint}</span>`}</div>`;
}

/**
 * Yes or no.
 * @param {{label: any, value: boolean, set: (value: boolean) => void}} props
 */
export function Check({ label, value, set }) {
  return html`<label class="choice"><input type="checkbox" checked=${value} onChange=${(/** @type {any} */ event) => set(event.target.checked)} /><span>${label}</span></label>`;
}
