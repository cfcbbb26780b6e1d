// Lists for select fields: from a table of words, and from what the configuration holds.
import { D } from '../texts/destination';
import { t, type Text } from './i18n.svelte';
import type { Config } from './types';

export type Choice = readonly [value: string, text: string];

/** Every word of a table with its text. */
export function choices(table: Record<string, Text>): Choice[] {
  return Object.entries(table).map(([value, text]) => [value, t(text)] as const);
}

/** What leads somewhere: extensions, queues, menus, mailboxes and the service numbers, as destinations are written. */
export function destinations(config: Config): Choice[] {
  return [
    ...config.flow.map((f) => [`flow:${f.name}`, t(D.flow, { name: f.name })] as const),
    ...config.queue.map((q) => [`queue:${q.name}`, t(D.queue, { name: q.name })] as const),
    ...config.extension.map((e) => [`extension:${e.number}`, t(D.extension, { name: `${e.number} ${e.name}` })] as const),
    ...config.extension
      .filter((e) => e.voicemail)
      .map((e) => [`voicemail:${e.number}`, t(D.voicemail, { name: `${e.number} ${e.name}` })] as const),
    ['echo', t(D.echo)],
    ['announcement', t(D.announcement)],
    ['hang_up', t(D.hang_up)],
  ];
}

/** A destination in words. */
export function destinationText(to: string, config: Config): string {
  const known = destinations(config).find(([value]) => value === to);
  return known ? known[1] : to;
}

export const mailboxes = (config: Config): Choice[] =>
  config.extension.filter((e) => e.voicemail).map((e) => [e.number, `${e.number} ${e.name}`] as const);

export const extensions = (config: Config): Choice[] => config.extension.map((e) => [e.number, `${e.number} ${e.name}`] as const);

export const names = (list: { name: string }[]): Choice[] => list.map((x) => [x.name, x.name] as const);
