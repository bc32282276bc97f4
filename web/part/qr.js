import { useEffect, useState } from '../vendor/hooks.js';
import { html } from './html.js';

/** Empty squares around the code, so that it is found. */
const QUIET = 4;

/**
 * A text as a QR code: dark on light in either scheme, as cameras expect.
 * @param {{text: string}} props
 */
export function Qr({ text }) {
  const [path, setPath] = useState({ size: 0, d: '' });
  useEffect(() => {
    import('../vendor/qr.js').then(({ generate }) => {
      const code = generate(text);
      let d = '';
      for (let y = 0; y < code.size; y += 1) {
        for (let x = 0; x < code.size; x += 1) {
          if (code.get(x, y)) d += `M${x + QUIET} ${y + QUIET}h1v1h-1z`;
        }
      }
      setPath({ size: code.size + 2 * QUIET, d });
    });
  }, [text]);
  if (!path.d) return null;
  return html`<svg class="qr" viewBox=${`0 0 ${path.size} ${path.size}`} role="img" aria-label="QR code of the link" shape-rendering="crispEdges">
    <rect width=${path.size} height=${path.size} fill="#fff" /><path d=${path.d} fill="#000" /></svg>`;
}
