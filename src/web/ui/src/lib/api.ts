// Asks the box over REST: JSON both ways, the CSRF value of the session with each write, every refusal as `ApiError`.
// Decides nothing about what an error means on a page.
import type { Stored } from './types';

export interface Problem {
  field: string;
  code: string;
  message: string;
}

interface Refusal {
  code?: string;
  message?: string;
  message_zh?: string;
  problems?: Problem[];
}

/** A refusal of the box (`status` ≥ 400) or no answer at all (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problems: Problem[] = [],
    readonly retryAfter: number | null = null,
    /** The sentence in Chinese, where the box has it. */
    readonly chinese: string | null = null,
  ) {
    super(message);
  }
}

let csrf = '';
let onSignedOut: () => void = () => {};

export function setCsrf(value: string): void {
  csrf = value;
}

/** Called when the box says that the session is over. */
export function whenSignedOut(then: () => void): void {
  onSignedOut = then;
}

const BASE = '/api/v1';

interface Options {
  body?: unknown;
  /** What a body of text is; TOML unless given. */
  mime?: string;
  /** Generation that the change is based on. */
  match?: number | undefined;
  /** Instead of the session: what a link carries. */
  token?: string;
  /** Do not treat 401 as the end of the session. */
  anonymous?: boolean;
  signal?: AbortSignal;
}

async function ask<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') headers['x-csrf'] = csrf;
  if (options.token) headers['authorization'] = `Bearer ${options.token}`;
  if (options.body !== undefined) {
    headers['content-type'] = typeof options.body === 'string' ? (options.mime ?? 'application/toml') : 'application/json';
  }
  if (options.match !== undefined) headers['if-match'] = `"${options.match}"`;
  let answer: Response;
  try {
    answer = await fetch(BASE + path, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: options.signal ?? null,
      body:
        options.body === undefined ? null : typeof options.body === 'string' ? options.body : JSON.stringify(options.body),
    });
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new ApiError(0, 'no_answer', 'The box does not answer.');
  }
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false;
  let value: unknown = text;
  if (isJson && text) {
    try {
      value = JSON.parse(text);
    } catch {
      throw new ApiError(answer.status, 'malformed', 'The box answered with something unreadable.');
    }
  }
  if (answer.ok) return value as T;
  const error = (value as { error?: Refusal }).error ?? {};
  if (answer.status === 401 && !options.anonymous) onSignedOut();
  const retry = Number(answer.headers.get('retry-after'));
  throw new ApiError(
    answer.status,
    error.code ?? `http_${answer.status}`,
    error.message ?? `HTTP ${answer.status}`,
    error.problems ?? [],
    Number.isFinite(retry) && retry > 0 ? retry : null,
    error.message_zh ?? null,
  );
}

export const get = <T>(path: string, options?: Options): Promise<T> => ask<T>('GET', path, options);
export const post = <T>(path: string, body?: unknown, options: Options = {}): Promise<T> =>
  ask<T>('POST', path, { ...options, body });
export const put = <T>(path: string, body: unknown, options: Options = {}): Promise<T> =>
  ask<T>('PUT', path, { ...options, body });
export const patch = <T>(path: string, body: unknown): Promise<T> => ask<T>('PATCH', path, { body });
export const del = <T>(path: string, match?: number): Promise<T> => ask<T>('DELETE', path, { match });

/** Sends a file as it is and tells how far it is, in percent. */
export function send<T>(
  path: string,
  file: Blob,
  progress: (percent: number) => void,
  headers: Record<string, string> = {},
): Promise<T> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open('POST', BASE + path);
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('x-csrf', csrf);
    request.setRequestHeader('content-type', 'application/octet-stream');
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (e) => progress(e.total > 0 ? Math.floor((e.loaded / e.total) * 100) : 0);
    request.onerror = () => fail(new ApiError(0, 'no_answer', 'The box does not answer.'));
    request.onload = () => {
      let value: { error?: Refusal } = {};
      try {
        value = JSON.parse(request.responseText || '{}') as typeof value;
      } catch {
        // A refusal without a body says everything by its status.
      }
      if (request.status < 300) return done(value as T);
      const error = value.error ?? {};
      if (request.status === 401) onSignedOut();
      const code = error.code ?? `http_${request.status}`;
      fail(new ApiError(request.status, code, error.message ?? '', error.problems ?? [], null, error.message_zh ?? null));
    };
    request.send(file);
  });
}

/** Sends a sound. */
export async function putSound(to: string, sound: Blob): Promise<{ path: string }> {
  const headers = { accept: 'application/json', 'x-csrf': csrf, 'content-type': 'audio/wav' };
  const answer = await fetch(BASE + to, { method: 'PUT', headers, credentials: 'same-origin', body: sound });
  const value = (await answer.json().catch(() => ({}))) as { path: string; error?: Refusal };
  if (answer.ok) return value;
  if (answer.status === 401) onSignedOut();
  const error = value.error ?? {};
  throw new ApiError(answer.status, error.code ?? `http_${answer.status}`, error.message ?? '', error.problems ?? [], null, error.message_zh ?? null);
}

/** A path from parts, each escaped. */
export function path(...parts: (string | number)[]): string {
  return parts.map((p) => `/${encodeURIComponent(String(p))}`).join('');
}

/** Query text from the parts that are set. */
export function query(values: Record<string, string | number | null | undefined>): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(values)) if (v !== null && v !== undefined && v !== '') q.set(k, String(v));
  const text = q.toString();
  return text ? `?${text}` : '';
}

/** The whole configuration in force. */
export const config = (): Promise<Stored> => get<Stored>('/config');
