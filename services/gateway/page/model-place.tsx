// A model's page with what may stand before it. Knows the server; what is on the page is models/.

import { useEffect, useState } from 'preact/hooks';
import type { Model } from '../../../sdk/models.ts';
import { ModelPage } from './models/model-page.tsx';
import { Notice } from './notice.tsx';
import { usePatience } from './patience.ts';
import { getModel, Refusal, type Trouble } from './server.ts';

interface ModelPlaceProps {
  name: string;
  apiKey: string;
  onKey: (key: string) => void;
}

/** Fetches the model, and shows it or what went wrong. */
export function ModelPlace({ name, apiKey, onKey }: ModelPlaceProps) {
  const [model, setModel] = useState<Model>();
  const [trouble, setTrouble] = useState<Trouble>();
  const [attempt, setAttempt] = useState(0);
  const again = () => {
    setAttempt((before) => before + 1);
  };
  useEffect(() => {
    const leave = new AbortController();
    getModel(name, apiKey, leave.signal).then(setModel, (error: unknown) => {
      if (error instanceof Refusal) setTrouble(error.trouble);
      else if (!leave.signal.aborted) throw error;
    });
    return () => {
      leave.abort();
    };
  }, [name, apiKey, attempt]);
  const left = usePatience(model ? undefined : trouble, attempt, again);
  return (
    <div class="model-place">
      <a href="#/" onClick={back}>
        ← Back to the photo
      </a>
      {model ? (
        <ModelPage model={model} />
      ) : (
        trouble && (
          <section class="card" aria-label={name}>
            <Notice trouble={trouble} left={left} onAgain={again} onKey={onKey} />
          </section>
        )
      )}
    </div>
  );
}

// Back to the settings as they were, where this page was come to from them.
function back(event: Event): void {
  if (history.length < 2) return;
  event.preventDefault();
  history.back();
}
