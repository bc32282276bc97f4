// A browser that is told no more than it must be. What drives a browser in stories works in its pages
// too, which there is cheap; on a slow phone it is a tenth of a second that no phone pays.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { browserArgs, browserPath } from './tools.js';

/** It asks nobody for anything by itself. */
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--hide-scrollbars'];

/** Chromium by its protocol, over a pipe; each message ends with a zero. */
export class Bare {
  /** @param {string} profile Directory the browser keeps everything in. */
  constructor(profile) {
    const args = [...browserArgs, ...QUIET, '--headless=new', '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'];
    this.process = spawn(browserPath, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    this.sent = 0;
    this.waiting = new Map();
    this.listeners = new Set();
    let rest = '';
    this.process.stdio[4].setEncoding('utf8').on('data', (text) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop();
      for (const message of messages) this.hear(JSON.parse(message));
    });
  }

  hear({ id, result, error, method, params, sessionId }) {
    if (id === undefined) {
      for (const listener of this.listeners) listener(method, params, sessionId);
      return;
    }
    const { done, failed } = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) failed(new Error(error.message));
    else done(result);
  }

  /** Has the browser do something. @param {string} method @param {object} [params] @param {string} [sessionId] */
  send(method, params = {}, sessionId) {
    this.sent += 1;
    this.process.stdio[3].write(`${JSON.stringify({ id: this.sent, method, params, sessionId })}\0`);
    return new Promise((done, failed) => this.waiting.set(this.sent, { done, failed }));
  }

  /** A tab: what it does by a name of the protocol, and what it tells of the network. */
  async tab(size) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const send = (method, params) => this.send(method, params, sessionId);
    const { width, height } = size;
    await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: size.touch });
    await send('Emulation.setTouchEmulationEnabled', { enabled: size.touch });
    await send('Network.enable');
    return {
      send,
      on: (wanted, listener) => this.listeners.add((method, params, from) => from === sessionId && method === wanted && listener(params)),
      /** What an expression gives in the page. */
      async evaluate(expression) {
        const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
      },
    };
  }

  async close() {
    const gone = once(this.process, 'exit');
    this.send('Browser.close').catch(() => {});
    await gone;
  }
}
