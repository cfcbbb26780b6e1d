// The phone in this browser: its socket to the box, its microphone and its sound. The box owns the state and says which
// tab is the phone; this only asks and shows. A reload in the middle of a call finds phone and call again: the tab keeps
// its name, offers its microphone anew, and the box joins the sound to the call that went on.
import * as headset from './headset.svelte';
import type { Text } from './i18n.svelte';
import { PH } from '../texts/phone';

export interface PhoneCall {
  stage: 'ringing' | 'dialing' | 'talking';
  number: string;
  name: string;
  since: number;
  heard: boolean;
}

interface View {
  extension: string;
  open: boolean;
  sound: boolean;
  registered: boolean;
  call?: PhoneCall;
}

type Refusal =
  | 'bad_offer'
  | 'too_many'
  | 'no_media'
  | 'bad_number'
  | 'not_now'
  | 'not_registered'
  | 'busy'
  | 'unknown'
  | 'forbidden'
  | 'no_answer'
  | 'failed';

type Tell =
  | ({ type: 'phone' } & View)
  | { type: 'elsewhere' }
  | { type: 'answer'; sdp: string }
  | { type: 'refused'; why: Refusal }
  | { type: 'pong' };

/** This tab wants to be the phone; kept across a reload. */
const ON = 'belfry.phone.on';
/** The tab's name; kept across a reload. */
const TAB = 'belfry.phone.tab';
const PING_MS = 5_000;
const RETRY_MS = 1_000;
/** Sound that does not flow by then is blocked on its way. */
const PATIENCE_MS = 10_000;

export type State = 'off' | 'starting' | 'on' | 'elsewhere';

const s = $state<{ state: State; view: View | null; up: boolean; trouble: Text | null; muted: boolean }>({
  state: 'off',
  view: null,
  up: false,
  trouble: null,
  muted: false,
});
let socket: WebSocket | null = null;
let peer: RTCPeerConnection | null = null;
let microphone: MediaStream | null = null;
let sound: HTMLAudioElement | null = null;
let offering = false;
let unanswered = 0;
let retry: ReturnType<typeof setTimeout> | undefined;
let patience: ReturnType<typeof setTimeout> | undefined;

export const phone = {
  get state(): State {
    return s.state;
  },
  get call(): PhoneCall | undefined {
    return s.view?.call;
  },
  get extension(): string {
    return s.view?.extension ?? '';
  },
  /** It can be called and heard. */
  get ready(): boolean {
    return s.up && (s.view?.registered ?? false) && (s.view?.sound ?? false);
  },
  /** The socket to the box is open. */
  get up(): boolean {
    return s.up;
  },
  get trouble(): Text | null {
    return s.trouble;
  },
  get muted(): boolean {
    return s.muted;
  },
};

function tabName(): string {
  const kept = sessionStorage.getItem(TAB);
  if (kept) return kept;
  const made = crypto.randomUUID();
  sessionStorage.setItem(TAB, made);
  return made;
}

/** The person wants this tab to be the phone. */
export async function start(): Promise<void> {
  s.trouble = null;
  if (!('RTCPeerConnection' in window) || !navigator.mediaDevices) {
    s.trouble = PH.noWebRtc;
    return;
  }
  s.state = 'starting';
  try {
    microphone ??= await headset.microphone();
  } catch (e) {
    s.trouble = whyNot(e);
    s.state = 'off';
    return;
  }
  for (const track of microphone.getTracks()) track.onended = unplugged;
  void headset.look();
  sessionStorage.setItem(ON, 'yes');
  open();
}

/** After a reload: the tab that was the phone is it again. */
export function resume(): void {
  if (s.state === 'off' && sessionStorage.getItem(ON)) void start();
}

/** The person wants no phone here any more. */
export function stop(): void {
  say({ type: 'off' });
  leave();
}

/** Closes everything of this tab; signing out does so too. */
export function leave(): void {
  sessionStorage.removeItem(ON);
  clearTimeout(retry);
  socket?.close();
  socket = null;
  hush();
  for (const track of microphone?.getTracks() ?? []) track.stop();
  microphone = null;
  Object.assign(s, { state: 'off', view: null, up: false });
}

export function take(): void {
  s.state = 'starting';
  say({ type: 'take' });
}

export function dial(to: string): void {
  s.trouble = null;
  say({ type: 'dial', to });
}

export function answer(): void {
  say({ type: 'answer' });
}

export function hangUp(): void {
  say({ type: 'hang_up' });
}

export function press(key: string): void {
  say({ type: 'key', key });
}

export function clearTrouble(): void {
  s.trouble = null;
}

