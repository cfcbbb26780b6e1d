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

/**
 * A page of Anna's whose phone is on; `cut` makes its socket to the phone unreachable. `codec`: the only one that its
 * browser offers, as `audio/G722`; else it offers what it likes.
 */
export async function seatWithPhone(seat, { codec } = {}) {
  const { page } = seat;
  await page.addInitScript((codec) => {
    const Real = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      constructor(...rest) {
        super(...rest);
        window.lastPeer = this;
      }
      createOffer(...rest) {
        if (codec) {
          const only = RTCRtpReceiver.getCapabilities('audio').codecs.filter((c) => c.mimeType === codec);
          for (const line of this.getTransceivers()) line.setCodecPreferences(only);
        }
        return super.createOffer(...rest);
      }
    };
    // The page cleans what it hears of echo; here the tone itself is wanted.
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = ({ audio }) =>
      ask({ audio: { ...audio, echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  }, codec);
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
/** What the browser sends, as `audio/opus`. */
export const spoken = (page) =>
  page.evaluate(async () => {
    const stats = [...(await window.lastPeer.getStats()).values()];
    const sent = stats.find((s) => s.type === 'outbound-rtp');
    return stats.find((s) => s.id === sent.codecId).mimeType;
  });
export const isReady = (page) => page.getByText('102 is ready').waitFor();
export const region = (page) => page.getByRole('region', { name: 'Phone' });

/** Settles when the browser hears this tone, as a spectrum shows it: the highest peak, and loud. */
export const hears = (page, hz) => listens(page, { peak: hz });

/** Settles when the browser hears all of these tones and none of those. */
export const hearsOf = (page, tones, others) => listens(page, { tones, others });

async function listens(page, wanted) {
  await page.waitForFunction(
    async ({ peak: hz, tones, others }) => {
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
      if (tones) {
        const at = (hz) => Math.max(...level.slice(Math.floor((hz * 4096) / 48_000) - 1, Math.ceil((hz * 4096) / 48_000) + 2));
        return tones.every((t) => at(t) > -40) && others.every((t) => at(t) < -50);
      }
      const peak = level.indexOf(Math.max(...level));
      return level[peak] > -40 && Math.abs((peak * 48_000) / 4096 - hz) < 25;
    },
    wanted,
    { polling: 50 },
  );
}
