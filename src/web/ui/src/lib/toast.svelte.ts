// Short messages at the edge of the page, some with one action such as undo.
export interface Toast {
  id: number;
  text: string;
  kind: 'ok' | 'bad';
  action?: { text: string; run: () => void | Promise<void> };
}

/** Long enough to read and to reach for undo. */
const STAY_MS = 10_000;
/** More would cover the page; the oldest goes. */
const MOST = 4;

const state = $state<{ list: Toast[] }>({ list: [] });
let next = 1;

export const toasts = (): Toast[] => state.list;

export function toast(text: string, kind: Toast['kind'] = 'ok', action?: Toast['action']): void {
  const id = next++;
  state.list = [...state.list, { id, text, kind, ...(action ? { action } : {}) }].slice(-MOST);
  setTimeout(() => dismiss(id), STAY_MS);
}

export function dismiss(id: number): void {
  state.list = state.list.filter((x) => x.id !== id);
}
