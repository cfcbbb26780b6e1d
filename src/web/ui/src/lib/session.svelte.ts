// Who is at the browser, and whether the box still waits for its set-up. One per tab.
import { ApiError, get, post, setCsrf, whenSignedOut } from './api';
import { forget } from './kept';
import { learnZone } from './time.svelte';
import type { Role, Session } from './types';

export type Where = 'starting' | 'setup' | 'login' | 'in' | 'keep' | 'screen' | 'unreachable';

const state = $state<{ where: Where; session: Session | null; site: string }>({
  where: 'starting',
  session: null,
  site: '',
});

export const where = (): Where => state.where;
export const session = (): Session | null => state.session;
export const site = (): string => state.site;
export const role = (): Role => state.session?.role ?? 'user';
export const isAdmin = (): boolean => state.session?.role === 'admin';
/** May act on other people's calls and agents. */
export const mayLead = (): boolean => state.session?.role === 'admin' || state.session?.role === 'supervisor';

export function setSite(name: string): void {
  state.site = name;
}

export function enter(session: Session): void {
  // What somebody else saw here before is theirs.
  forget();
  state.session = session;
  setCsrf(session.csrf);
  learnZone(session.time_zone);
  state.where = 'in';
}

/** Looks where we are: set-up, login or in. */
export async function start(): Promise<void> {
  whenSignedOut(() => {
    if (state.where === 'in') {
      state.session = null;
      state.where = 'login';
    }
  });
  // A link to the new address of a network change: nobody is signed in there yet, and nobody has to be.
  if (location.pathname.startsWith('/keep/')) {
    state.where = 'keep';
    return;
  }
  // The link of a screen on the wall says by itself what it may see.
  if (location.pathname === '/screen') {
    state.where = 'screen';
    return;
  }
  try {
    const setup = await get<{ needed: boolean; site: string }>('/setup', { anonymous: true });
    state.site = setup.site;
    if (setup.needed) {
      state.where = 'setup';
      return;
    }
    enter(await get<Session>('/session', { anonymous: true }));
  } catch (e) {
    state.where = e instanceof ApiError && e.status === 401 ? 'login' : 'unreachable';
  }
}

/** The box said that the session is over: asks, which leads to the login when it is so. */
export async function stillIn(): Promise<void> {
  try {
    await get<Session>('/session');
  } catch {
    // A 401 has led to the login; without any answer the live link keeps trying.
  }
}

export async function login(user: string, password: string): Promise<void> {
  enter(await post<Session>('/login', { user, password }, { anonymous: true }));
}

export async function logout(): Promise<void> {
  try {
    await post('/logout');
  } finally {
    state.session = null;
    state.where = 'login';
  }
}
