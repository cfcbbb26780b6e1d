// How the box stands on the LAN, asked again and again while a page shows it; and what is done about a change on trial.
import { onMount } from 'svelte';
import { get, post } from './api';
import type { NetworkView } from './types';

const EVERY_MS = 1000;

/** The state as a page shows it; null until the first answer, and then the last one that came. */
export function watchNetwork(): { readonly view: NetworkView | null; readonly look: () => Promise<void> } {
  let view = $state<NetworkView | null>(null);
  async function look() {
    try {
      view = await get<NetworkView>('/network');
    } catch {
      // Under new settings this page may not reach the box: the count-down goes on without it.
      if (view?.tried) view = { ...view, tried: { ...view.tried, left_s: Math.max(0, view.tried.left_s - 1) } };
    }
  }
  onMount(() => {
    void look();
    const timer = setInterval(() => void look(), EVERY_MS);
    return () => clearInterval(timer);
  });
  return {
    get view() {
      return view;
    },
    look,
  };
}

export const keep = (token: string): Promise<unknown> => post('/network/keep', { token }, { anonymous: true });
export const undo = (): Promise<unknown> => post('/network/undo');
export const setClock = (at: number): Promise<unknown> => post('/time', { at });

/** The same box under another address, on the page that keeps the change. */
export function keepLink(address: string, token: string): string {
  const host = address.includes(':') ? `[${address}]` : address;
  const port = location.port ? `:${location.port}` : '';
  return `https://${host}${port}/keep/${token}`;
}
