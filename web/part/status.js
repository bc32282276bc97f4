import { html } from './html.js';

/**
 * How things stand: by shape, by word and by colour.
 * @typedef {{word: string, tone: 'good' | 'bad' | 'wants' | 'busy' | 'dim', shape: Shape}} Look
 * @typedef {'ring' | 'arc' | 'bars' | 'hourglass' | 'check' | 'cross' | 'square' | 'dot' | 'mark'} Shape
 */

/** @type {Record<string, Look>} */
const LOOKS = {
  pending: { word: 'pending', tone: 'dim', shape: 'ring' },
  running: { word: 'running', tone: 'busy', shape: 'arc' },
  paused: { word: 'paused', tone: 'wants', shape: 'bars' },
  parked: { word: 'parked', tone: 'wants', shape: 'hourglass' },
  stopping: { word: 'stopping', tone: 'dim', shape: 'arc' },
  completed: { word: 'completed', tone: 'good', shape: 'check' },
  failed: { word: 'failed', tone: 'bad', shape: 'cross' },
  stopped: { word: 'stopped', tone: 'dim', shape: 'square' },
  superseded: { word: 'superseded', tone: 'dim', shape: 'square' },
  interrupted: { word: 'interrupted', tone: 'wants', shape: 'square' },
  cancelled: { word: 'cancelled', tone: 'dim', shape: 'square' },
  open: { word: 'open', tone: 'dim', shape: 'ring' },
  done: { word: 'done', tone: 'good', shape: 'check' },
  invalid: { word: 'has errors', tone: 'bad', shape: 'mark' },
  passed: { word: 'passed', tone: 'good', shape: 'check' },
  pre_existing: { word: 'failed before too', tone: 'dim', shape: 'dot' },
  protected: { word: 'protected files', tone: 'wants', shape: 'mark' },
  not_verified: { word: 'not verified', tone: 'dim', shape: 'dot' },
  in_progress: { word: 'at it', tone: 'busy', shape: 'arc' },
  declined: { word: 'declined', tone: 'wants', shape: 'cross' },
  idle: { word: 'idle', tone: 'dim', shape: 'ring' },
  working: { word: 'working', tone: 'busy', shape: 'arc' },
  asking: { word: 'asks', tone: 'wants', shape: 'mark' },
  held: { word: 'held', tone: 'wants', shape: 'hourglass' },
  queued: { word: 'queued', tone: 'dim', shape: 'ring' },
  blocked: { word: 'blocked', tone: 'bad', shape: 'mark' },
  ready: { word: 'ready', tone: 'good', shape: 'check' },
  not_installed: { word: 'not installed', tone: 'dim', shape: 'ring' },
  logged_out: { word: 'logged out', tone: 'wants', shape: 'mark' },
  broken: { word: 'broken', tone: 'bad', shape: 'cross' },
  missing: { word: 'missing', tone: 'bad', shape: 'cross' },
  uninitialized: { word: 'not set up', tone: 'dim', shape: 'ring' },
  waiting: { word: 'waiting', tone: 'wants', shape: 'hourglass' },
  approved: { word: 'approved', tone: 'good', shape: 'check' },
  denied: { word: 'turned away', tone: 'bad', shape: 'cross' },
  expired: { word: 'expired', tone: 'dim', shape: 'square' },
  delivered: { word: 'delivered', tone: 'good', shape: 'check' },
  obsolete: { word: 'not needed', tone: 'dim', shape: 'dot' },
  resolved: { word: 'resolved', tone: 'good', shape: 'check' },
  trusted: { word: 'trusted', tone: 'good', shape: 'check' },
  changed: { word: 'has changed', tone: 'wants', shape: 'mark' },
  untrusted: { word: 'not trusted', tone: 'dim', shape: 'ring' },
  dismissed: { word: 'put away', tone: 'dim', shape: 'square' },
};

/** @param {string} word @returns {Look} */
export const lookOf = (word) => LOOKS[word] ?? { word: word.replaceAll('_', ' '), tone: 'dim', shape: 'dot' };

/** @param {{shape: Shape}} props */
function Sign({ shape }) {
  switch (shape) {
    case 'ring':
      return html`<circle cx="8" cy="8" r="5.5" />`;
    case 'arc':
      return html`<path d="M8 2.5A5.5 5.5 0 1 1 2.5 8" />`;
    case 'bars':
      return html`<path d="M5.5 3.5v9M10.5 3.5v9" stroke-width="2.4" />`;
    case 'hourglass':
      return html`<path d="M4 2.5h8L4 13.5h8z" />`;
    case 'check':
      return html`<path d="m3 8.5 3.5 3.5L13 4.5" stroke-width="2.2" />`;
    case 'cross':
      return html`<path d="m4 4 8 8m0-8-8 8" stroke-width="2.2" />`;
    case 'square':
      return html`<path d="M4 4h8v8H4z" />`;
    case 'mark':
      return html`<path d="M8 3v6m0 3.2v.1" stroke-width="2.4" />`;
    case 'dot':
      return html`<circle cx="8" cy="8" r="2" fill="currentColor" />`;
  }
}

/**
 * @param {{status: string, word?: string, bare?: boolean}} props `bare` shows the shape alone, and
 *   says the word to those who hear the page.
 */
export function Status({ status, word, bare = false }) {
  const look = lookOf(status);
  const said = word ?? look.word;
  return html`<span class=${`status ${look.tone}`} title=${bare ? said : undefined}>
    <svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.8"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"
      class=${look.shape === 'arc' ? 'turning' : undefined}>${Sign({ shape: look.shape })}</svg>
    <span class=${bare ? 'unseen' : undefined}>${said}</span>
  </span>`;
}
