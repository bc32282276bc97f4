/** Speaking instead of writing: what was said becomes words of the draft, or a recording beside them. */

import { useEffect, useRef, useState } from '../vendor/hooks.js';
import { troubleOf } from '../api/client.js';
import { voice_get, voice_transcribe } from '../api/voice.js';
import { Button, useAct } from './act.js';
import { h, html } from './html.js';
import { Player } from './recording.js';
import { LONGEST, useRecorder } from './recorder.js';
import { clockTime } from './time.js';
import { TroubleNote } from './trouble.js';

/** How much of a sound fills the whole meter. */
const LOUD = 0.25;

/** What is heard as speech rather than as a quiet room. */
const HEARD = 0.01;

/** How long a pause between words may be, in milliseconds. */
const PAUSE = 1500;

const still = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * @param {object} to
 * @param {(words: string) => void} to.insert
 * @param {(recording: File) => Promise<void>} to.attach
 */
export function useVoice({ insert, attach }) {
  const [hears, setHears] = useState(false);
  const [note, setNote] = useState('');
  // A recording that is nowhere but here.
  const [held, setHeld] = useState(/** @type {File | null} */ (null));
  const waiting = useRef(/** @type {AbortController | null} */ (null));

  const keep = useAct(async (/** @type {File} */ recording) => {
    setHeld(recording);
    await attach(recording);
    setHeld(null);
  });

  /** @param {File} recording @returns {Promise<string>} Why there are no words, when something went wrong. */
  async function words(recording) {
    const stop = new AbortController();
    waiting.current = stop;
    setHears(true);
    try {
      const voice = await voice_get();
      if (!voice.configured) return '';
      const { text } = await voice_transcribe(recording, stop.signal);
      if (!text) return 'No words were found in it.';
      insert(text);
      return DONE;
    } catch (error) {
      return stop.signal.aborted ? '' : troubleOf(error).message;
    } finally {
      waiting.current = null;
      setHears(false);
    }
  }

  async function spoken(/** @type {File} */ recording) {
    const why = await words(recording);
    if (why === DONE) return;
    if (await keep.act(recording)) setNote(why && `${why} The recording is attached instead.`);
    else setNote(why);
  }

  const recorder = useRecorder((recording) => void spoken(recording));
  return {
    ...recorder,
    hears,
    held,
    keep,
    note: recorder.why || note,
    start: () => {
      setNote('');
      return recorder.start();
    },
    /** The recording is attached, without its words. */
    attachNow: () => waiting.current?.abort(),
    /** @type {() => void} */
    drop: () => {
      setHeld(null);
      keep.clear();
    },
  };
}

/** The words are in the draft. */
const DONE = 'done';

/** @typedef {ReturnType<typeof useVoice>} Voice */

/** The button that begins a recording. @param {{voice: Voice}} props */
export function Speak({ voice }) {
  const { phase, hears, held, start } = voice;
  return h(Button, {
    icon: 'mic',
    label: 'Speak',
    tone: 'plain',
    busy: phase === 'asking',
    disabled: phase !== 'off' || hears || held !== null,
    onClick: () => void start(),
  });
}

/** What goes on with a recording, above the draft. @param {{voice: Voice}} props */
export function Speaking({ voice }) {
  const { phase, making, hears, held, keep, note } = voice;
  return html`
    ${phase === 'on' && making && h(Making, { making, stop: voice.stop, cancel: voice.cancel })}
    ${hears && html`<div class="row small" role="group" aria-label="Recording"><span class="grow muted" role="status">Finding the words …</span>
      ${h(Button, { tone: 'plain', onClick: voice.attachNow, children: 'Attach it as it is' })}</div>`}
    ${held && keep.trouble && html`<div class="stack tight" role="group" aria-label="Recording">
      ${h(TroubleNote, { trouble: keep.trouble })}
      ${h(Player, { sound: held, name: held.name })}
      <div class="row wrap">${h(Button, { disabled: keep.busy, busy: keep.slow, onClick: () => void keep.act(held), children: 'Attach it again' })}
        ${h(Button, { tone: 'plain', onClick: voice.drop, children: 'Throw it away' })}</div></div>`}
    ${note && phase === 'off' && html`<p class="small wants" role="status">${note}</p>`}`;
}

/** @param {{making: import('./recorder.js').Making, stop: () => void, cancel: () => void}} props */
function Making({ making, stop, cancel }) {
  const [, look] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => look((count) => count + 1), 500);
    return () => clearInterval(timer);
  }, []);
  return html`<div class="row speaking" role="group" aria-label="Recording">
    <span class="unseen" role="status">Recording. Escape throws it away.</span>
    <span class="number small" role="timer">${clockTime(Date.now() - making.began)}<span class="muted"> of ${clockTime(LONGEST)}</span></span>
    <span class="grow">${h(Level, { analyser: making.analyser })}</span>
    ${h(Button, { tone: 'plain', onClick: cancel, children: 'Cancel' })}
    ${h(Button, { icon: 'stop', tone: 'main', onClick: stop, children: 'Stop' })}
  </div>`;
}

/** How loud it is: a bar, or a word for whoever wants nothing to move. @param {{analyser: AnalyserNode}} props */
function Level({ analyser }) {
  const bar = useRef(/** @type {HTMLElement | null} */ (null));
  const [heard, setHeard] = useState(false);
  useEffect(() => {
    const wave = new Float32Array(analyser.fftSize);
    const level = () => {
      analyser.getFloatTimeDomainData(wave);
      return Math.sqrt(wave.reduce((sum, value) => sum + value * value, 0) / wave.length);
    };
    if (still.matches) {
      let last = 0;
      const timer = setInterval(() => {
        if (level() > HEARD) last = Date.now();
        setHeard(Date.now() - last < PAUSE);
      }, 100);
      return () => clearInterval(timer);
    }
    let frame = requestAnimationFrame(function show() {
      if (bar.current) bar.current.style.transform = `scaleX(${Math.min(1, level() / LOUD)})`;
      frame = requestAnimationFrame(show);
    });
    return () => cancelAnimationFrame(frame);
  }, [analyser]);
  if (still.matches) return html`<span class="small muted">${heard ? 'hears you' : 'hears nothing'}</span>`;
  return html`<span class="level" aria-hidden="true"><span ref=${bar}></span></span>`;
}
