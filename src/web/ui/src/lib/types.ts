// The box's words as JSON: live views (model::notice), records (model::record) and the configuration tree
// (model::config). Times are wall milliseconds. Decides nothing.

import type { Campaign } from './types_campaign';

export * from './types_campaign';

export type Wall = number;
export type Role = 'admin' | 'supervisor' | 'agent' | 'user';

export interface Session {
  user: string;
  role: Role;
  csrf: string;
  agent?: string | null;
  extension?: string | null;
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

// --- configuration -------------------------------------------------------------------------------------------------

export type Language = 'en' | 'zh';
export type Rights = 'internal' | 'national' | 'international' | 'premium';
export type RecordPolicy = 'never' | 'on_demand' | 'always';

export type HotDesk = 'no' | 'guests' | 'shared';

export interface Voicemail {
  pin?: string;
  email?: string;
  max_message_s?: number;
  max_messages?: number;
}

export interface Extension {
  number: string;
  name: string;
  user?: string;
  password?: string;
  contact?: string;
  language?: Language;
  outside_calls?: Rights;
  caller_id?: string;
  ring_timeout_s?: number;
  max_contacts?: number;
  sha256_only?: boolean;
  budget?: Limits | undefined;
  record?: RecordPolicy;
  voicemail?: Voicemail;
  supervisor?: boolean;
  hot_desk?: HotDesk;
  location?: string;
}

export interface Agent {
  id: string;
  name: string;
  extension: string;
  always_on?: boolean;
  skill?: Record<string, number>;
}

export type Strategy =
  | 'balanced'
  | 'fewest_calls'
  | 'in_order'
  | 'least_talk'
  | 'longest_idle'
  | 'random'
  | 'ring_all'
  | 'round_robin'
  | 'weighted';

export interface Distribution {
  ageing?: boolean;
  head_start_s?: number;
  class?: Record<string, number>;
  rule_places?: number;
  rule_rounding?: 'down' | 'half_even' | 'half_up' | 'up';
  reason?: PauseReason[];
}

/** Why agents take no calls. */
export interface PauseReason {
  name: string;
  en?: string;
  zh?: string;
  key?: string;
  paid?: boolean;
  limit_min?: number;
}

export interface WrapCode {
  code: string;
  name: string;
}

export interface SkillStep {
  after_s?: number;
  need?: Record<string, number>;
}

export interface Designated {
  caller: string;
  agents: string[];
  wait_s?: number;
}

export interface Queue {
  name: string;
  number?: string;
  strategy?: Strategy;
  agents: string[];
  ring_timeout_s?: number;
  wrap_up_s?: number;
  pause_after_misses?: number;
  music?: string;
  script?: string[];
  announce_position_s?: number;
  max_wait_s?: number;
  max_waiting?: number;
  overflow_when_empty?: boolean;
  overflow?: string;
  record?: RecordPolicy;
  service_level_s?: number;
  weight?: Record<string, number>;
  priority?: number;
  share?: number;
  skill?: SkillStep[];
  prefer?: ('familiar' | 'last_agent')[];
  prefer_wait_s?: number;
  designated?: Designated[];
  overflow_rule?: string[];
  announce_wait?: boolean;
  wrap_codes?: WrapCode[];
  wrap_code_required?: boolean;
  wrap_extend_s?: number;
  callback?: QueueCallback;
  decide?: QueueDecide;
}

/** A service outside that says which agent gets a caller. */
export interface QueueDecide {
  url: string;
  timeout_ms?: number;
  wait_s?: number;
}

/** Callers may hang up and keep their place. */
export interface QueueCallback {
  after_s?: number;
  tries?: number;
  retry_s?: number;
  expires_s?: number;
  confirm?: boolean;
  calls?: 'national' | 'international' | 'premium';
}

export interface Trunk {
  name: string;
  kind: 'register' | 'address';
  host: string;
  port?: number;
  transport?: 'udp' | 'tcp';
  domain?: string;
  username?: string;
  auth_username?: string;
  password?: string;
  addresses?: string[];
  caller_id?: string;
  number_format?: 'as_dialled' | 'e164' | 'e164_no_plus' | 'national';
  capacity?: number;
  budget?: Limits | undefined;
  register_expiry_s?: number;
  codecs?: string[];
  record?: RecordPolicy;
}

export interface Inbound {
  name: string;
  trunk?: string;
  number: string;
  class?: string;
  caller?: string;
  schedule?: string;
  language?: Language;
  to: string;
}

export interface Outbound {
  name: string;
  number: string;
  strip?: number;
  prepend?: string;
  trunks: string[];
  transit?: boolean;
}

export type StepKind =
  | 'callback'
  | 'collect'
  | 'condition'
  | 'extension'
  | 'hang_up'
  | 'hours'
  | 'language'
  | 'lookup'
  | 'menu'
  | 'play'
  | 'queue'
  | 'set'
  | 'speak'
  | 'survey'
  | 'table'
  | 'voicemail';

/** How a `condition` step looks at a field. */
export type FieldTest = 'above' | 'begins' | 'below' | 'contains' | 'is' | 'known';

/** A step as typed: which of the fields count depends on `kind`. */
export interface Step {
  kind: StepKind;
  say?: string[];
  min?: number;
  max?: number;
  timeout_s?: number;
  retries?: number;
  next?: string;
  otherwise?: string;
  number?: string;
  schedule?: string;
  open?: string;
  closed?: string;
  language?: Language;
  option?: Record<string, string>;
  on_timeout?: string;
  on_invalid?: string;
  queue?: string;
  after?: string;
  mailbox?: string;
  field?: string;
  test?: FieldTest;
  value?: string;
  then?: string;
  url?: string;
  timeout_ms?: number;
  text?: string;
  key?: string;
  row?: Record<string, string>;
}

export interface Flow {
  name: string;
  number?: string;
  start: string;
  step: Record<string, Step>;
}

export interface System {
  name: string;
  country: string;
  language: Language;
  time_zone: string;
  outside_prefix?: string;
  area_code?: string;
  realm?: string;
  sip_names?: string[];
  md5_phones?: string[];
  call_limit?: number;
  announce_recording?: boolean;
  emergency_notify?: string[];
}

export interface Network {
  host_name: string;
  interface?: string;
  vlan: number;
  ipv4: 'dhcp' | 'static' | 'off';
  ipv4_address?: string;
  ipv4_gateway?: string;
  ipv6: 'auto' | 'static' | 'off';
  ipv6_address?: string;
  ipv6_gateway?: string;
  dns: string[];
  mdns: boolean;
  dscp_sip: number;
  dscp_rtp: number;
}

export interface TimeSection {
  ntp: string[];
}

/** How the box stands on the LAN, and its clock (`GET /network`). */
export interface NetworkView {
  managed: boolean;
  addresses: string[];
  tried: { left_s: number; address: string | null; token: string | null; settings: Network } | null;
  undone: string | null;
  trouble: string | null;
  time: { at: Wall; trusted: boolean; synchronised: boolean; built: Wall; corrected_ms: number };
}

export interface Mail {
  host: string;
  port?: number;
  security?: 'none' | 'starttls' | 'tls';
  user?: string;
  password?: string;
  from: string;
}

export const FEATURES = [
  'echo',
  'announcement',
  'voicemail',
  'agent_login',
  'agent_ready',
  'agent_pause',
  'agent_wrap_up_done',
  'agent_wrap_code',
  'agent_wrap_extend',
  'agent_campaigns',
  'hot_desk',
  'supervise',
  'paging',
  'record',
  'record_pause',
] as const;
export type Features = Partial<Record<(typeof FEATURES)[number], string>>;

export interface Audio {
  music?: Record<string, string>;
  paging?: string;
  prompt?: Record<string, Partial<Record<Language, string>>>;
  voice?: string;
}

/** Answer of "try a call". */
export interface Forecast {
  steps: { offset_ms: number; kind: string; detail: string }[];
  end: string;
  with: string;
}

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];

