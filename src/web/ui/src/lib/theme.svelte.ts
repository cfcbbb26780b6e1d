// Light, dark or as the system; kept in this browser.
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'belfry.theme';

function kept(): Theme {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : 'system';
}

const state = $state<{ theme: Theme }>({ theme: kept() });

export const theme = (): Theme => state.theme;

export function applyTheme(): void {
  const root = document.documentElement;
  if (state.theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = state.theme;
}

export function setTheme(to: Theme): void {
  state.theme = to;
  localStorage.setItem(KEY, to);
  applyTheme();
}
