// Which microphone and which speaker the phone in this browser uses. Kept in the browser, because the devices are this
// computer's. A device that is gone is not insisted on: the one of the system serves until it is back.

/** Which kind of device. */
export type Kind = 'audioinput' | 'audiooutput';

const KEPT: Record<Kind, string> = { audioinput: 'belfry.phone.microphone', audiooutput: 'belfry.phone.speaker' };

const s = $state<{ devices: MediaDeviceInfo[]; chosen: Record<Kind, string> }>({
  devices: [],
  chosen: {
    audioinput: localStorage.getItem(KEPT.audioinput) ?? '',
    audiooutput: localStorage.getItem(KEPT.audiooutput) ?? '',
  },
});

/** Not every browser lets a page choose where sound comes out. */
const SPEAKERS = 'setSinkId' in HTMLMediaElement.prototype;

/** Looks which devices there are; names are told once the microphone was given. Goes on looking while headsets come and go. */
export async function look(): Promise<void> {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  s.devices = devices.filter((d) => d.label !== '' && d.deviceId !== 'default' && d.deviceId !== 'communications');
  navigator.mediaDevices.ondevicechange = () => void look();
}

/** What can be chosen: address and name. Empty when there is nothing to choose. */
export function choices(kind: Kind): [string, string][] {
  const fitting = s.devices.filter((d) => d.kind === kind);
  if (fitting.length === 0 || (kind === 'audiooutput' && !SPEAKERS)) return [];
  return fitting.map((d) => [d.deviceId, d.label]);
}

/** The one that was chosen; empty = that of the system. */
export const chosen = (kind: Kind): string => s.chosen[kind];

export function choose(kind: Kind, device: string): void {
  s.chosen[kind] = device;
  if (device) localStorage.setItem(KEPT[kind], device);
  else localStorage.removeItem(KEPT[kind]);
}

/** The microphone of the phone. */
export function microphone(): Promise<MediaStream> {
  const device = s.chosen.audioinput;
  return navigator.mediaDevices.getUserMedia({
    audio: {
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
      ...(device ? { deviceId: { ideal: device } } : {}),
    },
  });
}

/** Sends sound to the chosen speaker. */
export async function aim(sound: HTMLAudioElement): Promise<void> {
  if (SPEAKERS) await sound.setSinkId(s.chosen.audiooutput).catch(() => sound.setSinkId('').catch(() => undefined));
}
