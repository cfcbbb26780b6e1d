// The configuration tree as JSON (model::config). Part of `types`. Decides nothing.

import type { Alarm, Sentence, Wall } from './types';
import type { Campaign } from './types_campaign';

export type Language = 'en' | 'zh';
export type Rights = 'internal' | 'national' | 'international' | 'premium';
export type RecordPolicy = 'never' | 'on_demand' | 'always';

export type HotDesk = 'no' | 'guests' | 'shared';

export interface Voicemail {
  pin?: string;
  email?: string;
  max_message_s?: number;
  max_messages?: number;
  shared?: boolean;
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
  | 'application'
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
  words?: Record<string, string[]>;
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
  way?: Record<string, string>;
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
  contact_page?: string;
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
  trouble: Sentence | null;
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
  recogniser?: Recogniser;
}

/** Who understands what callers say to menus. */
export interface Recogniser {
  en?: string;
  zh?: string;
  answer_ms?: number;
  certainty_percent?: number;
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
