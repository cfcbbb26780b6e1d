// The configuration as the pages hold it: loaded once, loaded again when the box says that a newer generation is in
// force, written item by item. Each write is live at once and can be undone from its toast.
import { C } from '../texts/common';
import { config, del, path, post, put } from './api';
import { sentence } from './errors';
import { t } from './i18n.svelte';
import { setSite } from './session.svelte';
import { toast } from './toast.svelte';
import type { Config, Stored } from './types';

const state = $state<{ stored: Stored | null; failed: string }>({ stored: null, failed: '' });

export const stored = (): Stored | null => state.stored;
export const current = (): Config | null => state.stored?.config ?? null;
export const failed = (): string => state.failed;

export async function load(): Promise<void> {
  try {
    state.stored = await config();
    setSite(state.stored.config.system.name);
    state.failed = '';
  } catch (e) {
    state.failed = sentence(e);
  }
}

/** The box says that this generation is in force. */
export function heard(generation: number): void {
  if (state.stored && generation > state.stored.generation) void load();
}

export function forget(): void {
  state.stored = null;
}

export type ItemSection = 'extension' | 'agent' | 'trunk' | 'queue' | 'flow' | 'schedule';
export type WholeSection = 'system' | 'alarm' | 'mail' | 'feature' | 'audio' | 'backup' | 'retention' | 'inbound' | 'outbound';

/** Creates or replaces one item; throws `ApiError` with the problems. */
export async function putItem(section: ItemSection, key: string, value: unknown, text = t(C.saved)): Promise<void> {
  await write(text, () => put(path('config', section, key), prune(value), { match: state.stored?.generation }));
}

/** Replaces a whole section. */
export async function putSection(section: WholeSection, value: unknown, text = t(C.saved)): Promise<void> {
  await write(text, () => put(path('config', section), prune(value), { match: state.stored?.generation }));
}

/** Deletes one item; a refusal becomes a toast. True when it is gone. */
export async function remove(section: ItemSection, key: string, name: string): Promise<boolean> {
  try {
    await write(t(C.removed, { name }), () => del(path('config', section, key), state.stored?.generation));
    return true;
  } catch (e) {
    toast(problemsOf(e), 'bad');
    return false;
  }
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
  const before = state.stored?.generation;
  await run();
  toast(text, 'ok', before === undefined ? undefined : { text: t(C.undo), run: () => undoTo(before) });
  await load();
}

function problemsOf(e: unknown): string {
  const list = (e as { problems?: { message: string }[] }).problems ?? [];
  return list.length > 0 ? list.map((p) => p.message).join(' ') : sentence(e);
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
