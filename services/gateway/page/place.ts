// Where in the page a visitor is: the part of the address after #. Knows its two forms.

import { useEffect, useState } from 'preact/hooks';
import { hashOf, settingsOf, type Settings } from './settings.ts';

/** The photo and its answer, or a model. */
export type Place = { name: 'photo'; settings: Settings } | { name: 'model'; model: string };

/** The place, which follows the address; and a way to change the settings in it. */
export function usePlace(): [Place, (settings: Settings) => void] {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = () => {
      setPlace(placeOf(location.hash));
    };
    addEventListener('hashchange', follow);
    return () => {
      removeEventListener('hashchange', follow);
    };
  }, []);
  const set = (settings: Settings) => {
    const hash = hashOf(settings);
    // No step in the history for each letter that is typed.
    history.replaceState(null, '', hash === '' ? '#/' : `#/?${hash}`);
    setPlace({ name: 'photo', settings });
  };
  return [place, set];
}

function placeOf(hash: string): Place {
  const [, model] = /^#\/models\/(.+)$/.exec(hash) ?? [];
  if (model !== undefined) return { name: 'model', model: decoded(model) };
  return { name: 'photo', settings: settingsOf(/^#\/\?(.*)$/.exec(hash)?.[1] ?? '') };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
