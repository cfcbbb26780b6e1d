// Small sentences made of the box's views, shared by pages.
import type { Level } from '../kit/State.svelte';
import { C } from '../texts/common';
import { D } from '../texts/destination';
import { REASON, STEP, STEP_BARE, STEP_ODD, causeText, word } from '../texts/words';
import { t, type Text } from './i18n.svelte';
import type { AgentStateName, CallStep, Outcome, Party } from './types';

/** `Anna Keller · 102`, one of both, or that it is withheld. */
export function who(party: Party): string {
  if (party.name && party.number && party.name !== party.number) return `${party.name} · ${party.number}`;
  return party.name || party.number || t(C.unknownCaller);
}

/** Why an agent takes no calls: the site's own text, a word of the box, or what was typed. */
export function reasonText(a: { reason?: string; reason_text?: [string, string] }): string {
  return a.reason_text ? t(a.reason_text) : word(REASON, a.reason ?? '');
}

/** Two parts of the box may note the same step at the same moment; people see it once. */
const SAME_MS = 100;

export function onceEach(steps: CallStep[]): CallStep[] {
  return steps.filter((step, i) => {
    const before = steps[i - 1];
    return !(
      before?.kind === step.kind &&
      before.detail === step.detail &&
      step.offset_ms - before.offset_ms < SAME_MS
    );
  });
}

/** A step of a journey as a sentence. */
export function stepText(step: CallStep): string {
  const { kind, detail } = step;
  const odd = oddText(kind, detail);
  if (odd !== null) return odd;
  if (!detail || kind === 'recording' || kind === 'message') return word(STEP_BARE, kind);
  const causes = ['ended', 'refused', 'flow'].includes(kind);
  return word(STEP, kind, { d: causes ? causeText(detail) : detail });
}

/** Details that are words of the box rather than names. */
function oddText(kind: string, detail: string): string | null {
  if (kind === 'message' && detail === 'too short') return t(STEP_ODD.short);
  if (kind === 'voicemail') {
    if (detail === 'listen') return t(STEP_ODD.listen);
    if (detail === 'wrong pin') return t(STEP_ODD.pin);
    if (detail.startsWith('opened ')) return t(STEP_ODD.opened, { d: detail.slice(7) });
  }
  if (kind === 'prompt') {
    const [name = '', word_] = detail.split(': ');
    if (word_ === 'speak') return t(STEP_ODD.promptSpeak, { d: name });
    if (word_ === 'recorded') return t(STEP_ODD.promptRecorded, { d: name });
    if (word_ === 'kept') return t(STEP_ODD.promptKept, { d: name });
  }
  if (kind === 'hours') {
    const [name = '', word_] = detail.split(': ');
    if (word_ === 'open') return t(STEP_ODD.open, { d: name });
    if (word_ === 'closed') return t(STEP_ODD.closed, { d: name });
  }
  if (kind === 'missed' && detail.endsWith(' says nothing')) return t(STEP_ODD.silent, { d: detail.slice(0, -13) });
  if (kind === 'outside' && /^[+\d*#]+$/.test(detail)) return t(STEP_ODD.number, { d: detail });
  if (kind === 'overflow') {
    const found = /^(\S+) \((\w+)\)$/.exec(detail);
    const why = found?.[2] ? OVERFLOW_WHY[found[2]] : undefined;
    if (found?.[1] && why) return t(STEP.overflow, { d: `${causeText(why)} → ${placeText(found[1])}` });
  }
  return null;
}

const OVERFLOW_WHY: Record<string, string> = {
  Empty: 'no agent logged in',
  Full: 'queue full',
  Removed: 'queue removed',
  TooLong: 'waited too long',
};

/** A destination without the configuration at hand. */
function placeText(to: string): string {
  const [kind = '', name = ''] = to.split(':');
  const text = (D as Record<string, Text>)[kind];
  return text ? t(text, { name }) : to;
}

export function trunkLevel(state: string): Level {
  return state === 'up' ? 'ok' : state === 'trying' ? 'warn' : 'bad';
}

const AGENT_LEVEL: Record<AgentStateName, Level> = {
  logged_out: 'off',
  not_ready: 'warn',
  ready: 'ok',
  offered: 'busy',
  talking: 'busy',
  wrap_up: 'busy',
};
export const agentLevel = (state: AgentStateName): Level => AGENT_LEVEL[state] ?? 'off';

const OUTCOME_LEVEL: Record<Outcome, Level> = {
  open: 'busy',
  answered: 'ok',
  voicemail: 'ok',
  abandoned: 'warn',
  busy: 'off',
  no_answer: 'off',
  refused: 'warn',
  failed: 'bad',
  interrupted: 'bad',
};
export const outcomeLevel = (outcome: Outcome): Level => OUTCOME_LEVEL[outcome] ?? 'off';

export function stageLevel(stage: string): Level {
  if (stage === 'bridged' || stage === 'conference' || stage === 'voicemail' || stage === 'service') return 'ok';
  if (stage === 'queued' || stage === 'held' || stage === 'consulting') return 'warn';
  return 'busy';
}
