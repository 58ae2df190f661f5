// The page: what is where, and what everything shares. Knows the photo, the settings and the key.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { AnswerColumn } from './answer-column.tsx';
import { Copy } from './elsewhere.tsx';
import { ModelPlace } from './model-place.tsx';
import { useModels, type ModelsList } from './models-list.ts';
import { Notice } from './notice.tsx';
import { PhotoInput } from './photo-input.tsx';
import { photoOf, release, type Photo } from './photo.ts';
import { usePlace } from './place.ts';
import type { Settings } from './settings.ts';
import { SettingsForm } from './settings-form.tsx';
import { THEMES, useApiKey, useTheme } from './stored.ts';

/** The whole page. */
export function App() {
  const [place, setSettings] = usePlace();
  const [key, setKey] = useApiKey();
  const [photo, choose] = usePhoto();
  const list = useModels(key);
  // A visit to a model's page loses no settings.
  const settings = useRef<Settings>(undefined);
  if (place.name === 'photo') settings.current = place.settings;
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href="#/">
          vgg-serve
        </a>
        {place.name === 'photo' ? <h1>What is in this photo?</h1> : <h1>Model</h1>}
        <ThemeSwitch />
      </header>
      <main id="main" tabIndex={-1}>
        {place.name === 'model' ? (
          <ModelPlace key={place.model} name={place.model} apiKey={key} onKey={setKey} />
        ) : (
          <div class={place.settings.protocols.length > 1 ? 'columns two' : 'columns'}>
            <div class="side">
              <PhotoInput photo={photo} onPhoto={choose} />
              <SettingsForm settings={place.settings} models={list.models ?? []} onChange={setSettings} />
              <Link />
            </div>
            <Answers photo={photo} settings={place.settings} list={list} apiKey={key} onKey={setKey} />
          </div>
        )}
      </main>
    </>
  );
}

interface AnswersProps {
  photo: Photo | undefined;
  settings: Settings;
  list: ModelsList;
  apiKey: string;
  onKey: (key: string) => void;
}

function Answers({ photo, settings, list, apiKey, onKey }: AnswersProps) {
  const { models, trouble, left, again } = list;
  const model = models?.find(({ name }) => name === settings.models[0]) ?? models?.[0];
  if (!model && trouble) {
    return (
      <section class="card answer" aria-label="Answer" data-state="trouble">
        <div role="status">
          <Notice trouble={trouble} left={left} onAgain={again} onKey={onKey} />
        </div>
      </section>
    );
  }
  if (!model || !photo) {
    return (
      <section class="card answer" aria-labelledby="answer-title" data-state="empty">
        <h2 id="answer-title">Answer</h2>
        <p class="lead">
          A photo becomes views, the network scores each view, and the mean of the scores is the answer. It
          forms here while views are scored.
        </p>
      </section>
    );
  }
  return (
    <div class="answers">
      {settings.protocols.map((protocol, i) => (
        <AnswerColumn
          key={i}
          photo={photo}
          settings={settings}
          protocol={protocol}
          model={model}
          apiKey={apiKey}
          onKey={onKey}
        />
      ))}
    </div>
  );
}

function Link() {
  return (
    <div class="link">
      <Copy name="Copy a link with these settings" text={location.href} />
    </div>
  );
}

function ThemeSwitch() {
  const [theme, setTheme] = useTheme();
  return (
    <label class="theme">
      <span>Theme</span>
      <select
        value={theme}
        onChange={({ currentTarget }) => {
          setTheme(THEMES[currentTarget.selectedIndex] ?? 'system');
        }}
      >
        {THEMES.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
    </label>
  );
}

function usePhoto(): [Photo | undefined, (blob: Blob, name?: string) => void] {
  const [photo, setPhoto] = useState<Photo>();
  const latest = useRef<Blob>(undefined);
  useEffect(
    () => () => {
      if (photo) release(photo);
    },
    [photo],
  );
  const choose = useCallback((blob: Blob, name?: string) => {
    latest.current = blob;
    void photoOf(blob, name).then((next) => {
      // Of two that were chosen quickly, the later one counts.
      if (latest.current === blob) setPhoto(next);
      else release(next);
    });
  }, []);
  return [photo, choose];
}

// The address has the settings: a jump must not replace them.
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
