// Times for people. The browser's clock is corrected by the box's (`offset`), so that "since" is right on any PC.
import { locale, t, texts, lang } from './i18n.svelte';

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

/** The box said its time is `ms`. */
export function learn(ms: number): void {
  clock.offset = ms - Date.now();
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

/** Time of day, with the date when it is not today. */
export function whenText(ms: number): string {
  const at = new Date(ms);
  const time = at.toLocaleTimeString(locale(), { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
  if (at.toDateString() === new Date(clock.now).toDateString()) return time;
  return `${dayText(ms)} ${time}`;
}

/** The date. */
export function dayText(ms: number): string {
  const at = new Date(ms);
  const year = at.getFullYear() !== new Date(clock.now).getFullYear();
  return at.toLocaleDateString(locale(), { day: 'numeric', month: 'short', ...(year ? { year: 'numeric' } : {}) });
}
