// Times for people, in the time zone of the site wherever the browser is: the same call has the same time for everybody, and
// in reports. The browser's clock is corrected by the box's (`offset`), so that "since" is right on any PC.
import { lang, locale, t, texts } from './i18n.svelte';

const T = texts({
  ms: ['{n} ms', '{n} 毫秒'],
  s: ['{n} s', '{n} 秒'],
  days: ['{d} d {h} h', '{d} 天 {h} 小时'],
  hours: ['{h} h {m} min', '{h} 小时 {m} 分'],
  minutes: ['{m} min', '{m} 分钟'],
});

/** Until the box has said its zone, and on a screen on the wall, which hangs at the site: the browser's. */
const clock = $state({ now: Date.now(), offset: 0, zone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC' });
setInterval(() => (clock.now = Date.now() + clock.offset), 1000);

/** The box's wall time now, in ms; ticks once a second. */
export function now(): number {
  return clock.now;
}

/** The browser's clock counts as right within this: every frame of the box brings its time, and each correction shows
    every running time on the page anew. */
const SLACK_MS = 300;

/** The box said its time is `ms`. */
export function learn(ms: number): void {
  const offset = ms - Date.now();
  if (Math.abs(offset - clock.offset) < SLACK_MS) return;
  clock.offset = offset;
  clock.now = ms;
}

/** The site's time zone. One that this browser does not know is as good as UTC. */
export function learnZone(zone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    clock.zone = zone;
  } catch {
    clock.zone = 'UTC';
  }
}

/** The IANA name of the zone in which times are shown. */
export const zone = (): string => clock.zone;

/** `1:05`, `12:00:01`: a length as on a stop-watch. */
export function clockText(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600);
  return h > 0 ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** `+0.4 s`, `+1:05`: how long after the start. */
export function offsetText(ms: number): string {
  if (ms < 60_000) return `+${(ms / 1000).toFixed(1)} ${lang() === 'zh' ? '秒' : 's'}`;
  return `+${clockText(ms)}`;
}

/** `3 d 4 h`, `5 min`, `12 s`: a length in words. */
export function lengthText(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return t(T.s, { n: s });
  const m = Math.floor(s / 60);
  if (m < 60) return t(T.minutes, { m });
  const h = Math.floor(m / 60);
  if (h < 24) return t(T.hours, { h, m: m % 60 });
  return t(T.days, { d: Math.floor(h / 24), h: h % 24 });
}

/** Making one of `Intl` costs a hundred times its use: once for each language and zone. */
function inZone(parts: Intl.DateTimeFormatOptions): (tag?: string) => Intl.DateTimeFormat {
  const made = new Map<string, Intl.DateTimeFormat>();
  return (tag = locale()) => {
    const key = `${tag} ${clock.zone}`;
    const kept = made.get(key) ?? new Intl.DateTimeFormat(tag, { ...parts, timeZone: clock.zone });
    made.set(key, kept);
    return kept;
  };
}

const timeOfDay = inZone({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const dayAndMonth = inZone({ day: 'numeric', month: 'short' });
const wholeDate = inZone({ day: 'numeric', month: 'short', year: 'numeric' });
/** `2026-11-23, 15:04:05`: to compare and to fill fields with. */
const plain = inZone({ dateStyle: 'short', timeStyle: 'medium', hourCycle: 'h23' });

const dateOf = (ms: number): string => plain('sv-SE').format(ms).slice(0, 10);

/** Today at the site; changes at midnight and not with each second. */
const today = $derived(dateOf(clock.now));

/** Time of day, with the date when it is not today. */
export function whenText(ms: number): string {
  const time = timeOfDay().format(ms);
  return dateOf(ms) === today ? time : `${dayText(ms)} ${time}`;
}

/** The date. */
export function dayText(ms: number): string {
  return (dateOf(ms).slice(0, 4) === today.slice(0, 4) ? dayAndMonth() : wholeDate()).format(ms);
}

/** `2026-11-23T15:04`, as a field for date and time has it. */
export const fieldText = (ms: number): string => plain('sv-SE').format(ms).slice(0, 16).replace(' ', 'T');

/** What somebody typed into such a field, as a moment; NaN when nothing was. */
export function momentOf(field: string): number {
  const wanted = Date.parse(`${field}Z`);
  const ahead = (ms: number) => Date.parse(`${fieldText(ms)}Z`) - Math.floor(ms / 60_000) * 60_000;
  if (Number.isNaN(wanted)) return NaN;
  // The offset there may be another one than here: clocks were changed in between.
  return wanted - ahead(wanted - ahead(wanted));
}
