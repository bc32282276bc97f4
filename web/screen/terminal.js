/** One terminal. */

import { useEffect, useState } from '../vendor/hooks.js';
import { h, html } from '../part/html.js';
import { Head } from '../part/layout.js';
import { Status } from '../part/status.js';
import { useStyle } from '../part/style.js';
import { TerminalView } from '../part/terminal_view.js';
import { TroubleNote } from '../part/trouble.js';
import { End, ended } from './terminals.js';

/** @typedef {import('../api/types.d.ts').Terminal} Terminal */
/** @typedef {import('../api/client.js').Trouble} Trouble */

/** @param {{params: Record<string, string>}} props */
export default function OneTerminal({ params }) {
  const styled = [useStyle('../vendor/xterm.css'), useStyle('terminal.css')];
  const [terminal, setTerminal] = useState(/** @type {Terminal | null} */ (null));
  const [trouble, setTrouble] = useState(/** @type {Trouble | null} */ (null));
  useSeen();
  return html`${h(Head, {
    title: terminal?.repo ?? "The hub's root",
    crumb: html`<a href="#/terminals">Terminals</a>`,
    up: '#/terminals',
    children: terminal && (terminal.status === 'running' ? h(End, { terminal }) : h(Status, { status: terminal.status, word: ended(terminal) })),
  })}
  ${h(TroubleNote, { trouble })}
  ${styled.every(Boolean) && !trouble && h(TerminalView, { id: params.terminal, changed: setTerminal, failed: setTrouble })}`;
}

/** How much of the page a phone's keyboard leaves to be seen, for the style sheet. */
function useSeen() {
  useEffect(() => {
    const seen = window.visualViewport;
    if (!seen) return undefined;
    const measure = () => document.documentElement.style.setProperty('--seen', `${seen.height}px`);
    measure();
    seen.addEventListener('resize', measure);
    return () => {
      seen.removeEventListener('resize', measure);
      document.documentElement.style.removeProperty('--seen');
    };
  }, []);
}
