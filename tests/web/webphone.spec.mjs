// The phone in the browser: Chromium with a file for a microphone. Tones are measured at both ends, through a reload, a lost
// socket and a change of tabs; a menu understands its keys, and a voicemail keeps its sound.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { SITE, startBox } from './box.mjs';
import { launch, login, violations, visit } from './browser.mjs';
import { Phone } from './phone.mjs';

/** What the microphone hears. */
const SPOKEN = 1000;
/** What the telephone at the other end plays. */
const PLAYED = 400;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'belfry-tone-'));
let browser;
let box;
let desk;
before(async () => {
  const file = path.join(folder, 'tone.wav');
  fs.writeFileSync(file, wav());
  browser = await launch([
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${file}`,
    '--allow-loopback-in-peer-connection',
  ]);
  box = await startBox({ site: SITE });
  await box.admin();
  await box.admin('anna', 'user', { extension: '102' });
  desk = await new Phone(box, '101', 'test-only-101-secret').open();
  await desk.register();
});
after(async () => {
  desk?.close();
  await browser?.close();
  await box?.stop();
  fs.rmSync(folder, { recursive: true });
});

/** Ten seconds of the tone, one channel at 48 kHz. */
function wav() {
  const samples = 480_000;
  const bytes = Buffer.alloc(44 + samples * 2);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + samples * 2, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(48_000, 24);
  bytes.writeUInt32LE(96_000, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++) bytes.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * SPOKEN * i) / 48_000)), 44 + 2 * i);
  return bytes;
}

/** A page of Anna's whose phone is on; `cut` makes its socket to the phone unreachable. */
async function seatWithPhone(seat) {
  const { page } = seat;
  await page.addInitScript(() => {
    const Real = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      constructor(...rest) {
        super(...rest);
        window.lastPeer = this;
      }
    };
    // The page cleans what it hears of echo; here the tone itself is wanted.
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = () =>
      ask({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  });
  const line = { cut: false, open: [] };
  await page.routeWebSocket(/\/api\/v1\/phone/, (ws) => {
    if (line.cut) return ws.close();
    line.open.push(ws, ws.connectToServer());
  });
  return line;
}

async function turnOn(page) {
  await page.getByRole('button', { name: 'This browser is not a phone' }).click();
  await page.getByRole('button', { name: 'Use this browser as phone' }).click();
}
const isReady = (page) => page.getByText('102 is ready').waitFor();
const region = (page) => page.getByRole('region', { name: 'Phone' });

/** Settles when the browser hears this tone, as a spectrum shows it: the highest peak, and loud. */
async function hears(page, hz) {
  await page.waitForFunction(
    async (hz) => {
      const track = window.lastPeer?.getReceivers()[0]?.track;
      if (!track) return false;
      if (window.earTrack !== track) {
        window.earTrack = track;
        window.ear?.context.close();
        const context = new AudioContext({ sampleRate: 48_000 });
        await context.resume();
        window.ear = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
        context.createMediaStreamSource(new MediaStream([track])).connect(window.ear);
      }
      const level = new Float32Array(2048);
      window.ear.getFloatFrequencyData(level);
      const peak = level.indexOf(Math.max(...level));
      return level[peak] > -40 && Math.abs((peak * 48_000) / 4096 - hz) < 25;
    },
    hz,
    { polling: 50 },
  );
}

/** Settles when the other side has said something and is silent since, as a person waits for the end of a greeting. */
async function turn(page) {
  await page.evaluate(() => (window.heardAt = undefined));
  await page.waitForFunction(
    async () => {
      if (!window.voice) {
        const context = new AudioContext();
        await context.resume();
        window.voice = new AnalyserNode(context, { fftSize: 2048 });
        context.createMediaStreamSource(new MediaStream([window.lastPeer.getReceivers()[0].track])).connect(window.voice);
      }
      const sound = new Float32Array(2048);
      window.voice.getFloatTimeDomainData(sound);
      if (sound.some((x) => Math.abs(x) > 0.02)) window.heardAt = performance.now();
      return window.heardAt !== undefined && performance.now() - window.heardAt > 1_500;
    },
    undefined,
    { polling: 50 },
  );
}

/** Settles when so many seconds of the microphone have gone out from now on. */
async function speaks(page, seconds) {
  const sent = () =>
    page.evaluate(async () => {
      const stats = [...(await window.lastPeer.getStats()).values()];
      return stats.find((s) => s.type === 'outbound-rtp').packetsSent;
    });
  const end = (await sent()) + seconds * 50;
  await box.until('the speech has gone out', sent, (count) => count >= end);
}

test('the microphone is asked for, and without it the page says what to do', async () => {
  const seat = await visit(browser, box);
  await login(seat, 'anna');
  await turnOn(seat.page);
  await seat.page.getByText('The browser does not give the microphone to this page').waitFor();
  assert.deepEqual(await violations(seat.page), []);
  await seat.close();
});

test('the browser calls the echo, is called by a desk phone, and survives a reload, a lost socket and another tab', async (t) => {
  const seat = await visit(browser, box, { allow: ['microphone'] });
  const { page } = seat;
  const line = await seatWithPhone(seat);
  await login(seat, 'anna');
  await turnOn(page);
  await isReady(page);

  await page.getByPlaceholder('Number to call').fill('*43');
  const dialled = performance.now();
  await page.getByRole('button', { name: 'Call', exact: true }).click();
  await hears(page, SPOKEN);
  const spoken = await page.evaluate(async () => {
    const stats = [...(await window.lastPeer.getStats()).values()];
    const sent = stats.find((s) => s.type === 'outbound-rtp');
    return stats.find((s) => s.id === sent.codecId).mimeType;
  });
  assert.equal(spoken, 'audio/opus', 'the browser speaks what it likes best');
  t.diagnostic(`own tone back from the echo ${Math.round(performance.now() - dialled)} ms after the click`);
  await region(page).getByRole('button', { name: 'Hang up' }).click();
  await isReady(page);

  const called = desk.call('102');
  await page.getByText('Somebody calls').waitFor();
  await region(page).getByText('Reception').waitFor();
  const answered = performance.now();
  await page.getByRole('button', { name: 'Answer' }).click();
  await called;
  await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);
  t.diagnostic(`tones at both ends ${Math.round(performance.now() - answered)} ms after the answer`);
  assert.deepEqual(await violations(page), []);

  await page.reload();
  const reloaded = performance.now();
  await page.getByText('Talking', { exact: true }).waitFor();
  await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);
  t.diagnostic(`tones again ${Math.round(performance.now() - reloaded)} ms after the reload`);

  line.cut = true;
  for (const ws of line.open) ws.close();
  await page.getByText('Connection to the box lost; the call goes on').waitFor();
  for (const end = performance.now() + 10_000; performance.now() < end; ) {
    await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);
  }
  line.cut = false;
  await page.getByText('Talking', { exact: true }).waitFor();
  await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);

  const other = await page.context().newPage();
  await seatWithPhone({ page: other });
  await other.goto(box.url);
  await turnOn(other);
  await other.getByText('The phone is in another tab or browser.').waitFor();
  await other.getByRole('button', { name: 'Use it here' }).click();
  await page.getByText('The phone is in another tab or browser.').waitFor();
  await Promise.all([hears(other, PLAYED), desk.hears(SPOKEN)]);
  assert.ok(desk.talks, 'the call has been one and the same');
  await region(other).getByRole('button', { name: 'Hang up' }).click();
  await desk.over;
  await isReady(other);
  await seat.close();
});

test('a menu understands the keys of the page, and a voicemail keeps its sound', async () => {
  const seat = await visit(browser, box, { allow: ['microphone'] });
  const { page } = seat;
  await seatWithPhone(seat);
  await login(seat, 'anna');
  await turnOn(page);
  const take = page.getByRole('button', { name: 'Use it here' });
  await page.getByText('102 is ready').or(take).waitFor();
  if (await take.isVisible()) await take.click();
  await isReady(page);
  await page.getByPlaceholder('Number to call').fill('700');
  await page.getByRole('button', { name: 'Call', exact: true }).click();
  await page.getByText('Talking', { exact: true }).waitFor();
  await region(page).getByRole('button', { name: 'Keys' }).click();
  await region(page).getByRole('button', { name: 'Key 9' }).click();
  const kept = async () => (await box.ask('GET', '/messages?mailbox=101')).json;
  const calls = async () => (await box.ask('GET', '/calls')).json;
  await box.until('the caller is at the mailbox', calls, (all) => all[0]?.stage === 'voicemail');
  await turn(page);
  await speaks(page, 3);
  await region(page).getByRole('button', { name: 'Hang up' }).click();
  const [message] = await box.until('the message is kept', kept, (all) => all.length === 1);
  assert.ok(message.ms > 1000 && message.caller.number === '102', JSON.stringify(message));
  await seat.close();
});
