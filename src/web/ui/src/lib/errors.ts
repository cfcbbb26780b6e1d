// Turns a refusal of the box into a sentence for people, in the language in use.
import { ERR } from '../texts/common';
import { ApiError, type Problem } from './api';
import { lang, t, type Text } from './i18n.svelte';

/** One sentence for what went wrong. */
export function sentence(e: unknown): string {
  if (!(e instanceof ApiError)) return e instanceof Error ? e.message : String(e);
  // A refusal that the box says in both languages is the clearest there is.
  if (e.chinese) return lang() === 'zh' ? e.chinese : e.message;
  switch (e.status) {
    case 0:
      return t(ERR.noAnswer);
    case 403:
      return t(ERR.forbidden);
    case 404:
      return t(ERR.gone);
    case 409:
    case 412:
      return e.code === 'conflict' && lang() === 'en' ? e.message : t(ERR.conflict);
    case 429:
      return t(ERR.tooMany, { s: e.retryAfter ?? 60 });
    case 503:
      return t(ERR.overloaded);
    default:
      return t(ERR.other, { message: e.problems.length > 0 ? problemsText(e) : e.message });
  }
}

/** The sentence of one problem: the box's own in English, ours by its code in Chinese. */
export function problemText(p: Problem): string {
  if (lang() === 'en') return p.message;
  const known = (ERR as Record<string, Text>)[p.code];
  return known ? t(known) : p.message;
}

/** The sentences of all problems; that of a single one may come in both languages from the box. */
export function problemsText(e: ApiError): string {
  if (e.chinese && lang() === 'zh') return e.chinese;
  return e.problems.map(problemText).join(' ');
}
