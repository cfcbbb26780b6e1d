// The box's words as JSON: live views (model::notice) and records (model::record); the configuration and campaigns stand in
// files of their own. Times are wall milliseconds. Decides nothing.

import type { Config } from './types_config';

export * from './types_campaign';
export * from './types_config';

export type Wall = number;
export type Role = 'admin' | 'supervisor' | 'agent' | 'user';

export interface Session {
  user: string;
  role: Role;
  csrf: string;
  agent?: string | null;
  extension?: string | null;
  time_zone: string;
}

export interface Party {
  number: string;
  name: string;
}

export type Direction = 'inbound' | 'internal' | 'outbound';
export type Outcome =
  | 'open'
  | 'answered'
  | 'abandoned'
  | 'busy'
  | 'no_answer'
  | 'voicemail'
  | 'refused'
  | 'failed'
  | 'interrupted';

export interface CallView {
  call: number;
  direction: Direction;
  caller: Party;
  called: Party;
  trunk: string | null;
  stage: string;
  with: string;
  started: Wall;
  since: Wall;
  recording: boolean;
  recording_paused: boolean;
  muted: string[];
  others: OtherView[];
}

export interface OtherView {
  number: string;
  role: 'consult' | 'conference' | 'listen' | 'whisper' | 'take_over';
  ringing: boolean;
}

export type AgentStateName = 'logged_out' | 'not_ready' | 'ready' | 'offered' | 'talking' | 'wrap_up';

export interface AgentView {
  agent: string;
  name: string;
  extension: string;
  reachable: boolean;
  state: AgentStateName;
  reason?: string;
  since: Wall;
  cause: string;
  call: number | null;
  calls: number;
  missed: number;
  queues: string[];
  /** How the reason is shown, in English and Chinese. */
  reason_text?: [string, string];
  /** The pause lasts longer than its reason allows. */
  overdue?: boolean;
}

export interface WaitingView {
  call: number;
  caller: Party;
  since: Wall;
  /** They hung up and will be called back. */
  callback?: boolean;
}

export interface CallbackView {
  callback: number;
  caller: Party;
  since: Wall;
  state: 'waiting' | 'calling' | 'later';
  tries: number;
  next: Wall | null;
}

export interface QueueView {
  queue: string;
  waiting: WaitingView[];
  ready: number;
  busy: number;
  logged_in: number;
  offered: number;
  answered: number;
  abandoned: number;
  overflowed: number;
  in_level: number;
  wait_ms: number;
  wait_from_s: number | null;
  wait_to_s: number | null;
  promised?: number;
  callbacks?: CallbackView[];
}

export interface TrunkView {
  trunk: string;
  state: string;
  cause: string;
  detail: string;
  since: Wall;
  calls: number;
  capacity: number;
}

export interface ContactView {
  address: string;
  transport: string;
  user_agent: string;
  expires: Wall;
}

export interface PhoneView {
  extension: string;
  contacts: ContactView[];
  in_call: boolean;
  /** Who is logged in there instead of its owner. */
  guest?: string;
  /** The phone elsewhere at which the extension is logged in. */
  away?: string;
}

export interface MailboxView {
  mailbox: string;
  new: number;
  old: number;
}

export interface CheckView {
  check: string;
  kind: string;
  subject: string;
  state: 'good' | 'alarm';
  since: Wall;
  value: number | null;
  limit: number | null;
  unit: string;
  detail: string;
}

export interface SystemView {
  calls: number;
  call_limit: number;
  media: boolean;
  free_ports: number;
  draining: boolean;
  shed: number;
  generation: number;
}

export interface BanRecord {
  address: string;
  until: Wall;
  cause: string;
  failures: number;
}

export interface NoteRecord {
  at: Wall;
  level: string;
  kind: string;
  subject: string;
  text: string;
}

export interface MessageRecord {
  message: number;
  mailbox: string;
  call: number;
  caller: Party;
  at: Wall;
  ms: number;
  heard: boolean;
  mail_to?: string | null;
}

