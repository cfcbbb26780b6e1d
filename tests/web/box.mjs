// Starts the real binary on free ports of the loopback with a data folder of its own, and talks to it as its operator
// does: over the local socket. Ends it and removes the folder afterwards.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** A start takes longer on a busy machine; a box that is not ready by then has failed. */
const READY_MS = 60_000;
/** What the box does by itself is done by then. */
const PATIENCE_MS = 20_000;
/** Sound ports of one box; each test file takes another block. */
const PORTS = 60;

const LOOPBACK = '127.0.0.1';
let boxes = 0;

export const PASSWORD = 'a short sentence 7';

/** Every caller hears a menu that leads to the queue `main` or to the mailbox of 101; everybody may call out. */
export const RECEPTION = `[[inbound]]
name = "Everything"
number = "!"
to = "flow:welcome"

[[outbound]]
name = "Everything"
number = "!"
trunks = ["carrier"]

[[flow]]
name = "welcome"
number = "700"
start = "menu"
[flow.step.menu]
kind = "menu"
say = ["welcome", "menu-main"]
option = { 1 = "queue", 9 = "message" }
on_timeout = "queue"
[flow.step.queue]
kind = "queue"
queue = "main"
[flow.step.message]
kind = "voicemail"
mailbox = "101"
`;

/** A site with two phones, a queue and a menu. Passwords are for these tests only. */
export const SITE = `
[system]
name = "Web test"
country = "DE"
language = "en"
time_zone = "Europe/Berlin"
announce_recording = false

[[schedule]]
name = "office"
week = { mon = "08:00-18:00", tue = "08:00-18:00" }

[[extension]]
number = "101"
name = "Reception"
password = "test-only-101-secret"
record = "always"
[extension.voicemail]

[[extension]]
number = "102"
name = "Anna Keller"
password = "test-only-102-secret"
record = "always"
[extension.voicemail]

[[agent]]
id = "102"
name = "Anna Keller"
extension = "102"

[[trunk]]
name = "carrier"
host = "192.0.2.10"
username = "4930123456"
password = "test-only-trunk-secret"

[[queue]]
name = "main"
number = "600"
agents = ["102"]
overflow = "voicemail:101"

[[campaign]]
name = "spring"
queue = "main"
lists = ["customers"]
caller_id = "+4930123456"
script = "Good morning, this is the web test."

${RECEPTION}`;

/** Whether nobody listens there. */
function isFree(port) {
  return new Promise((resolve) => {
    const s = net.createServer();
    s.on('error', () => resolve(false));
    s.listen(port, LOOPBACK, () => s.close(() => resolve(true)));
  });
}

/**
 * A block of ports that no other box has, of this test or of one beside it: three, and those of its sound from `low` on. The
 * three lie below what the system gives to whoever connects.
 */
async function freeBlock() {
  const block = (process.pid + 67 * boxes++) % 200;
  const first = 16_000 + 3 * block;
  return (await isFree(first)) ? { http_: first, https: first + 1, sip: first + 2, low: 21_000 + block * PORTS } : freeBlock();
}

/**
 * Starts a box. `site`: text of its first configuration; none = the built-in defaults. `ports`: of its sound. `host`: the
 * address of its pages and of the sound of browsers, else the loopback.
 */
export async function startBox({ site, ports = PORTS, host = LOOPBACK } = {}) {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), 'belfry-web-'));
  const { http_, https, sip, low } = await freeBlock();
  // Browsers send their sound to the port of HTTPS, at the address of SIP.
  const phones = host === LOOPBACK ? LOOPBACK : '0.0.0.0';
  const args = ['run', '--data', data, '--sip', `${phones}:${sip}`, '--http', `${host}:${http_}`];
  args.push('--https', `${host}:${https}`, '--rtp', `${low}-${low + ports - 1}`, '--media-address', '127.0.0.1');
  if (site) {
    const file = path.join(data, 'first.toml');
    fs.writeFileSync(file, site);
    args.push('--site', file);
  }
  const child = spawn(process.env.BELFRY_BIN, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the box is not ready after ${READY_MS} ms:\n${said}`)), READY_MS);
    const hear = (text) => {
      said += text;
      if (/^ready sip=/m.test(said)) {
        clearTimeout(late);
        resolve();
      }
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    child.once('exit', (code) => reject(new Error(`the box ended with ${code}:\n${said}`)));
  });
  const box = {
    sip,
    url: `https://${host}:${https}`,
    log: () => said,
    /** Asks over the local socket, as an administrator. */
    ask: (method, where, body) => ask(path.join(data, 'run/control.sock'), method, where, body),
    /** Asks again and again until the answer fits; for what the box does in its own time. */
    async until(what, ask, fits, patience = PATIENCE_MS) {
      for (const end = Date.now() + patience; ; ) {
        const last = await ask();
        if (fits(last)) return last;
        if (Date.now() > end) throw new Error(`waited in vain until ${what}: ${JSON.stringify(last)}`);
        await new Promise((done) => setTimeout(done, 50));
      }
    },
    /** Makes an administrator without the set-up page. */
    async admin(name = 'admin', role = 'admin', more = {}) {
      const made = await box.ask('PUT', `/users/${name}`, { role, password: PASSWORD, ...more });
      if (made.status >= 300) throw new Error(`user ${name}: ${made.status} ${made.text}`);
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      fs.rmSync(data, { recursive: true, force: true });
    },
  };
  return box;
}

/** One try to sign in over HTTPS from this address of the loopback; how long the answer took, ms. */
export function tryToSignIn(box, user, from) {
  const { hostname, port } = new URL(box.url);
  const body = JSON.stringify({ user, password: 'not the password' });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const where = { hostname, port, path: '/api/v1/login', method: 'POST', headers, localAddress: from, rejectUnauthorized: false };
    const request = https.request({ ...where, agent: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve({ status: answer.statusCode, ms: performance.now() - start }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

function ask(socketPath, method, where, body) {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const request = http.request({ socketPath, method, path: `/api/v1${where}`, headers: { host: 'localhost', ...headers } }, (answer) => {
      let got = '';
      answer.setEncoding('utf8').on('data', (part) => (got += part));
      answer.on('end', () => {
        let json;
        try {
          json = JSON.parse(got);
        } catch {
          json = undefined;
        }
        resolve({ status: answer.statusCode, text: got, json });
      });
    });
    request.on('error', reject);
    request.end(text);
  });
}
