// Contacts between the box's form and the page's: numbers and fields as lines of text.
import { CT_PROBLEM } from '../texts/contacts';
import type { Problem } from './api';
import { problemText } from './errors';
import { lang, t, type Text } from './i18n.svelte';
import type { Contact } from './types';

/** A contact as it is typed. */
export interface ContactForm {
  name: string;
  company: string;
  numbers: string;
  class: string;
  language: string;
  notes: string;
  fields: string;
}

export function formOf(contact: Partial<Contact>): ContactForm {
  return {
    name: contact.name ?? '',
    company: contact.company ?? '',
    numbers: (contact.numbers ?? []).join('\n'),
    class: contact.class ?? '',
    language: contact.language ?? '',
    notes: contact.notes ?? '',
    fields: Object.entries(contact.fields ?? {})
      .map(([name, value]) => `${name} = ${value}`)
      .join('\n'),
  };
}

export function draftOf(form: ContactForm): Record<string, unknown> {
  const lines = (text: string) => text.split('\n').map((l) => l.trim()).filter(Boolean);
  const fields = lines(form.fields).map((line): [string, string] => {
    const at = line.indexOf('=');
    return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return { ...form, numbers: lines(form.numbers), language: form.language || null, fields: Object.fromEntries(fields) };
}

/** The sentence of a problem of a contact. */
export function contactProblem(p: Problem): string {
  const known = lang() === 'zh' ? (CT_PROBLEM as Record<string, Text>)[p.code] : undefined;
  return known ? t(known) : problemText(p);
}

/** Characters of one piece: at most three bytes each, and the box takes 1 MiB. */
const PIECE = 300_000;

/** Pieces of a list small enough for the box, each with the header line. Lines inside quotes stay together. */
export function pieces(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const header = lines.shift() ?? '';
  const out: string[] = [];
  let piece = header;
  let open = false;
  for (const line of lines) {
    if (!open && piece.length + line.length > PIECE && piece !== header) {
      out.push(piece);
      piece = header;
    }
    piece += `\n${line}`;
    if ((line.split('"').length - 1) % 2 === 1) open = !open;
  }
  if (piece !== header) out.push(piece);
  return out.length > 0 ? out : [header];
}
