// The server's models, asked for once; what stands in the way until they are there. Knows no question.

import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Model } from '../../../sdk/models.ts';
import { usePatience } from './patience.ts';
import { listModels, Refusal, type Trouble } from './server.ts';

/** The models, once they are there. */
export interface ModelsList {
  models: readonly Model[] | undefined;
  trouble: Trouble | undefined;
  /** Seconds until the next try, where there is one. */
  left: number | undefined;
  again: () => void;
}

/** Asks for the models, and again when the key changes. */
export function useModels(key: string): ModelsList {
  const [models, setModels] = useState<readonly Model[]>();
  const [trouble, setTrouble] = useState<Trouble>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const leave = new AbortController();
    listModels(key, leave.signal).then(
      (list) => {
        setModels(list);
        setTrouble(undefined);
      },
      (error: unknown) => {
        if (error instanceof Refusal) setTrouble(error.trouble);
        else if (!leave.signal.aborted) throw error;
      },
    );
    return () => {
      leave.abort();
    };
  }, [key, attempt]);
  const again = useCallback(() => {
    setAttempt((before) => before + 1);
  }, []);
  const left = usePatience(trouble, attempt, again);
  return { models, trouble, left, again };
}
