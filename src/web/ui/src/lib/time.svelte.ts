// Times for people. The browser's clock is corrected by the box's (`offset`), so that "since" is right on any PC.
import { perLanguage, t, texts, lang } from './i18n.svelte';

const T = texts({
  ms: ['{n} ms', '{n} 毫秒'],
  s: ['{n} s', '{n} 秒'],
  days: ['{d} d {h} h', '{d} 天 {h} 小时'],
  hours: ['{h} h {m} min', '{h} 小时 {m} 分'],
  minutes: ['{m} min', '{m} 分钟'],
});

const clock = $state({ now: Date.now(), offset: 0 });
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

const timeOfDay = perLanguage((tag) => new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }));
const dayAndMonth = perLanguage((tag) => new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short' }));
const wholeDate = perLanguage((tag) => new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short', year: 'numeric' }));

/** Today; changes at midnight and not with each second. */
const today = $derived(new Date(clock.now).toDateString());
const thisYear = $derived(new Date(clock.now).getFullYear());

/** Time of day, with the date when it is not today. */
export function whenText(ms: number): string {
  const at = new Date(ms);
  const time = timeOfDay().format(at);
  return at.toDateString() === today ? time : `${dayText(ms)} ${time}`;
}

/** The date. */
export function dayText(ms: number): string {
  const at = new Date(ms);
  return (at.getFullYear() === thisYear ? dayAndMonth() : wholeDate()).format(at);
}
