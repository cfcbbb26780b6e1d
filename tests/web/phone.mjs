// A telephone of a few lines: registers with digest, calls, answers, hangs up, and sends a tone while it talks. Only as
// much SIP (RFC 3261) and RTP (RFC 3550) as the tests of the pages need.
import { createHash, randomBytes } from 'node:crypto';
import dgram from 'node:dgram';

/** Answers are awaited this long. */
const PATIENCE_MS = 20_000;
/** RFC 3261 T1, then doubled: when a request is sent again. */
const T1_MS = 500;

/** Samples of it. */
const HALF_SECOND = 4000;

/** Longer than any pause between the words of a prompt. */
const TURN_MS = 1_500;

/** A sample of A-law above the noise of silence: the upper five of its eight segments. */
const loud = (sample) => (((sample ^ 0x55) >> 4) & 7) >= 3;
/** G.711 A-law to linear, −1…1. */
const linear = (sample) => {
  const [code, segment] = [sample ^ 0x55, ((sample ^ 0x55) >> 4) & 7];
  const step = ((code & 15) << 4) + 8;
  const level = segment === 0 ? step : (step + 256) << (segment - 1);
  return (code & 0x80 ? level : -level) / 32768;
};
const md5 = (text) => createHash('md5').update(text).digest('hex');
const token = () => randomBytes(6).toString('hex');

export class Phone {
  #socket = dgram.createSocket('udp4');
  #sound = dgram.createSocket('udp4');
  #waiting = [];
  /** Requests without an answer yet: how each is given up. */
  #asking = new Set();
  #cseq = 1;
  #ticker;
  #call;
  #sent = 0;
  #heardAt;
  /** The last half second of what the other side said, while somebody listens to it: fifty phones are told 2,500 packets
      a second, on the same two cores as the box. */
  #heard;

  /**
   * `answers`: takes calls, else it is busy. `host`: its own address, one of the loopback. `hz`: of its voice; a half wave of
   * it is a whole number of samples, and 20 ms are a whole number of waves: 250, 400, 500.
   */
  constructor(box, number, password, { answers = true, host = '127.0.0.1', hz = 400 } = {}) {
    Object.assign(this, { box, number, password, answers, host, hz });
  }

