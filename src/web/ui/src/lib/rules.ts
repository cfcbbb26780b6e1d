// Rules of fields that are checked while typing, so that most mistakes never travel. The box checks everything again and
// has the last word; a rule here is never stricter than the box's.
import { t, texts } from './i18n.svelte';

const R = texts({
  number: ['2 to 6 digits.', '2 到 6 位数字。'],
  pin: ['6 to 12 digits.', '6 到 12 位数字。'],
  outside: ['A number with digits, optionally + in front.', '请输入号码，可以 + 开头。'],
  mail: ['A mail address such as name@example.com.', '请输入邮箱地址，例如 name@example.com。'],
  mask: [
    'Digits, X (any digit), Z (1–9), N (2–9), a + in front, and . or ! at the end.',
    '可用数字、X（任意数字）、Z（1–9）、N（2–9）、开头的 +，末尾可用 . 或 !。',
  ],
  name: ['1 to 64 characters, without “/” and “:”.', '1 到 64 个字符，不含“/”和“:”。'],
  spans: ['Times such as 08:00-12:00 13:00-17:30.', '时间写法如 08:00-12:00 13:00-17:30。'],
  date: ['A date such as 2026-12-25.', '日期写法如 2026-12-25。'],
  star: ['A star code such as *43.', '星号代码，例如 *43。'],
});

type Rule = (value: string) => string | null;

const by =
  (pattern: RegExp, text: readonly [string, string]): Rule =>
  (value) =>
    pattern.test(value) ? null : t(text);

export const extensionNumber = by(/^\d{2,6}$/, R.number);
export const pin = by(/^\d{6,12}$/, R.pin);
export const outsideNumber = by(/^\+?[\d\s./()-]{2,32}$/, R.outside);
export const mailAddress = by(/^[^\s@]+@[^\s@]+$/, R.mail);
export const mask = by(/^\+?[\d*#XZN\s-]*[.!]?$/, R.mask);
export const plainName = by(/^[^/:]{1,64}$/, R.name);
export const spans = by(/^(\s*\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}\s*)+$/, R.spans);
export const isoDate = by(/^\d{4}-\d{2}-\d{2}$/, R.date);
export const starCode = by(/^[*#\d]{1,8}$/, R.star);

const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** A random password that can be typed on a phone: 16 characters without look-alikes (about 92 bits). */
export function newPassword(): string {
  return pick(16, LETTERS);
}

/** A random PIN of six digits. */
export function newPin(): string {
  return pick(6, '0123456789');
}

function pick(n: number, from: string): string {
  let out = '';
  // Values above the last whole multiple are thrown away, so that each character is equally likely.
  const limit = 256 - (256 % from.length);
  while (out.length < n) {
    for (const byte of crypto.getRandomValues(new Uint8Array(n))) if (byte < limit && out.length < n) out += from[byte % from.length];
  }
  return out;
}