export interface CallRecord {
  call: number;
  direction: Direction;
  caller: Party;
  called: Party;
  trunk: string | null;
  queue: string | null;
  agent: string | null;
  answered_by: string | null;
  started: Wall;
  answered: Wall | null;
  ended: Wall | null;
  duration_ms: number;
  talk_ms: number;
  wait_ms: number;
  outcome: Outcome;
  cause: string;
}

export interface CallStep {
  call: number;
  seq: number;
  at: Wall;
  offset_ms: number;
  kind: string;
  detail: string;
}

export interface RecordingRecord {
  recording: number;
  call: number;
  started: Wall;
  left: string;
  right: string;
  ms?: number | null;
  hold?: { by: string; at: Wall } | null;
}

export interface Journey {
  record: CallRecord;
  steps: CallStep[];
  recordings: RecordingRecord[];
}


export interface Sentence {
  en: string;
  zh: string;
}

export interface SlotView {
  slot: string;
  version: string | null;
  running: boolean;
  bootable: boolean;
}

export interface SelfCall {
  at: Wall;
  ms: number;
  failed: 'signalling' | 'prompt' | 'media' | 'recording' | null;
  detail: string;
}

export interface UpdateView {
  impossible: Sentence | null;
  version: string;
  slots: SlotView[];
  unproven: boolean;
  waiting: string | null;
  bundle: { version: string; older: boolean; bytes: number } | null;
  work: { percent: number; step: Sentence } | null;
  refused: Sentence | null;
  restart_by: Wall | null;
  last: { result: 'kept' | 'taken_back' | 'rolled_back' | 'interrupted'; version: string; said: Sentence; at: Wall } | null;
  self_call: SelfCall | null;
}

export interface BackupItem {
  name: string;
  made: Wall;
  bytes: number;
  place: string;
}

export interface BackupState {
  configured: boolean;
  running: 'saving' | 'sending' | 'checking' | 'restoring' | null;
  next: Wall | null;
  last_good: BackupItem | null;
  last_failure: { at: Wall; why: string } | null;
  items: BackupItem[];
  uploaded: BackupItem[];
  public_key: string | null;
}

export interface BudgetUse {
  class: 'national' | 'international' | 'premium';
  used_s: number;
  limit_s: number | null;
  spent: boolean;
}

export interface BudgetView {
  scope: string;
  uses: BudgetUse[];
  calls: number;
}

export interface Alarm {
  mail_to: string[];
  webhook?: string;
  webhook_secret?: string;
  temperature_max_c: number;
  disk_free_min_percent: number;
  memory_free_min_percent: number;
  load_max_percent: number;
  trunk_down_s: number;
  phones_lost_max: number;
  certificate_min_days: number;
  backup_age_max_h: number;
}

export interface Stored {
  generation: number;
  config: Config;
}

export interface HistoryEntry {
  generation: number;
  at: Wall;
  by: string;
  summary: string;
}

export interface Change {
  path: string;
  old: unknown;
  new: unknown;
}

export interface User {
  name: string;
  role: Role;
  extension?: string | null;
  agent?: string | null;
}

export interface Token {
  name: string;
  role: Role | 'wall';
  created?: Wall | null;
  used?: Wall | null;
}

export interface Contact {
  contact: number;
  numbers: string[];
  name: string;
  company: string;
  class: string;
  language: 'en' | 'zh' | null;
  notes: string;
  fields: Record<string, string>;
  changed: Wall;
}

export interface Imported {
  taken: number;
  refused: number;
  lines: { line: number; problem: { field: string; code: string; message: string } }[];
}

/** What the desk shows while the phone rings. */
export interface Pop {
  number: string;
  contact: Contact | null;
  queue: string | null;
  waited_ms: number;
  script: string;
  wrap_codes: { code: string; name: string }[];
  calls: (CallRecord & { agent_name?: string | null })[];
  steps: CallStep[];
  page: string | null;
}

/** An update file on a USB stick. */
export interface StickBundle {
  name: string;
  bytes: number;
}

/** `GET /capture`. */
export interface CaptureView {
  running: boolean;
  started: Wall | null;
  ends: Wall | null;
  messages: number;
  bytes: number;
  lost: number;
  lines: CapturedLine[];
}

export interface CapturedLine {
  at: Wall;
  sent: boolean;
  transport: string;
  peer: string;
  first: string;
}
