// A carrier of a few lines: asks for the account's password, takes every call at once, hangs up when told. Only as much
// SIP (RFC 3261) as the tests of the pages need.
import { createHash } from 'node:crypto';
import dgram from 'node:dgram';

const md5 = (text) => createHash('md5').update(text).digest('hex');
const NONCE = 'test-only-nonce';
const REALM = 'carrier.test';

export class Carrier {
  #socket = dgram.createSocket('udp4');
  /** Requests that came, as `METHOD uri`. */
  seen = [];
  /** Calls that were answered and acknowledged. */
  answered = 0;

  constructor(user, password) {
    Object.assign(this, { user, password });
  }

  async open() {
    await new Promise((done) => this.#socket.bind(0, '127.0.0.1', done));
    this.port = this.#socket.address().port;
    this.#socket.on('message', (bytes, from) => this.#receive(bytes.toString('latin1'), from));
    return this;
  }

  close() {
    this.#socket.close();
  }

  #receive(text, from) {
    const [head] = text.split('\r\n\r\n');
    const [line, ...rest] = head.split('\r\n');
    const [method, uri] = line.split(' ');
    if (method.startsWith('SIP/')) return;
    const all = (name) => rest.filter((l) => l.toLowerCase().startsWith(`${name}:`)).map((l) => l.slice(l.indexOf(':') + 1).trim());
    this.seen.push(`${method} ${uri}`);
    if (method === 'ACK') {
      this.answered += 1;
      return;
    }
    const answer = (code, reason, extra = [], body = '') => {
      const to = all('to')[0] ?? '';
      const lines = [
        `SIP/2.0 ${code} ${reason}`,
        ...all('via').map((v) => `Via: ${v}`),
        `From: ${all('from')[0]}`,
        `To: ${to.includes('tag=') ? to : `${to};tag=carrier`}`,
        `Call-ID: ${all('call-id')[0]}`,
        `CSeq: ${all('cseq')[0]}`,
        ...extra,
        ...(body ? ['Content-Type: application/sdp'] : []),
        `Content-Length: ${body.length}`,
      ];
      this.#socket.send(`${lines.join('\r\n')}\r\n\r\n${body}`, from.port, from.address);
    };
    if (method === 'REGISTER' && !this.#proved(all('authorization')[0], method)) {
      answer(401, 'Unauthorized', [`WWW-Authenticate: Digest realm="${REALM}", nonce="${NONCE}", algorithm=MD5`]);
    } else if (method === 'REGISTER') {
      answer(200, 'OK', [`Contact: ${all('contact')[0]};expires=300`, 'Expires: 300']);
    } else if (method === 'INVITE') {
      const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${this.port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n`;
      answer(200, 'OK', [`Contact: <sip:127.0.0.1:${this.port}>`], sdp);
    } else {
      answer(200, 'OK');
    }
  }

  #proved(header, method) {
    const field = (name) => new RegExp(`${name}="?([^",]+)"?`).exec(header ?? '')?.[1];
    if (field('username') !== this.user) return false;
    const response = md5(`${md5(`${this.user}:${REALM}:${this.password}`)}:${NONCE}:${md5(`${method}:${field('uri')}`)}`);
    return field('response') === response;
  }
}
