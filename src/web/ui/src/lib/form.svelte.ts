// One form: the draft, what was loaded, and the sentence at each field. Dirty means: differs from what was loaded.
import { getContext, setContext, tick } from 'svelte';
import { ERR } from '../texts/common';
import { ApiError } from './api';
import { problemText, problemsText, sentence } from './errors';
import { t } from './i18n.svelte';

const KEY = Symbol('form');

export class Form<T extends object> {
  value: T = $state() as T;
  errors = $state<Record<string, string>>({});
  /** A sentence about the whole form. */
  summary = $state('');
  /** Sentences about fields that are not on the page. */
  elsewhere = $state<string[]>([]);
  conflict = $state(false);
  saving = $state(false);
  private loaded = $state('');
  private known = new Set<string>();

  /** `within`: where this form's value stands in the tree when the problems of a whole list come back, e.g. `inbound[2]`. */
  constructor(
    value: T,
    private readonly within?: string,
  ) {
    this.reset(value);
  }

  get dirty(): boolean {
    return JSON.stringify(this.value) !== this.loaded;
  }

  /** Starts again from this. */
  reset(value: T): void {
    this.value = JSON.parse(JSON.stringify(value)) as T;
    this.loaded = JSON.stringify(this.value);
    this.clear();
  }

  /** A field of the page, by its path in the value. */
  knows(path: string): () => void {
    this.known.add(path);
    return () => this.known.delete(path);
  }

  set(path: string, text: string | null): void {
    if (text) this.errors[path] = text;
    else delete this.errors[path];
  }

  /** Runs the save; problems go to their fields and the first of them gets the focus. True when it is done. */
  async save(run: (value: T) => Promise<void>): Promise<boolean> {
    if (this.saving) return false;
    this.saving = true;
    this.clear();
    try {
      await run($state.snapshot(this.value) as T);
      this.loaded = JSON.stringify(this.value);
      return true;
    } catch (e) {
      this.explain(e);
      return false;
    } finally {
      this.saving = false;
    }
  }

  private clear(): void {
    this.errors = {};
    this.elsewhere = [];
    this.summary = '';
    this.conflict = false;
  }

  private explain(e: unknown): void {
    if (!(e instanceof ApiError) || e.problems.length === 0) {
      this.summary = sentence(e);
      this.conflict = e instanceof ApiError && (e.status === 409 || e.status === 412);
      return;
    }
    for (const p of e.problems) {
      const path = this.match(p.field);
      const message = e.problems.length === 1 ? problemsText(e) : problemText(p);
      if (path === null) this.elsewhere.push(t(ERR.elsewhere, { field: p.field, message }));
      else this.errors[path] ??= message;
    }
    const n = Object.keys(this.errors).length;
    if (n > 0) this.summary = t(ERR.checkFields, { n });
    void tick().then(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  }

  /** The field of the page for a path of the box: as it is, or without the section in front. */
  private match(field: string): string | null {
    if (this.within !== undefined && field.includes('[') && !field.startsWith(`${this.within}.`)) return null;
    const short = field.replace(/^[a-z_]+(\[[^\]]*\])?\.?/, '');
    for (const candidate of [field, short]) {
      let path = candidate;
      while (path) {
        if (this.known.has(path)) return path;
        const cut = Math.max(path.lastIndexOf('.'), path.lastIndexOf('['));
        path = cut > 0 ? path.slice(0, cut) : '';
      }
    }
    return null;
  }
}

/** Makes the form known to the fields inside the component. */
export function provide<T extends object>(form: Form<T>): Form<T> {
  setContext(KEY, form);
  return form;
}

export function surrounding(): Form<object> | undefined {
  return getContext(KEY);
}
