// Where we are: the path decides the page, the query holds filters, so that reload and back keep both.

const here = $state({ path: location.pathname, search: location.search });
let guard: (() => boolean) | null = null;

addEventListener('popstate', () => {
  here.path = location.pathname;
  here.search = location.search;
});

export const path = (): string => here.path;
export const param = (name: string): string => new URLSearchParams(here.search).get(name) ?? '';

/** The parts of the path, unescaped: `/extensions/101` → `['extensions', '101']`. */
export function parts(): string[] {
  return here.path
    .split('/')
    .filter(Boolean)
    .map((p) => {
      try {
        return decodeURIComponent(p);
      } catch {
        return p;
      }
    });
}

/** Asked before leaving a page: false keeps us here (unsaved changes). Answers how to take it back. */
export function setGuard(ask: () => boolean): () => void {
  guard = ask;
  return () => {
    if (guard === ask) guard = null;
  };
}

export function go(to: string, replace = false): void {
  if (guard && !guard()) return;
  guard = null;
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  here.path = location.pathname;
  here.search = location.search;
  if (!replace) scrollTo(0, 0);
}

/** Sets filters in the query without a new history entry. */
export function setParams(values: Record<string, string>): void {
  const q = new URLSearchParams(here.search);
  for (const [k, v] of Object.entries(values)) {
    if (v) q.set(k, v);
    else q.delete(k);
  }
  const text = q.toString();
  history.replaceState(null, '', here.path + (text ? `?${text}` : ''));
  here.search = location.search;
}

/** Plain clicks on our own links stay in the page. */
export function onLink(e: MouseEvent): void {
  if (e.defaultPrevented || e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
  const a = (e.target as Element | null)?.closest?.('a');
  if (!a || a.target || a.hasAttribute('download') || a.origin !== location.origin || a.pathname.startsWith('/api/')) return;
  if (a.hash && a.pathname === location.pathname) return;
  e.preventDefault();
  go(a.pathname + a.search);
}
