// Figures of reports: sums of rows, shares, and the spans that people choose from.
import { locale, number } from './i18n.svelte';

export interface QueueFigures {
  from: number;
  queue: string;
  offered: number;
  answered: number;
  first_ring: number;
  in_level: number;
  abandoned: number;
  called_back: number;
  overflowed: number;
  wait_ms: number;
  wait_max_ms: number;
  talk_ms: number;
  scored: number;
  score_sum: number;
}

export interface AgentFigures {
  from: number;
  agent: string;
  calls: number;
  signed_in_ms: number;
  ready_ms: number;
  offered_ms: number;
  talking_ms: number;
  wrap_up_ms: number;
  not_ready_ms: number;
  reason_ms: Record<string, number>;
  scored: number;
  score_sum: number;
}

export type SpanName = 'today' | 'yesterday' | 'week' | 'month';
export type Width = 'quarter' | 'hour' | 'day' | 'total';

/** Start and end of a span, in whole days of the site's zone. */
export function spanOf(name: SpanName, now: number, zone: string): { from: number; to: number } {
  const today = midnight(now, zone);
  const before = (days: number) => midnight(today - days * 86_400_000 + 12 * 3_600_000, zone);
  const tomorrow = midnight(today + 36 * 3_600_000, zone);
  switch (name) {
    case 'today':
      return { from: today, to: tomorrow };
    case 'yesterday':
      return { from: before(1), to: today };
    case 'week':
      return { from: before(6), to: tomorrow };
    case 'month':
      return { from: before(29), to: tomorrow };
  }
}

/** Midnight before a moment, in a zone. */
function midnight(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value ?? 0);
  const since = ((part('hour') * 60 + part('minute')) * 60 + part('second')) * 1000 + (at % 1000);
  const guess = at - since;
  // Clocks were changed since midnight: look again from there.
  const off = new Date(guess).getTime();
  const again = Number(new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', hour: 'numeric' }).format(off));
  return again === 0 ? guess : guess + (again > 12 ? 24 - again : -again) * 3_600_000;
}

export const percent = (part: number, whole: number): string =>
  whole > 0 ? `${number(Math.round((part / whole) * 1000) / 10)} %` : '–';

/** A mean of surveys with one decimal, and how many they were. */
export const scoreText = (sum: number, count: number): string =>
  count > 0 ? `${(sum / count).toLocaleString(locale(), { minimumFractionDigits: 1, maximumFractionDigits: 1 })} (${number(count)})` : '–';

/** The start of a row, as wide as the row. */
export function rowText(from: number, width: Width, zone: string): string {
  const day = { day: 'numeric', month: 'short' } as const;
  const time = { hour: '2-digit', minute: '2-digit', hour12: false } as const;
  const parts = width === 'day' || width === 'total' ? day : { ...day, ...time };
  return new Date(from).toLocaleString(locale(), { ...parts, timeZone: zone });
}

/** All numbers of rows added up; the longest of what is no sum. */
export function sumOf<R extends object>(rows: R[], most: (keyof R)[] = []): Partial<Record<keyof R, number>> {
  const sum: Partial<Record<keyof R, number>> = {};
  for (const row of rows)
    for (const [key, value] of Object.entries(row) as [keyof R, unknown][])
      if (typeof value === 'number') sum[key] = most.includes(key) ? Math.max(sum[key] ?? 0, value) : (sum[key] ?? 0) + value;
  return sum;
}
