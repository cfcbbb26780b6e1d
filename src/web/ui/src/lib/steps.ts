// How a step and a way are said and drawn, the same in the outline and in the diagram.
import type { IconName } from '../kit/icons';
import { A } from '../texts/application';
import { C } from '../texts/common';
import { F, TEST } from '../texts/numbers';
import type { Way } from './flow';
import { t } from './i18n.svelte';
import type { Config, Step, StepKind } from './types';

export const ICON: Record<StepKind, IconName> = {
  application: 'outgoing',
  menu: 'star',
  callback: 'phone',
  collect: 'numbers',
  condition: 'branch',
  play: 'volume',
  hours: 'clock',
  language: 'language',
  lookup: 'search',
  queue: 'wait',
  extension: 'phone',
  set: 'edit',
  speak: 'message',
  survey: 'check',
  table: 'copy',
  voicemail: 'voicemail',
  hang_up: 'hangup',
};

export function sentence(step: Step, config: Config): string {
  const say = (step.say ?? []).join(' + ');
  const person = (n: string | undefined) => {
    const e = config.extension.find((x) => x.number === n);
    return e ? `${e.number} ${e.name}` : (n ?? '?');
  };
  switch (step.kind) {
    case 'application':
      return t(A.sApplication, { url: step.url || '?' });
    case 'menu':
      return t(F.sMenu, { say });
    case 'callback':
      return t(F.sCallback, { name: step.queue || '?' });
    case 'collect':
      return t(F.sCollect, { say });
    case 'condition':
      return t(F.sCondition, { field: step.field || '?', test: t(TEST[step.test ?? 'is']), value: step.value ?? '' });
    case 'play':
      return t(F.sPlay, { say });
    case 'hours':
      return t(F.sHours, { name: step.schedule || '?' });
    case 'language':
      return t(F.sLanguage, { name: step.language === 'zh' ? t(C.chinese) : t(C.english) });
    case 'lookup':
      return t(F.sLookup, { url: step.url || '?' });
    case 'queue':
      return t(F.sQueue, { name: step.queue || '?' });
    case 'extension':
      return step.number ? t(F.sExtension, { name: person(step.number) }) : t(F.sDialled);
    case 'set':
      return t(F.sSet, { field: step.field || '?', value: step.value ?? '' });
    case 'speak':
      return t(F.sSpeak, { text: step.text || '?' });
    case 'survey':
      return t(F.sSurvey);
    case 'table':
      return t(F.sTable, { key: step.key || '?', count: Object.keys(step.row ?? {}).length });
    case 'voicemail':
      return t(F.sVoicemail, { name: person(step.mailbox) });
    case 'hang_up':
      return t(F.sHangUp);
  }
}

export function via(way: Way): string {
  switch (way.via) {
    case 'key':
      return t(F.vKey, { key: way.key ?? '' });
    case 'way':
      return t(A.vWay, { name: way.key ?? '' });
    case 'lost':
      return t(A.vLost);
    case 'silence':
      return t(F.vSilence);
    case 'wrong':
      return t(F.vWrong);
    case 'then':
      return t(F.vThen);
    case 'else':
      return t(F.vElse);
    case 'open':
      return t(F.vOpen);
    case 'closed':
      return t(F.vClosed);
    case 'after':
      return t(F.vAfter);
  }
}

/** The first problem of a step, or of one of its fields. */
export function broken(errors: Record<string, string> | undefined, name: string): string | undefined {
  return Object.entries(errors ?? {}).find(([path]) => path === `step.${name}` || path.startsWith(`step.${name}.`))?.[1];
}
