import { html } from './html.js';

/** Strokes on 24 by 24. */
const PATHS = {
  home: 'M4 11 12 4l8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1z',
  chat: 'M4 5h16v11H9l-5 4z',
  repo: 'M6 4v10m0 0a3 3 0 1 0 0 6 3 3 0 0 0 0-6Zm12-4a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm0 0c0 4-6 4-9 5',
  run: 'M7 5v14l12-7z',
  more: 'M5 7h14M5 12h14M5 17h14',
  plus: 'M12 5v14M5 12h14',
  chevron: 'm9 6 6 6-6 6',
  back: 'm15 5-7 7 7 7',
  check: 'm5 12.5 5 5L19 7',
  cross: 'm6 6 12 12M18 6 6 18',
  pause: 'M9 6v12M15 6v12',
  stop: 'M7 7h10v10H7z',
  play: 'M8 6v12l10-6z',
  trash: 'M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13',
  pencil: 'm5 19 1-4L16 5l3 3L9 18z',
  up: 'm6 14 6-6 6 6',
  down: 'm6 10 6 6 6-6',
  drag: 'M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01',
  clock: 'M12 7v5l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z',
  send: 'M4 12 20 4l-5 16-4-6z',
  clip: 'm8 13 6-6a3 3 0 0 1 4 4l-8 8a5 5 0 0 1-7-7l8-8',
  camera: 'M4 8h4l2-3h4l2 3h4v11H4zm8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z',
  warn: 'M12 9v4m0 4h.01M12 4 3 20h18z',
  ask: 'M9 9a3 3 0 1 1 4 2.8c-.8.4-1 1-1 2.2m0 3h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z',
  key: 'M10.5 13.5 4 20m3-3 2.5 2.5M15 15a6 6 0 1 0 0-12 6 6 0 0 0 0 12Z',
  phone: 'M8 3h8v18H8zm3 15h2',
  chart: 'M5 20V10m7 10V4m7 16v-7',
  box: 'M4 7h16v4H4zm1 4v9h14v-9m-9 4h4',
  list: 'M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01',
  gear: 'M4 7h8m6 0h2M12 7a3 3 0 1 0 6 0 3 3 0 0 0-6 0ZM4 17h2m6 0h8M6 17a3 3 0 1 0 6 0 3 3 0 0 0-6 0Z',
  file: 'M6 3h8l4 4v14H6zm8 0v4h4',
  search: 'm20 20-5-5m1-4a5 5 0 1 1-10 0 5 5 0 0 1 10 0Z',
  again: 'M5 12a7 7 0 1 1 2 5m-2 3v-3.5h3.5',
  terminal: 'm5 7 5 5-5 5m8 0h6',
  bell: 'M6 16V11a6 6 0 1 1 12 0v5l2 2H4zm4 4h4',
  tick: 'M4 4h16v16H4zm4 8 3 3 5-6',
  shield: 'M12 3 5 6v6c0 4 3 7 7 9 4-2 7-5 7-9V6z',
  pull: 'M7 4v16m0 0-3-3m3 3 3-3M17 20V4m0 0-3 3m3-3 3 3',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  down_to: 'M12 4v11m-5-5 5 5 5-5M5 20h14',
  mic: 'M12 4a3 3 0 0 0-3 3v4a3 3 0 1 0 6 0V7a3 3 0 0 0-3-3Zm-6 7a6 6 0 1 0 12 0m-6 6v3m-3 0h6',
  none: '',
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * A sign beside a word; alone it needs a name of its own on what carries it.
 * @param {{name: IconName, size?: number, class?: string}} props
 */
export function Icon({ name, size = 20, class: className }) {
  return html`<svg viewBox="0 0 24 24" width=${size} height=${size} fill="none" stroke="currentColor"
    stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" class=${className}>
    <path d=${PATHS[name]} />
  </svg>`;
}
