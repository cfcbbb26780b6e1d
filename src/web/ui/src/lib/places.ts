// Countries and time zones for select lists, in the language in use; and what the browser says about its owner.
import { compare, perLanguage } from './i18n.svelte';

/** Countries with a profile (emergency numbers, number writing) in the box: those of `model::country`. */
export const COUNTRIES = [
  'AT', 'AU', 'BE', 'BG', 'CA', 'CH', 'CN', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'EU', 'FI', 'FR', 'GB', 'GR',
  'HK', 'HR', 'HU', 'IE', 'IN', 'IT', 'JP', 'LT', 'LU', 'LV', 'MT', 'NL', 'NO', 'PL', 'PT', 'RO', 'SE', 'SG',
  'SI', 'SK', 'TW', 'US',
] as const;

export const countries = perLanguage((tag): [string, string][] => {
  const names = new Intl.DisplayNames(tag, { type: 'region' });
  return COUNTRIES.map((code): [string, string] => [code, names.of(code) ?? code]).sort((a, b) => compare(a[1], b[1]));
});

let allZones: [string, string][] | undefined;

export function zones(): [string, string][] {
  if (!allZones) {
    const all = Intl.supportedValuesOf('timeZone');
    allZones = (all.includes('UTC') ? all : ['UTC', ...all]).map((z) => [z, z.replaceAll('_', ' ')]);
  }
  return allZones;
}

export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** The browser's region if the box has a profile for it; else the zone's best guess is left to the person. */
export function browserCountry(): string {
  for (const tag of navigator.languages) {
    const region = new Intl.Locale(tag).maximize().region;
    if (region && (COUNTRIES as readonly string[]).includes(region)) return region;
  }
  return 'US';
}
