// The box's words about campaigns and their lists as JSON (model::campaign). Part of `types`. Decides nothing.

import type { Wall } from './types';

export type DialForm = 'manual' | 'preview' | 'progressive' | 'predictive' | 'automatic';

export interface Campaign {
  name: string;
  queue: string;
  lists: string[];
  form?: DialForm;
  profile?: 'china' | 'eu' | 'uk' | 'us';
  caller_id: string;
  outside_calls?: string;
  flow?: string;
  identity?: string;
  hours?: string;
  ring_s?: number;
  attempts_max?: number;
  attempts_day?: number;
  abandoned_permille?: number;
  lines_max?: number;
  calls_per_second?: number;
  protects: string[];
  protect_percent?: number;
  resume_percent?: number;
  whisper?: boolean;
  detect_machines?: boolean;
  machines?: Machines;
  script: string;
  plain?: { multiple_percent?: number; queue_limit?: number; per_agent?: number } | null;
  again?: Partial<Record<CallResult, string>>;
  disposition?: Disposition[];
}

/** How machines are told from persons, and what is done with them. */
export interface Machines {
  message?: string;
  certainty_permille?: number;
  talk_ms?: number;
  pause_ms?: number;
  silence_ms?: number;
  longest_ms?: number;
  beep_s?: number;
}

export interface Hand {
  value: number;
  until: Wall;
  reason: string;
  by: string;
}

export interface CampaignView {
  campaign: string;
  queue: string;
  left: string[];
  steering: { running: boolean; form: DialForm | null; coefficient: Hand | null; free_agents: Hand | null };
  form: DialForm;
  works_as: DialForm;
  held: string;
  agents: number;
  free: number;
  talking: number;
  wrap_up: number;
  free_thought: number;
  lines: number;
  ready: number;
  attempts: number;
  live: number;
  abandoned: number;
  results: Record<string, number>;
  live_30: number;
  abandoned_30: number;
  rate_low: number;
  rate_high: number;
  rate_max: number;
  talk_ms: number;
  wrap_ms: number;
  work_ms: number;
  refused: Record<string, number>;
  changed: [Wall, string, string] | null;
}

export type CallResult =
  | 'abandoned'
  | 'busy'
  | 'fax'
  | 'flow_done'
  | 'hung_up'
  | 'invalid'
  | 'machine'
  | 'message_left'
  | 'network'
  | 'no_answer'
  | 'refused'
  | 'talked'
  | 'unreachable';

export interface Disposition {
  word: string;
  name: string;
  then: 'callback' | 'do_not_call' | 'done' | 'retry' | 'wrong_number';
}

/** A campaign's entry at an agent's desk. */
export interface OutreachView {
  agent: string;
  campaign: string;
  form: DialForm;
  call: number | null;
  stage: 'preview' | 'dialling' | 'talking' | 'wrap_up';
  entry: number;
  number: string;
  name: string;
  fields: Record<string, string>;
  script: string;
  dispositions: Disposition[];
  since: Wall;
}

export interface ListRow {
  list: string;
  at: Wall;
  by: string;
  file: string;
  rows: number;
  taken: number;
  rejected: number;
  open: number;
  done: number;
}

export interface ListImported {
  rows: number;
  taken: number;
  rejected: number;
  reasons: Record<string, number>;
}

export interface DialRow {
  rule: string;
  setting: number | null;
  utilisation: number;
  utilisation_ci: number;
  abandoned: number;
  abandoned_ci: number;
  contacts: number;
  dials: number;
}

export interface DialForecast {
  runs: number;
  rows: DialRow[];
}

export interface DialWorld {
  attempts: number;
  live_percent: number;
  machine_percent: number;
  busy_percent: number;
  invalid_percent: number;
  ring_s: number;
  talk_s: number;
  talk_cv: number;
}

export interface BarredImported {
  rows: number;
  taken: number;
  known: number;
  rejected: number;
  rejects: { line: number; text: string; reason: string }[];
}

export interface Barred {
  number: string;
  at: Wall;
  by: string;
  listed: boolean;
}
