// The phone in the browser as tests use it: Chromium with a tone for a microphone, and an ear for what it plays.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { wav } from './tone.mjs';

/** What the microphone hears, Hz. */
export const SPOKEN = 1000;
/** What the telephone at the other end plays, Hz. */
export const PLAYED = 400;

/** Flags of a Chromium whose microphone hears the tone. */
export function microphone() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'belfry-tone-'));
  after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'tone.wav');
  // Ten seconds; Chromium plays them again and again.
  fs.writeFileSync(file, wav(480_000, 48_000, SPOKEN));
  return ['--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${file}`, '--allow-loopback-in-peer-connection'];
}

/** A page of Anna's whose phone is on; `cut` makes its socket to the phone unreachable. */
export async function seatWithPhone(seat) {
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
    navigator.mediaDevices.getUserMedia = ({ audio }) =>
      ask({ audio: { ...audio, echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  });
  const line = { cut: false, open: [] };
  await page.routeWebSocket(/\/api\/v1\/phone/, (ws) => {
    if (line.cut) return ws.close();
    line.open.push(ws, ws.connectToServer());
  });
  return line;
}

export async function turnOn(page) {
  await page.getByRole('button', { name: 'This browser is not a phone' }).click();
  await page.getByRole('button', { name: 'Use this browser as phone' }).click();
}
export const isReady = (page) => page.getByText('102 is ready').waitFor();
export const region = (page) => page.getByRole('region', { name: 'Phone' });

/** Settles when the browser hears this tone, as a spectrum shows it: the highest peak, and loud. */
export async function hears(page, hz) {
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
