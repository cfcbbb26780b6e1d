// The two languages of the admin. A text is a pair, so a missing Chinese one does not compile. `{n}` is a slot;
// `{n|call|calls}` picks the English plural. Each page has its own file of pairs and brings them along when it loads.

/** English, Chinese. */
export type Text = readonly [en: string, zh: string];
export type Lang = 'en' | 'zh';
export type Slots = Record<string, string | number>;

const KEY = 'belfry.lang';

function fromBrowser(): Lang {
  const kept = localStorage.getItem(KEY);
  if (kept === 'en' || kept === 'zh') return kept;
  return navigator.languages.find((l) => /^(en|zh)\b/i.test(l))?.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

const state = $state<{ lang: Lang }>({ lang: fromBrowser() });

/** The language in use; reactive. */
export function lang(): Lang {
  return state.lang;
}

/** The BCP 47 tag for `Intl` and the `lang` attribute. */
export function locale(): string {
  return state.lang === 'zh' ? 'zh-CN' : 'en-GB';
}

export function setLang(to: Lang): void {
  state.lang = to;
  localStorage.setItem(KEY, to);
}

/** Checks a page's texts: each has both languages. */
export function texts<T extends Record<string, Text>>(all: T): T {
  return all;
}

/** The text in the language in use, slots filled. */
export function t(text: Text, slots: Slots = {}): string {
  const raw = text[state.lang === 'zh' ? 1 : 0];
  if (!raw.includes('{')) return raw;
  return raw.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, many?: string) => {
    const value = slots[name] ?? '';
    if (one === undefined) return typeof value === 'number' ? number(value) : value;
    return (value === 1 ? one : many) ?? '';
  });
}

/** One of each kind and language: making one costs a hundred times its use. */
const numbers = perLanguage((tag) => new Intl.NumberFormat(tag));
const orders = perLanguage((tag) => new Intl.Collator(tag, { numeric: true }));

/** Makes a thing of `Intl` once for each language; reactive to the language. */
export function perLanguage<T>(make: (tag: string) => T): () => T {
  const made = new Map<string, T>();
  return () => {
    const tag = locale();
    const kept = made.get(tag);
    if (kept) return kept;
    const fresh = make(tag);
    made.set(tag, fresh);
    return fresh;
  };
}

export function number(n: number): string {
  return numbers().format(n);
}

/** Sorts as people of the language expect; digits by value. */
export function compare(a: string, b: string): number {
  return orders().compare(a, b);
}
