// Tones of the phone in the browser: the bell of a call that comes, and the ringing tone while nobody at the other end
// makes one. Made here, no file.

let context: AudioContext | null = null;
let stopLast: (() => void) | null = null;

export type Tone = 'bell' | 'ringback';

/** Tone, and its seconds on and off. */
const SHAPE: Record<Tone, { hz: readonly number[]; on: number; off: number; gain: number }> = {
  bell: { hz: [660, 880], on: 1, off: 2, gain: 0.2 },
  ringback: { hz: [425], on: 1, off: 4, gain: 0.08 },
};

/** Sounds a tone until the next call; `null` is silence. */
export function sound(tone: Tone | null): void {
  stopLast?.();
  stopLast = null;
  if (!tone) return;
  const { hz, on, off, gain } = SHAPE[tone];
  context ??= new AudioContext();
  const c = context;
  // A page nobody has touched may not sound; the ringing is on the screen too.
  void c.resume().catch(() => undefined);
  const once = () => {
    const level = c.createGain();
    level.gain.value = gain;
    level.connect(c.destination);
    for (const [i, f] of hz.entries()) {
      const o = c.createOscillator();
      o.frequency.value = f;
      o.connect(level);
      const part = on / hz.length;
      o.start(c.currentTime + i * part);
      o.stop(c.currentTime + (i + 1) * part);
    }
    return level;
  };
  let playing = once();
  const timer = setInterval(() => (playing = once()), (on + off) * 1000);
  stopLast = () => {
    clearInterval(timer);
    playing.disconnect();
  };
}
