// What a tab or a browser remembers: the API key for as long as the tab is open, the choice of light or dark.

import { useLayoutEffect, useState } from 'preact/hooks';

const KEY = 'vgg-api-key';
const THEME = 'vgg-theme';

/** Light, dark, or as the system has it. */
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** The API key, and how to change it. */
export function useApiKey(): [string, (key: string) => void] {
  const [key, setKey] = useState(() => read(sessionStorage, KEY));
  return [
    key,
    (next) => {
      write(sessionStorage, KEY, next);
      setKey(next);
    },
  ];
}

/** The theme, which this also puts on the page. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(
    () => THEMES.find((each) => each === read(localStorage, THEME)) ?? 'system',
  );
  // Before anything is drawn: no flash of the other one.
  useLayoutEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    write(localStorage, THEME, theme);
  }, [theme]);
  return [theme, setTheme];
}

// A browser that keeps nothing is no reason to fail.
function read(storage: Storage, name: string): string {
  try {
    return storage.getItem(name) ?? '';
  } catch {
    return '';
  }
}

function write(storage: Storage, name: string, value: string): void {
  try {
    storage.setItem(name, value);
  } catch {
    // It is remembered until the page is left.
  }
}
