/** Speech. */

import { call, get } from './client.js';

/** @returns {Promise<import('./types.d.ts').Voice>} */
export const voice_get = () => get('/voice');
/** @param {File} recording @param {AbortSignal} [signal] @returns {Promise<import('./types.d.ts').Transcription>} */
export const voice_transcribe = (recording, signal) => call('POST', '/voice/transcriptions', { file: recording, named: true, once: true, signal });
