/** A recording among a message's files: it is played where it stands. */

import { useEffect, useRef, useState } from '../vendor/hooks.js';
import { file_get } from '../api/files.js';
import { Button, useAct } from './act.js';
import { h, html } from './html.js';
import { TroubleNote } from './trouble.js';

/** How names of recordings end, by what they are. */
const ENDINGS = {
  'audio/webm': 'webm',
  'audio/ogg': 'ogg',
  'audio/mp4': 'm4a',
  'audio/mpeg': 'mp3',
  'audio/wav': 'wav',
  'audio/flac': 'flac',
};

/** @param {string} kind */
export const endingOf = (kind) => ENDINGS[/** @type {keyof typeof ENDINGS} */ (kind)] ?? 'webm';

/** What a file is by its name, where it is a recording. @param {string} name */
export function recordingKind(name) {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return Object.entries(ENDINGS).find(([, one]) => one === ending)?.[0];
}

/** How many recordings of this page are kept to be played without asking for them. */
const KEPT = 8;

/** @type {Map<string, Blob>} */
const own = new Map();

/** @param {string | null} repo @param {string} name */
const placeOf = (repo, name) => `${repo ?? ''}/${name}`;

/**
 * A recording this page has made.
 * @param {string | null} repo
 * @param {string} name
 * @param {Blob} recording
 */
export function keepRecording(repo, name, recording) {
  own.set(placeOf(repo, name), recording);
  if (own.size > KEPT) own.delete(/** @type {string} */ (own.keys().next().value));
}

/**
 * A file of the inbox, played; one this page has not is fetched when somebody wants to hear it.
 * @param {{repo: string | null, name: string}} props
 */
export function Recording({ repo, name }) {
  const [sound, setSound] = useState(() => own.get(placeOf(repo, name)));
  const [asked, setAsked] = useState(false);
  const fetched = useAct(async () => {
    const bytes = await file_get(repo, 'inbox', name);
    setAsked(true);
    setSound(new Blob([bytes], { type: recordingKind(name) }));
  });
  if (sound) return h(Player, { sound, name, plays: asked });
  return html`${h(Button, { icon: 'play', label: `Listen to ${name}`, tone: 'plain', busy: fetched.slow, disabled: fetched.busy, onClick: () => void fetched.act() })}
    ${h(TroubleNote, { trouble: fetched.trouble })}`;
}

/** @param {{sound: Blob, name: string, plays?: boolean}} props */
export function Player({ sound, name, plays = false }) {
  const player = useRef(/** @type {HTMLAudioElement | null} */ (null));
  useEffect(() => {
    const address = URL.createObjectURL(sound);
    if (player.current) player.current.src = address;
    return () => URL.revokeObjectURL(address);
  }, [sound]);
  return html`<audio ref=${player} class="recording" controls preload="metadata" autoplay=${plays} aria-label=${name}
    onLoadedMetadata=${measured}></audio>`;
}

/**
 * Chromium writes no length into what it records: it is known once the end was looked at.
 * @param {Event} event
 */
function measured(event) {
  const audio = /** @type {HTMLAudioElement} */ (event.currentTarget);
  if (Number.isFinite(audio.duration)) return;
  audio.addEventListener('durationchange', () => {
    audio.currentTime = 0;
  }, { once: true });
  audio.currentTime = Number.MAX_SAFE_INTEGER;
}