  async open() {
    for (const s of [this.#socket, this.#sound]) await new Promise((done) => s.bind(0, this.host, done));
    this.port = this.#socket.address().port;
    this.#socket.on('message', (bytes) => this.#receive(bytes.toString('latin1')));
    this.#sound.on('message', (packet) => {
      if (packet.subarray(12).some(loud)) this.#heardAt = Date.now();
      if (!this.#heard) return;
      this.#heard.push(...packet.subarray(12));
      if (this.#heard.length > HALF_SECOND) this.#heard.splice(0, this.#heard.length - HALF_SECOND);
    });
    return this;
  }

  close() {
    clearInterval(this.#ticker);
    for (const end of this.#asking) end('the phone is switched off');
    this.#socket.close();
    this.#sound.close();
  }

  async register() {
    const answer = await this.#request('REGISTER', `sip:127.0.0.1:${this.box.sip}`, {
      to: this.#address(this.number),
      callId: token(),
      extra: ['Expires: 300'],
    });
    if (answer.code !== 200) throw new Error(`REGISTER of ${this.number}: ${answer.code}`);
    return this;
  }

  /** Calls a number and talks once it is answered. */
  async call(number) {
    this.#heardAt = undefined;
    const callId = token();
    const uri = `sip:${number}@127.0.0.1:${this.box.sip}`;
    const answer = await this.#request('INVITE', uri, { to: this.#address(number), callId, body: this.#sdp() });
    if (answer.code !== 200) throw new Error(`INVITE to ${number}: ${answer.code}`);
    const target = /<([^>]+)>/.exec(answer.header('contact'))?.[1] ?? uri;
    this.#call = { callId, target, to: answer.header('to'), from: answer.header('from') };
    this.#send(this.#text('ACK', target, { ...this.#call, cseq: answer.cseq }));
    this.#talk(answer.body);
  }

  async hangUp() {
    const { target, ...call } = this.#call;
    this.#call = undefined;
    clearInterval(this.#ticker);
    await this.#request('BYE', target, call);
  }

  /** Settles when the other side has said something and is silent since, as a person waits for the end of a greeting. */
  get turn() {
    return this.#until(() => this.#heardAt !== undefined && Date.now() - this.#heardAt > TURN_MS);
  }

  /** Settles when so many seconds of tone have gone out from now on. */
  speak(seconds) {
    const end = this.#sent + seconds * 50;
    return this.#until(() => this.#sent >= end);
  }

  /** Settles when half a second of what comes is this tone: nearly all of its energy, and loud. */
  hears(hz) {
    return this.#hearsIn((share, loudness) => loudness > 0.001 && share(hz) > 0.8);
  }

  /** Settles when half a second of what comes holds all of these tones and none of those. */
  hearsOf(tones, others) {
    return this.#hearsIn((share, loudness) => {
      const heard = (hz) => share(hz) * loudness;
      return tones.every((hz) => heard(hz) > 0.003) && others.every((hz) => heard(hz) < 0.0003);
    });
  }

  /** Settles when half a second of what comes is as is asked for: the share of its energy at a pitch (Goertzel), and the energy. */
  async #hearsIn(fits) {
    this.#heard = [];
    await this.#until(() => {
      const sound = this.#heard.map(linear);
      if (sound.length < HALF_SECOND) return false;
      const energy = sound.reduce((sum, x) => sum + x * x, 0);
      const share = (hz) => {
        const coefficient = 2 * Math.cos((2 * Math.PI * hz) / 8000);
        let [a, b] = [0, 0];
        for (const x of sound) [a, b] = [x + coefficient * a - b, a];
        return (2 * (a * a + b * b - coefficient * a * b)) / sound.length / energy;
      };
      return fits(share, energy / sound.length);
    });
    this.#heard = undefined;
  }

  get talks() {
    return this.#call !== undefined;
  }

  /** Settles when the other side has hung up. */
  get over() {
    return this.#until(() => this.#call === undefined);
  }

  #address(number) {
    return `<sip:${number}@127.0.0.1>`;
  }

  #sdp() {
    const port = this.#sound.address().port;
    return `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n`;
  }

  #text(method, uri, { callId, to, from, cseq, body = '', extra = [], branch = `z9hG4bK${token()}` }) {
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.host}:${this.port};branch=${branch};rport`,
      'Max-Forwards: 70',
      `From: ${from ?? `${this.#address(this.number)};tag=${token()}`}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:${this.number}@${this.host}:${this.port}>`,
      ...extra,
      ...(body ? ['Content-Type: application/sdp'] : []),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  }

  async #request(method, uri, parts) {
    const from = parts.from ?? `${this.#address(this.number)};tag=${token()}`;
    let extra = parts.extra ?? [];
    for (let tries = 0; ; tries++) {
      const cseq = this.#cseq++;
      const answer = await this.#exchange(method, this.#text(method, uri, { ...parts, from, cseq, extra }), parts.callId, cseq);
      if (method === 'INVITE' && answer.code >= 300) {
        const branch = answer.header('via').match(/branch=([^;]+)/)[1];
        this.#send(this.#text('ACK', uri, { ...parts, from, to: answer.header('to'), cseq, branch, body: '' }));
      }
      if ((answer.code !== 401 && answer.code !== 407) || tries > 1) return answer;
      extra = [...(parts.extra ?? []), this.#proof(method, uri, answer)];
    }
  }

  #proof(method, uri, answer) {
    const proxy = answer.code === 407;
    const offers = answer.headers(proxy ? 'proxy-authenticate' : 'www-authenticate');
    const offer = offers.find((o) => !/algorithm=/i.test(o) || /algorithm=MD5\b/i.test(o)) ?? offers[0];
    const part = (name) => new RegExp(`${name}="?([^",]+)`).exec(offer)?.[1];
    const sha = /SHA-256/i.test(part('algorithm') ?? '');
    const hash = sha ? (text) => createHash('sha256').update(text).digest('hex') : md5;
    const [realm, nonce, cnonce, nc] = [part('realm'), part('nonce'), token(), '00000001'];
    const secret = hash(`${this.number}:${realm}:${this.password}`);
    const response = hash(`${secret}:${nonce}:${nc}:${cnonce}:auth:${hash(`${method}:${uri}`)}`);
    return `${proxy ? 'Proxy-Authorization' : 'Authorization'}: Digest username="${this.number}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=${sha ? 'SHA-256' : 'MD5'}, cnonce="${cnonce}", nc=${nc}, qop=auth`;
  }

  #exchange(method, text, callId, cseq) {
    return new Promise((resolve, reject) => {
      let pause = T1_MS;
      let timer;
      const again = () => {
        this.#send(text);
        timer = setTimeout(again, pause);
        pause = Math.min(pause * 2, 4000);
      };
      const end = (why) => {
        clearTimeout(timer);
        clearTimeout(late);
        this.#asking.delete(end);
        reject(new Error(`${method} of ${this.number}: ${why}`));
      };
      const late = setTimeout(() => end('no answer'), PATIENCE_MS);
      this.#asking.add(end);
      this.#waiting.push((m) => {
        if (m.code === undefined || m.header('call-id') !== callId || m.cseq !== cseq) return false;
        clearTimeout(timer);
        if (m.code < 200) return false;
        clearTimeout(late);
        this.#asking.delete(end);
        resolve(m);
        return true;
      });
      again();
    });
  }

  #receive(text) {
    const m = read(text);
    if (m.code !== undefined) {
      this.#waiting = this.#waiting.filter((take) => !take(m));
      return;
    }
    if (m.method === 'ACK') return;
    // When the first call rang here; for how long others take to know of it.
    if (m.method === 'INVITE') this.rangAt ??= Date.now();
    if (m.method === 'INVITE' && this.answers) return this.#answer(m);
    if (m.method === 'BYE' || m.method === 'CANCEL') {
      clearInterval(this.#ticker);
      this.#call = undefined;
    }
    this.#reply(m, m.method === 'INVITE' ? '486 Busy Here' : '200 OK', m.header('to'));
  }

  #answer(m) {
    const to = /;tag=/.test(m.header('to')) ? m.header('to') : `${m.header('to')};tag=${token()}`;
    this.#reply(m, '200 OK', to, this.#sdp());
    const target = /<([^>]+)>/.exec(m.header('contact'))?.[1];
    this.#call = { callId: m.header('call-id'), target, to: m.header('from'), from: to };
    this.#talk(m.body);
  }

  #reply(m, status, to, body = '') {
    const lines = [
      `SIP/2.0 ${status}`,
      ...m.headers('via').map((v) => `Via: ${v}`),
      `From: ${m.header('from')}`,
      `To: ${to}`,
      `Call-ID: ${m.header('call-id')}`,
      `CSeq: ${m.header('cseq')}`,
      `Contact: <sip:${this.number}@${this.host}:${this.port}>`,
      ...(body ? ['Content-Type: application/sdp'] : []),
      `Content-Length: ${body.length}`,
      '',
      body,
    ];
    this.#send(lines.join('\r\n'));
  }

  /** A square wave in A-law, 20 ms a packet. */
  #talk(sdp) {
    const port = Number(/m=audio (\d+)/.exec(sdp)?.[1]);
    const packet = Buffer.alloc(12 + 160);
    packet[0] = 0x80;
    packet[1] = 8;
    packet.writeUInt32BE(randomBytes(4).readUInt32BE(), 8);
    const wave = 8000 / this.hz;
    for (let i = 0; i < 160; i++) packet[12 + i] = i % wave < wave / 2 ? 0xa5 : 0x25;
    let n = 0;
    clearInterval(this.#ticker);
    this.#ticker = setInterval(() => {
      packet.writeUInt16BE(n & 0xffff, 2);
      packet.writeUInt32BE((n * 160) >>> 0, 4);
      n++;
      this.#sent++;
      this.#sound.send(packet, port, '127.0.0.1');
    }, 20);
  }

  #send(text) {
    this.#socket.send(Buffer.from(text, 'latin1'), this.box.sip, '127.0.0.1');
  }

  async #until(holds) {
    const end = Date.now() + PATIENCE_MS;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`phone ${this.number}: what was awaited did not come`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }
}

const SHORT = { v: 'via', f: 'from', t: 'to', i: 'call-id', m: 'contact', l: 'content-length', c: 'content-type' };

function read(text) {
  const at = text.indexOf('\r\n\r\n');
  const [first, ...lines] = text.slice(0, at).split('\r\n');
  const all = lines.map((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    return [SHORT[name] ?? name, line.slice(colon + 1).trim()];
  });
  const headers = (name) => all.filter(([n]) => n === name).map(([, v]) => v);
  const header = (name) => headers(name)[0] ?? '';
  const code = /^SIP\/2\.0 (\d{3})/.exec(first)?.[1];
  return {
    code: code === undefined ? undefined : Number(code),
    method: code === undefined ? first.split(' ')[0] : undefined,
    cseq: Number(header('cseq').split(' ')[0]),
    body: text.slice(at + 4),
    header,
    headers,
  };
}
