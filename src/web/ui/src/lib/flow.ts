// A voice menu as people think of it: an outline from its start. Pure: reads and changes the draft of a flow, shows
// nothing. A step that is reached a second time stands there as a reference only, so that circles end.
import type { Config, Flow, Step, StepKind } from './types';

/** A way out of a step: the field that names the next step and what leads there. */
export interface Way {
  field: string;
  via: 'key' | 'way' | 'lost' | 'silence' | 'wrong' | 'then' | 'else' | 'open' | 'closed' | 'after';
  key?: string;
  to: string;
}

export interface Row {
  name: string;
  depth: number;
  way: Way | null;
  /** Already shown above. */
  again: boolean;
}

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0', '*', '#'];

/** The ways out of a step, in the order a person reads them. */
export function waysOf(step: Step): Way[] {
  switch (step.kind) {
    case 'menu':
      return [
        ...KEYS.filter((k) => step.option?.[k] !== undefined).map(
          (key): Way => ({ field: `option.${key}`, via: 'key', key, to: step.option?.[key] ?? '' }),
        ),
        { field: 'on_timeout', via: 'silence', to: step.on_timeout ?? '' },
        { field: 'on_invalid', via: 'wrong', to: step.on_invalid ?? '' },
      ];
    case 'application':
      return [
        ...Object.entries(step.way ?? {}).map(([key, to]): Way => ({ field: `way.${key}`, via: 'way', key, to })),
        { field: 'otherwise', via: 'lost', to: step.otherwise ?? '' },
      ];
    case 'condition':
      return [
        { field: 'then', via: 'then', to: step.then ?? '' },
        { field: 'otherwise', via: 'else', to: step.otherwise ?? '' },
      ];
    case 'callback':
    case 'collect':
    case 'lookup':
    case 'survey':
    case 'table':
      return [
        { field: 'next', via: 'then', to: step.next ?? '' },
        { field: 'otherwise', via: 'else', to: step.otherwise ?? '' },
      ];
    case 'extension':
      return step.otherwise ? [{ field: 'otherwise', via: 'else', to: step.otherwise }] : [];
    case 'hours':
      return [
        { field: 'open', via: 'open', to: step.open ?? '' },
        { field: 'closed', via: 'closed', to: step.closed ?? '' },
      ];
    case 'language':
    case 'play':
    case 'set':
    case 'speak':
      return [{ field: 'next', via: 'then', to: step.next ?? '' }];
    case 'queue':
      return step.after ? [{ field: 'after', via: 'after', to: step.after }] : [];
    case 'hang_up':
    case 'voicemail':
      return [];
  }
}

/** Every step from the start, depth first; then those that nothing leads to. */
export function outline(flow: Flow): { rows: Row[]; lost: string[] } {
  const rows: Row[] = [];
  const seen = new Set<string>();
  const walk = (name: string, depth: number, way: Way | null) => {
    const step = flow.step[name];
    if (!step) return;
    const again = seen.has(name);
    rows.push({ name, depth, way, again });
    if (again) return;
    seen.add(name);
    for (const next of waysOf(step)) walk(next.to, depth + 1, next);
  };
  walk(flow.start, 0, null);
  return { rows, lost: Object.keys(flow.step).filter((name) => !seen.has(name)) };
}

/** A name that is free, from a kind: `queue`, `queue-2`, … */
export function freeName(flow: Flow, kind: StepKind): string {
  const base = kind.replaceAll('_', '-');
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (!(name in flow.step)) return name;
  }
}

/** A new step of a kind, filled as far as can be guessed. */
export function blankStep(kind: StepKind, config: Config): Step {
  switch (kind) {
    case 'menu':
      return { kind, say: ['menu-main'], option: {}, timeout_s: 5, retries: 2, on_timeout: '', on_invalid: '' };
    case 'application':
      return { kind, url: '', timeout_ms: 2000, way: {}, otherwise: '' };
    case 'callback':
      return { kind, queue: config.queue.find((q) => q.callback)?.name ?? '', field: 'caller', next: '', otherwise: '' };
    case 'collect':
      return { kind, say: ['enter-extension'], min: 2, max: 6, timeout_s: 4, retries: 2, next: '', otherwise: '' };
    case 'condition':
      return { kind, field: 'caller', test: 'begins', value: '', then: '', otherwise: '' };
    case 'lookup':
      return { kind, url: '', timeout_ms: 2000, next: '', otherwise: '' };
    case 'set':
      return { kind, field: '', value: '', next: '' };
    case 'speak':
      return { kind, text: '', say: ['welcome'], next: '' };
    case 'survey':
      return { kind, say: ['survey'], timeout_s: 5, retries: 1, next: '', otherwise: '' };
    case 'table':
      return { kind, key: '{digits}', field: '', row: {}, next: '', otherwise: '' };
    case 'play':
      return { kind, say: ['welcome'], next: '' };
    case 'hours':
      return { kind, schedule: config.schedule[0]?.name ?? '', open: '', closed: '' };
    case 'language':
      return { kind, language: 'zh', next: '' };
    case 'queue':
      return { kind, queue: config.queue[0]?.name ?? '' };
    case 'extension':
      return { kind };
    case 'voicemail':
      return { kind, mailbox: config.extension.find((e) => e.voicemail)?.number ?? '' };
    case 'hang_up':
      return { kind, say: ['goodbye'] };
  }
}

