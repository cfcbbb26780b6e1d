// A refusal of a backup as a sentence in the language in use.
import { ApiError } from '../../lib/api';
import { sentence } from '../../lib/errors';
import { lang, t, type Text } from '../../lib/i18n.svelte';
import { BERR } from '../../texts/backup';

/** Ours by the code of the refusal or of its first problem; the box's own words say more in English. */
export function refusal(e: unknown): string {
  if (!(e instanceof ApiError)) return sentence(e);
  const code = e.problems[0]?.code ?? e.code;
  const known = (BERR as Record<string, Text>)[code];
  if (!known) return sentence(e);
  return lang() === 'en' && e.code.startsWith('backup_') ? e.message : t(known);
}
