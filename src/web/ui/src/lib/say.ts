// Small sentences made of the box's views, shared by pages.
import type { Level } from '../kit/State.svelte';
import { C } from '../texts/common';
import { STEP, STEP_BARE, causeText, word } from '../texts/words';
import { t } from './i18n.svelte';
import type { AgentStateName, CallStep, Outcome, Party } from './types';

/** `Anna Keller · 102`, one of both, or that it is withheld. */
export function who(party: Party): string {
  if (party.name && party.number && party.name !== party.number) return `${party.name} · ${party.number}`;
  return party.name || party.number || t(C.unknownCaller);
}

export function stepText(step: CallStep): string {
  const detail = step.kind === 'ended' ? causeText(step.detail) : step.detail;
  return detail ? word(STEP, step.kind, { d: detail }) : word(STEP_BARE, step.kind);
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
  if (stage === 'bridged' || stage === 'voicemail' || stage === 'service') return 'ok';
  if (stage === 'queued' || stage === 'held') return 'warn';
  return 'busy';
}
