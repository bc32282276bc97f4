/**
 * The microphone: a recording is made, heard by its level while it is made, and ended or thrown
 * away. The microphone is let go of whatever ends it: a press, time, size, a page that is hidden or
 * left, a device that is pulled out. What ends it otherwise than by cancelling keeps what was said.
 */

import { useEffect, useRef, useState } from '../vendor/hooks.js';
import { endingOf } from './recording.js';

/** How long a recording may be, in milliseconds. */
export const LONGEST = 5 * 60_000;

/** How large it may be, in bytes: a file of the boxes holds as much. */
const LARGEST = 9_000_000;

/** Speech needs no more bits a second. */
const BITS = 32_000;

/** What browsers record, the one most services read first. */
const KINDS = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus'];

/** Why there is no microphone, and what to do, in one line; empty when there may be one. */
function missing() {
  if (!globalThis.isSecureContext) return 'Browsers record only over HTTPS or on the hub’s own machine: open the hub by its https:// address.';
  if (!navigator.mediaDevices?.getUserMedia || !globalThis.MediaRecorder) return 'This browser cannot record: attach a file of your recorder instead.';
  return '';
}

/** @param {unknown} error */
function refused(error) {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'This page may not use the microphone: allow it in the browser’s settings for this site, then press again.';
    case 'NotFoundError':
      return 'There is no microphone here: connect one, then press again.';
    case 'NotReadableError':
      return 'The microphone is in use: close the program that has it, then press again.';
    default:
      return `The microphone cannot be used: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * A recording that is being made.
 * @typedef {object} Making
 * @property {MediaRecorder} recorder
 * @property {MediaStream} stream
 * @property {AudioContext} context
 * @property {AnalyserNode} analyser
 * @property {number} began
 * @property {boolean} kept Whether what was said is wanted.
 */

/** @param {(recording: File) => void} done */
export function useRecorder(done) {
  const [phase, setPhase] = useState(/** @type {'off' | 'asking' | 'on'} */ ('off'));
  const [why, setWhy] = useState('');
  const making = useRef(/** @type {Making | null} */ (null));
  const left = useRef(false);
  const given = useRef(done);
  given.current = done;

  /** @param {boolean} kept */
  function end(kept) {
    const now = making.current;
    if (!now || now.recorder.state === 'inactive') return;
    now.kept = kept;
    now.recorder.stop();
  }

  async function start() {
    if (phase !== 'off') return;
    const none = missing();
    setWhy(none);
    if (none) return;
    setPhase('asking');
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    } catch (error) {
      setPhase('off');
      setWhy(refused(error));
      return;
    }
    if (left.current || document.visibilityState === 'hidden') {
      release(stream);
      setPhase('off');
      return;
    }
    try {
      making.current = record(stream, (recording, kept) => {
        making.current = null;
        setPhase('off');
        if (kept && recording.size > 0) given.current(recording);
      });
      setPhase('on');
    } catch (error) {
      release(stream);
      setPhase('off');
      setWhy(refused(error));
    }
  }

  useEffect(() => {
    if (phase !== 'on') return undefined;
    const limit = setTimeout(() => end(true), LONGEST);
    const hidden = () => document.visibilityState === 'hidden' && end(true);
    const escaped = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      end(false);
    };
    document.addEventListener('visibilitychange', hidden);
    addEventListener('keydown', escaped);
    return () => {
      clearTimeout(limit);
      document.removeEventListener('visibilitychange', hidden);
      removeEventListener('keydown', escaped);
    };
  }, [phase]);
  useEffect(() => () => {
    left.current = true;
    end(true);
  }, []);

  return { phase, why, making: making.current, start, stop: () => end(true), cancel: () => end(false) };
}

/** @param {MediaStream} stream */
function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/**
 * @param {MediaStream} stream
 * @param {(recording: File, kept: boolean) => void} ended
 * @returns {Making}
 */
function record(stream, ended) {
  const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
  const recorder = new MediaRecorder(stream, { audioBitsPerSecond: BITS, ...(mimeType ? { mimeType } : {}) });
  const context = new AudioContext();
  // Some browsers begin it only when they are asked to.
  void context.resume();
  const analyser = context.createAnalyser();
  // Long enough that no sound between two looks is missed.
  analyser.fftSize = 8192;
  context.createMediaStreamSource(stream).connect(analyser);
  /** @type {Making} */
  const now = { recorder, stream, context, analyser, began: Date.now(), kept: true };
  /** @type {Blob[]} */
  const pieces = [];
  let size = 0;
  recorder.ondataavailable = ({ data }) => {
    pieces.push(data);
    size += data.size;
    if (size > LARGEST && recorder.state !== 'inactive') recorder.stop();
  };
  recorder.onstop = () => {
    release(stream);
    void context.close();
    const kind = (recorder.mimeType || mimeType || 'audio/webm').split(';', 1)[0];
    ended(new File(pieces, `voice-${stamp(new Date(now.began))}.${endingOf(kind)}`, { type: kind }), now.kept);
  };
  // In pieces, so that its size is known while it grows.
  recorder.start(1000);
  return now;
}

/** @param {Date} at */
function stamp(at) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  return `${day}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
}
