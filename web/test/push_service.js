// A push service as a browser's maker runs one, and what a browser does with a message of it.
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

/** Takes what the hub pushes to one browser, whose keys it has; reads it as RFC 8291 says. */
export class PushService {
  static async open() {
    const service = new PushService();
    service.own = createECDH('prime256v1');
    service.own.generateKeys();
    service.auth = randomBytes(16);
    service.taken = [];
    service.waiting = [];
    service.server = createServer(async (request, answer) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      answer.writeHead(201).end();
      const message = service.read(Buffer.concat(parts));
      const first = service.waiting.shift();
      if (first) first(message);
      else service.taken.push(message);
    });
    await new Promise((done) => service.server.listen(0, '127.0.0.1', done));
    return service;
  }

  get authority() {
    return `127.0.0.1:${this.server.address().port}`;
  }

  /** What a browser tells the hub of itself. */
  subscription() {
    return {
      endpoint: `http://${this.authority}/push/one`,
      p256dh: this.own.getPublicKey().toString('base64url'),
      auth: this.auth.toString('base64url'),
      kinds: ['attention'],
    };
  }

  /** The next message. */
  async next() {
    return this.taken.shift() ?? new Promise((done) => this.waiting.push(done));
  }

  read(body) {
    const salt = body.subarray(0, 16);
    const sender = body.subarray(21, 21 + body[20]);
    const sealed = body.subarray(21 + body[20]);
    const derive = (secret, salt, info, length) => Buffer.from(hkdfSync('sha256', secret, salt, info, length));
    const shared = this.own.computeSecret(sender);
    const about = Buffer.concat([Buffer.from('WebPush: info\0'), this.own.getPublicKey(), sender]);
    const secret = derive(shared, this.auth, about, 32);
    const key = derive(secret, salt, 'Content-Encoding: aes128gcm\0', 16);
    const nonce = derive(secret, salt, 'Content-Encoding: nonce\0', 12);
    const cipher = createDecipheriv('aes-128-gcm', key, nonce);
    cipher.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
    return JSON.parse(plain.subarray(0, plain.lastIndexOf(2)).toString());
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
