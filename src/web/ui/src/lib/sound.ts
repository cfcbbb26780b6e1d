// Any sound file that the browser can read, as the WAV that the box keeps: one channel, 8,000 samples a second, 16 bit.

/** Longest prompt, seconds: what fits into one megabyte. */
export const LONGEST_S = 60;
const RATE = 8000;

/** Reads and converts; throws when the browser cannot read the file. */
export async function toWav(file: Blob): Promise<{ wav: Blob; seconds: number }> {
  const context = new OfflineAudioContext(1, 1, RATE);
  const read = await context.decodeAudioData(await file.arrayBuffer());
  const offline = new OfflineAudioContext(1, Math.max(1, Math.ceil(read.duration * RATE)), RATE);
  const source = offline.createBufferSource();
  source.buffer = read;
  source.connect(offline.destination);
  source.start();
  const sound = (await offline.startRendering()).getChannelData(0);
  return { wav: new Blob([wav(sound)], { type: 'audio/wav' }), seconds: read.duration };
}

function wav(sound: Float32Array): ArrayBuffer {
  const bytes = new DataView(new ArrayBuffer(44 + sound.length * 2));
  const word = (at: number, text: string) => [...text].forEach((c, i) => bytes.setUint8(at + i, c.charCodeAt(0)));
  word(0, 'RIFF');
  bytes.setUint32(4, 36 + sound.length * 2, true);
  word(8, 'WAVEfmt ');
  bytes.setUint32(16, 16, true);
  bytes.setUint16(20, 1, true);
  bytes.setUint16(22, 1, true);
  bytes.setUint32(24, RATE, true);
  bytes.setUint32(28, RATE * 2, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  word(36, 'data');
  bytes.setUint32(40, sound.length * 2, true);
  sound.forEach((s, i) => bytes.setInt16(44 + i * 2, Math.max(-1, Math.min(1, s)) * 32767, true));
  return bytes.buffer as ArrayBuffer;
}
