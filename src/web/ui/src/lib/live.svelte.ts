// Live data of the box over one WebSocket per tab: each topic is a snapshot and then numbered deltas. A gap in the
// numbers asks for a new snapshot; a lost link is tried again with growing, scattered pauses; data older than three
// seconds after a loss is marked stale. Sends no commands (those go over REST).
import { SvelteMap } from 'svelte/reactivity';
import { session, stillIn } from './session.svelte';
import { learn } from './time.svelte';
import type {
  AgentView,
  BanRecord,
  BudgetView,
  CallView,
  CampaignView,
  CheckView,
  MailboxView,
  MessageRecord,
  OutreachView,
  NoteRecord,
  PhoneView,
  QueueView,
  SystemView,
  TrunkView,
  UpdateView,
} from './types';

export interface Topics {
  system: SystemView;
  calls: CallView;
  campaigns: CampaignView;
  outreach: OutreachView;
  agents: AgentView;
  queues: QueueView;
  trunks: TrunkView;
  health: CheckView;
  phones: PhoneView;
  mailboxes: MailboxView;
  messages: MessageRecord;
  bans: BanRecord;
  budgets: BudgetView;
  notes: NoteRecord;
  config: { generation: number };
  update: UpdateView;
}
export type TopicName = keyof Topics;

/** What a page holds of a topic. */
export class Topic<T> {
  readonly items = new SvelteMap<string, T>();
  /** A snapshot has come. */
  ready = $state(false);
  /** The role may not see it. */
  forbidden = $state(false);
  users = 0;
  id = 0;
  rev = -1;
  constructor(readonly name: TopicName) {}
  get list(): T[] {
    return [...this.items.values()];
  }
}

interface Frame {
  type: 'hello' | 'snap' | 'delta' | 'err' | 'pong' | 'bye' | 'ack';
  id?: number;
  rev?: number;
  now?: number;
  data?: Record<string, unknown>;
  up?: Record<string, unknown>;
  del?: (string | number)[];
  code?: string;
  reason?: string;
}

/** A dead link is noticed after two of these without an answer. */
const PING_MS = 15_000;
const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 10_000;
/** Numbers stay black this long after a loss; most losses end sooner. */
const STALE_MS = 3_000;
/** What a page showed is kept up to date so long after it was left: people go back and forth between a few pages. */
const LINGER_MS = 30_000;
/** A tab nobody looks at lets the box rest after this. */
const HIDDEN_MS = 60_000;

const topics = new Map<TopicName, Topic<never>>();
const link = $state<{ up: boolean; stale: boolean; lastAt: number }>({ up: false, stale: false, lastAt: Date.now() });
let socket: WebSocket | null = null;
let wanted = false;
let nextId = 1;
let pause = PAUSE_MIN_MS;
let retry: ReturnType<typeof setTimeout> | undefined;
let staleTimer: ReturnType<typeof setTimeout> | undefined;
let hideTimer: ReturnType<typeof setTimeout> | undefined;
let unanswered = 0;
/** Somebody touched the page since the last ping. */
let active = true;

export const isUp = (): boolean => link.up;
/** The link is lost and what is shown is old. */
export const isStale = (): boolean => link.stale;
/** When the box was last heard, browser clock. */
export const lastHeard = (): number => link.lastAt;

/** Subscribes the calling component to a topic while it is on the page. */
export function use<N extends TopicName>(name: N): Topic<Topics[N]> {
  const topic = (topics.get(name) ?? new Topic<Topics[N]>(name)) as Topic<Topics[N]>;
  topics.set(name, topic as Topic<never>);
  $effect(() => {
    if (topic.users++ === 0) subscribe(topic as Topic<never>);
    return () => {
      // A page change hands topics over; whoever comes back finds them as they are now.
      setTimeout(() => {
        if (--topic.users === 0) unsubscribe(topic as Topic<never>);
      }, LINGER_MS);
    };
  });
  return topic;
}

/** Opens the link; called once we are signed in. */
export function connect(): void {
  wanted = true;
  if (!socket) open();
}

/** Closes the link and forgets what was shown. */
export function disconnect(): void {
  wanted = false;
  clearTimeout(retry);
  socket?.close();
  for (const topic of topics.values()) forget(topic);
}

