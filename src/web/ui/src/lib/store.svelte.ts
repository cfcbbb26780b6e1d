// The configuration as the pages hold it: loaded once, loaded again when the box says that a newer generation is in
// force, written item by item. Each write is live at once and can be undone from its toast.
import { C } from '../texts/common';
import { USER_KIND } from '../texts/network';
import { ApiError, config, del, path, post, put } from './api';
import { problemsText, sentence } from './errors';
import { t, type Text } from './i18n.svelte';
import { setSite } from './session.svelte';
import { learnZone } from './time.svelte';
import { toast } from './toast.svelte';
import type { Config, Stored } from './types';

/** Nobody writes into it, so its thousands of fields need not be watched one by one. */
let held = $state.raw<Stored | null>(null);
let fault = $state('');

export const stored = (): Stored | null => held;
export const current = (): Config | null => held?.config ?? null;
export const failed = (): string => fault;

export async function load(): Promise<void> {
  try {
    const got = await config();
    held = got;
    setSite(got.config.system.name);
    learnZone(got.config.system.time_zone ?? 'UTC');
    fault = '';
  } catch (e) {
    fault = sentence(e);
  }
}

/** The box says that this generation is in force. */
export function heard(generation: number): void {
  if (held && generation > held.generation) void load();
}

export function forget(): void {
  held = null;
}

export type ItemSection = 'extension' | 'agent' | 'trunk' | 'queue' | 'flow' | 'schedule' | 'campaign';
export type WholeSection = 'system' | 'alarm' | 'budget' | 'mail' | 'feature' | 'audio' | 'backup' | 'distribution' | 'retention' | 'inbound' | 'network' | 'outbound' | 'time';

/** Creates or replaces one item; throws `ApiError` with the problems. */
export async function putItem(section: ItemSection, key: string, value: unknown, text = t(C.saved)): Promise<void> {
  await write(text, () => put(path('config', section, key), prune(value), { match: held?.generation }));
}

/** Replaces a whole section. */
export async function putSection(section: WholeSection, value: unknown, text = t(C.saved)): Promise<void> {
  await write(text, () => put(path('config', section), prune(value), { match: held?.generation }));
}

/** Replaces the whole configuration; throws `ApiError` with the problems. */
export async function putAll(value: unknown, text = t(C.saved)): Promise<void> {
  await write(text, () => put('/config', prune(value), { match: held?.generation }));
}

/** A deletion that waits for an answer, because other things use what goes. */
export interface InUse {
  name: string;
  users: string[];
  answer: (withThem: boolean) => void;
}

const asked = $state<{ now: InUse | null }>({ now: null });
export const inUse = (): InUse | null => asked.now;

/** Deletes one item; when it is in use, asks whether its users go with it. A refusal becomes a toast. True when it is gone. */
export async function remove(section: ItemSection, key: string, name: string, cascade = false): Promise<boolean> {
  const place = path('config', section, key) + (cascade ? '?cascade=true' : '');
  try {
    await write(t(C.removed, { name }), () => del(place, held?.generation));
    return true;
  } catch (e) {
    if (!cascade && e instanceof ApiError && e.code === 'in_use') {
      return (await ask(name, usersOf(e))) && remove(section, key, name, true);
    }
    toast(problemsOf(e), 'bad');
    return false;
  }
}

function ask(name: string, users: string[]): Promise<boolean> {
  return new Promise((done) => {
    asked.now = {
      name,
      users,
      answer: (withThem) => {
        asked.now = null;
        done(withThem);
      },
    };
  });
}

/** The box names them after the colon: `extension 101 is used by: agent 7, queue main. Change them first …`. */
function usersOf(e: ApiError): string[] {
  const list = /: (.*?)\. [A-Z]/.exec(e.message)?.[1] ?? e.message;
  return list.split(', ').map(userName);
}

/** A user of a thing in the language in use: its kind translated, its name as it is. */
function userName(text: string): string {
  const [kind = '', ...rest] = text.split(' ');
  const known = (USER_KIND as Record<string, Text>)[kind];
  return known ? `${t(known)} ${rest.join(' ')}`.trim() : text;
}

/** Makes an older generation current again. */
export async function undoTo(generation: number): Promise<void> {
  try {
    await post(path('config', 'history', generation, 'undo'));
    toast(t(C.undone));
    await load();
  } catch (e) {
    toast(sentence(e), 'bad');
  }
}

async function write(text: string, run: () => Promise<unknown>): Promise<void> {
  const before = held?.generation;
  await run();
  toast(text, 'ok', before === undefined ? undefined : { text: t(C.undo), run: () => undoTo(before) });
  await load();
}

function problemsOf(e: unknown): string {
  return e instanceof ApiError && e.problems.length > 0 ? problemsText(e) : sentence(e);
}

/** Without empty texts, nulls and nothing: what is left out takes the box's default. */
export function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prune);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== '' && v !== null && v !== undefined)
      .map(([k, v]) => [k, prune(v)]),
  );
}