/** Gives a step another name, also where it is named. */
export function rename(flow: Flow, from: string, to: string): void {
  const step = flow.step[from];
  if (!step || !to || to in flow.step) return;
  flow.step = Object.fromEntries(Object.entries(flow.step).map(([name, s]) => [name === from ? to : name, s]));
  if (flow.start === from) flow.start = to;
  for (const s of Object.values(flow.step)) repoint(s, from, to);
}

/** Takes a step away; what led there leads nowhere until somebody chooses again. */
export function removeStep(flow: Flow, name: string): void {
  delete flow.step[name];
  for (const s of Object.values(flow.step)) repoint(s, name, '');
  if (flow.start === name) flow.start = Object.keys(flow.step)[0] ?? '';
}

/** Sets where a way leads. */
export function setWay(step: Step, field: string, to: string): void {
  if (field.startsWith('option.')) {
    step.option = { ...step.option, [field.slice(7)]: to };
  } else if (field.startsWith('way.')) {
    step.way = { ...step.way, [field.slice(4)]: to };
  } else {
    (step as unknown as Record<string, string>)[field] = to;
  }
}

function repoint(step: Step, from: string, to: string): void {
  for (const way of waysOf(step)) if (way.to === from) setWay(step, way.field, to);
}

/** Keys that have no option yet. */
export function freeKeys(step: Step): string[] {
  return KEYS.filter((k) => step.option?.[k] === undefined);
}

/** Takes a key of a menu away, and what is said instead of it. */
export function removeKey(step: Step, key: string): void {
  const { [key]: _, ...rest } = step.option ?? {};
  step.option = rest;
  setWords(step, key, '');
}

/** What callers say instead of a key: words separated by commas of either language. */
export function setWords(step: Step, key: string, text: string): void {
  const { [key]: _, ...rest } = step.words ?? {};
  const words = text
    .split(/[,，、;；]/)
    .map((word) => word.trim().toLowerCase())
    .filter(Boolean);
  const all = words.length > 0 ? { ...rest, [key]: words } : rest;
  if (Object.keys(all).length > 0) step.words = all;
  else delete step.words;
}

/** The rows of a table step as text: `key = result`, one a line. */
export function rowLines(row: Record<string, string> | undefined): string {
  return Object.entries(row ?? {})
    .map(([key, found]) => `${key} = ${found}`)
    .join('\n');
}

/** The other way round; a line without `=` is a key that finds nothing yet. */
export function rowsOf(text: string): Record<string, string> {
  const pairs = text.split('\n').map((line) => {
    const at = line.indexOf('=');
    return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return Object.fromEntries(pairs.filter(([key]) => key));
}

export type Template = 'simple' | 'hours' | 'survey';

/** Templates that this site has the parts for. */
export function templates(config: Config): Template[] {
  const all: Template[] = ['simple'];
  if (config.schedule.length > 0) all.push('hours');
  if (config.queue.length > 0) all.push('survey');
  return all;
}

/** A menu that works as it is; whatever a site lacks ends the call with good-bye. */
export function template(kind: Template, config: Config): Pick<Flow, 'start' | 'step'> {
  const bye: Step = { kind: 'hang_up', say: ['goodbye'] };
  const goal: Step = config.queue.length > 0 ? blankStep('queue', config) : bye;
  const box = config.extension.some((e) => e.voicemail) ? blankStep('voicemail', config) : bye;
  const menu: Step = {
    ...blankStep('menu', config),
    say: ['welcome', 'menu-main'],
    option: { '1': 'team', '2': 'dial', '9': 'message' },
    on_timeout: 'team',
    on_invalid: 'team',
  };
  const dial: Step = { ...blankStep('collect', config), next: 'ring', otherwise: 'team' };
  const parts: Record<string, Step> = { menu, team: goal, dial, ring: { kind: 'extension', otherwise: 'team' }, message: box };
  switch (kind) {
    case 'simple':
      return { start: 'menu', step: parts };
    case 'hours': {
      const hours: Step = { ...blankStep('hours', config), open: 'menu', closed: 'night' };
      const night: Step = { kind: 'play', say: ['welcome', 'closed-now'], next: 'message' };
      return { start: 'hours', step: { hours, ...parts, night } };
    }
    case 'survey': {
      const team: Step = { ...blankStep('queue', config), after: 'survey' };
      const survey: Step = { ...blankStep('survey', config), next: 'thanks', otherwise: 'end' };
      return { start: 'team', step: { team, survey, thanks: { kind: 'hang_up', say: ['survey-thanks'] }, end: bye } };
    }
  }
}