let otherWork: () => boolean = () => false;

/** Whoever works in another way than as agent says so: the phone in this browser. */
export function alsoAtWork(check: () => boolean): void {
  otherWork = check;
}

/** An agent at work is there although nobody touches the page: the phone is what they use. */
function atWork(): boolean {
  if (otherWork()) return true;
  const mine = (topics.get('agents') as Topic<AgentView> | undefined)?.items.get(session()?.agent ?? '');
  return mine !== undefined && mine.state !== 'logged_out';
}

function forget(topic: Topic<never>): void {
  topic.items.clear();
  topic.ready = false;
  topic.rev = -1;
}

function open(): void {
  const s = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/live`);
  socket = s;
  s.onopen = () => {
    link.up = true;
    unanswered = 0;
    for (const topic of topics.values()) if (topic.users > 0) subscribe(topic);
  };
  s.onmessage = (e: MessageEvent<string>) => {
    unanswered = 0;
    link.lastAt = Date.now();
    receive(JSON.parse(e.data) as Frame);
  };
  s.onclose = () => {
    if (socket !== s) return;
    socket = null;
    link.up = false;
    clearTimeout(staleTimer);
    staleTimer = setTimeout(() => (link.stale = !link.up), STALE_MS);
    if (!wanted) return;
    clearTimeout(retry);
    retry = setTimeout(open, pause * (0.5 + Math.random()));
    pause = Math.min(pause * 2, PAUSE_MAX_MS);
  };
}

function send(frame: Record<string, unknown>): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}

function subscribe(topic: Topic<never>): void {
  topic.id = nextId++;
  topic.rev = -1;
  send({ type: 'sub', id: topic.id, topic: topic.name });
}

function unsubscribe(topic: Topic<never>): void {
  send({ type: 'unsub', id: topic.id });
  topic.id = 0;
  forget(topic);
}

function receive(frame: Frame): void {
  if (frame.now !== undefined) learn(frame.now);
  pause = PAUSE_MIN_MS;
  link.stale = false;
  if (frame.type === 'bye' && frame.reason === 'signed_out') {
    wanted = false;
    void stillIn();
    return;
  }
  const topic = frame.id === undefined ? undefined : [...topics.values()].find((t) => t.id === frame.id);
  if (!topic) return;
  if (frame.type === 'snap') {
    const data = (frame.data ?? {}) as Record<string, never>;
    for (const key of topic.items.keys()) if (!(key in data)) topic.items.delete(key);
    for (const [key, value] of Object.entries(data)) topic.items.set(key, value);
    topic.rev = frame.rev ?? 0;
    topic.ready = true;
    topic.forbidden = false;
  } else if (frame.type === 'delta') {
    if (topic.rev < 0) return;
    if (frame.rev !== topic.rev + 1) {
      send({ type: 'unsub', id: topic.id });
      subscribe(topic);
      return;
    }
    topic.rev = frame.rev;
    for (const [key, value] of Object.entries((frame.up ?? {}) as Record<string, never>)) topic.items.set(key, value);
    for (const key of frame.del ?? []) topic.items.delete(String(key));
  } else if (frame.type === 'err') {
    topic.forbidden = frame.code === 'forbidden';
    topic.ready = true;
  }
}

setInterval(() => {
  if (!socket || socket.readyState !== WebSocket.OPEN) return;
  if (++unanswered > 2) socket.close();
  else send({ type: 'ping', active: active || atWork() });
  active = false;
}, PING_MS);

// A session ends when nobody has touched the page for a while; the box cannot see that by itself.
for (const sign of ['pointerdown', 'keydown'] as const) addEventListener(sign, () => (active = true), { passive: true });

document.addEventListener('visibilitychange', () => {
  clearTimeout(hideTimer);
  if (document.hidden) {
    hideTimer = setTimeout(() => {
      for (const topic of topics.values()) if (topic.id) send({ type: 'unsub', id: topic.id });
      for (const topic of topics.values()) topic.id = 0;
    }, HIDDEN_MS);
  } else {
    for (const topic of topics.values()) if (topic.users > 0 && topic.id === 0) subscribe(topic);
    if (wanted && !socket) {
      clearTimeout(retry);
      open();
    }
  }
});
