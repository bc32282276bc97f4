import { useState } from '../vendor/hooks.js';
import { html } from './html.js';

/** @typedef {{name: string, value: number}} Bar */

const HEIGHT = 120;

/**
 * Values as bars; the same as a table for those who hear the page.
 * @param {{bars: Bar[], label: string, show: (value: number) => string}} props
 */
export function Bars({ bars, label, show }) {
  const [shown, setShown] = useState(/** @type {number | null} */ (null));
  const most = Math.max(1, ...bars.map((bar) => bar.value));
  const step = 100 / bars.length;
  const bar = shown === null ? bars.at(-1) : bars[shown];
  return html`<figure class="card stack tight bars">
    <figcaption class="row small"><span class="grow muted">${bar?.name}</span><b>${show(bar?.value ?? 0)}</b></figcaption>
    <svg viewBox=${`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" height=${HEIGHT} width="100%" aria-hidden="true"
      onPointerMove=${(/** @type {PointerEvent} */ event) => {
        const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
        setShown(Math.max(0, Math.min(bars.length - 1, Math.floor(((event.clientX - box.left) / box.width) * bars.length))));
      }}
      onPointerLeave=${() => setShown(null)}>
      ${bars.map((one, index) => {
        const height = one.value ? Math.max(2, (one.value / most) * HEIGHT) : 0;
        return html`<rect key=${index} x=${index * step + step * 0.12} width=${step * 0.76} y=${HEIGHT - height} height=${height} class=${index === shown ? 'now' : undefined} />`;
      })}
      <line x1="0" x2="100" y1=${HEIGHT - 0.5} y2=${HEIGHT - 0.5} />
    </svg>
    <div class="row tiny muted" aria-hidden="true"><span class="grow">${bars[0]?.name}</span><span>${bars.at(-1)?.name}</span></div>
    <table class="unseen"><caption>${label}</caption><tbody>${bars.filter((one) => one.value).map((one) => html`<tr key=${one.name}><th>${one.name}</th><td>${show(one.value)}</td></tr>`)}</tbody></table>
  </figure>`;
}