export function setMuted(muted: boolean): void {
  s.muted = muted;
  for (const track of microphone?.getAudioTracks() ?? []) track.enabled = !muted;
}

/** Another microphone or speaker, also in the middle of a call. */
export async function useDevice(kind: headset.Kind, device: string): Promise<void> {
  headset.choose(kind, device);
  if (kind === 'audiooutput') {
    if (sound) await headset.aim(sound);
    return;
  }
  const before = microphone;
  try {
    microphone = await headset.microphone();
  } catch (e) {
    s.trouble = whyNot(e);
    return;
  }
  const [track] = microphone.getAudioTracks();
  if (track) {
    track.onended = unplugged;
    track.enabled = !s.muted;
    await peer?.getSenders()[0]?.replaceTrack(track);
  }
  for (const old of before?.getTracks() ?? []) {
    old.onended = null;
    old.stop();
  }
}

function whyNot(e: unknown): Text {
  const name = e instanceof DOMException ? e.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return PH.notAllowed;
  return name === 'NotFoundError' || name === 'OverconstrainedError' ? PH.noDevice : PH.deviceBusy;
}

/** The headset was pulled out: the call stays, its person is told. */
function unplugged(): void {
  microphone = null;
  s.trouble = PH.noDevice;
}

function open(): void {
  clearTimeout(retry);
  socket?.close();
  const ws = new WebSocket(`wss://${location.host}/api/v1/phone?tab=${tabName()}`);
  socket = ws;
  ws.onopen = () => {
    s.up = true;
    unanswered = 0;
  };
  ws.onmessage = (e: MessageEvent<string>) => {
    if (socket !== ws) return;
    unanswered = 0;
    hear(JSON.parse(e.data) as Tell);
  };
  ws.onclose = () => {
    if (socket !== ws) return;
    socket = null;
    s.up = false;
    // The sound goes on without it.
    if (s.state !== 'off') retry = setTimeout(open, RETRY_MS);
  };
}

function say(ask: Record<string, unknown>): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(ask));
}

function hear(tell: Tell): void {
  switch (tell.type) {
    case 'phone':
      s.view = tell;
      if (s.state === 'off') return;
      s.state = 'on';
      if (tell.sound) soundFlows();
      if (!tell.call) setMuted(false);
      if (!peer || !tell.open) void offer();
      return;
    case 'elsewhere':
      hush();
      s.view = null;
      s.state = 'elsewhere';
      return;
    case 'answer':
      offering = false;
      void peer?.setRemoteDescription({ type: 'answer', sdp: tell.sdp }).catch(() => (s.trouble = PH.bad_offer));
      return;
    case 'refused':
      refused(tell.why);
      return;
    case 'pong':
      return;
  }
}

function refused(why: Refusal): void {
  s.trouble = PH[why];
  if (!offering) return;
  hush();
  // The sound of the box starts again within seconds.
  if (why === 'no_media') setTimeout(() => void offer(), RETRY_MS);
}

/** Offers the microphone to the box. */
async function offer(): Promise<void> {
  if (offering || !microphone || s.state !== 'on') return;
  hush();
  offering = true;
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  peer = pc;
  for (const track of microphone.getAudioTracks()) pc.addTrack(track, microphone);
  pc.ontrack = (e) => play(e.streams[0] ?? new MediaStream([e.track]));
  pc.onconnectionstatechange = () => {
    // A network that came back with another address: the box takes a new offer for the same call.
    if (peer === pc && pc.connectionState === 'failed') void offer();
  };
  try {
    await pc.setLocalDescription(await pc.createOffer());
  } catch {
    offering = false;
    s.trouble = PH.bad_offer;
    return;
  }
  say({ type: 'offer', sdp: pc.localDescription?.sdp ?? '' });
  clearTimeout(patience);
  patience = setTimeout(() => {
    offering = false;
    if (peer === pc && pc.connectionState !== 'connected') s.trouble = PH.noRoute;
  }, PATIENCE_MS);
}

function soundFlows(): void {
  clearTimeout(patience);
  if (s.trouble === PH.noRoute || s.trouble === PH.no_media) s.trouble = null;
}

function play(stream: MediaStream): void {
  sound ??= new Audio();
  void headset.aim(sound);
  sound.srcObject = stream;
  void sound.play().catch(() => undefined);
}

function hush(): void {
  offering = false;
  clearTimeout(patience);
  peer?.close();
  peer = null;
  if (sound) sound.srcObject = null;
}

setInterval(() => {
  if (socket?.readyState !== WebSocket.OPEN) return;
  if (++unanswered > 2) socket.close();
  else say({ type: 'ping' });
}, PING_MS);