export interface Schedule {
  name: string;
  week: Partial<Record<Day, string>>;
  holidays?: string[];
}

export interface Sftp {
  host: string;
  port?: number;
  user: string;
  folder?: string;
  host_key?: string;
}

export interface Backup {
  every?: 'day' | 'week' | 'never';
  at?: string;
  target?: string;
  keep?: number;
  recordings?: boolean;
  pass_phrase?: string;
  sftp?: Sftp;
}

export interface Retention {
  recordings_days: number;
  voicemail_days: number;
  call_records_days: number;
  alarm_percent: number;
  full_percent: number;
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

/** Minutes a day; 0 = no limit. */
export interface Limits {
  national_min?: number;
  international_min?: number;
  premium_min?: number;
}

export interface Budget {
  stop: boolean;
  extension: Limits;
  trunk: Limits;
  site: Limits;
  schedule?: string | undefined;
  closed_percent: number;
  at_once: number;
  warn_percent: number;
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

export interface Config {
  system: System;
  backup?: Backup;
  retention: Retention;
  alarm: Alarm;
  budget: Budget;
  network: Network;
  time: TimeSection;
  mail?: Mail;
  feature: Features;
  audio: Audio;
  schedule: Schedule[];
  extension: Extension[];
  agent: Agent[];
  trunk: Trunk[];
  inbound: Inbound[];
  outbound: Outbound[];
  distribution: Distribution;
  queue: Queue[];
  flow: Flow[];
  campaign?: Campaign[];
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
