// One question and how far its answer is: the states of an answer column. Knows the server; not how it looks.

import { useCallback, useEffect, useState } from 'preact/hooks';
import type { AnswerJson } from '../../../sdk/answer-json.ts';
import { usePatience } from './patience.ts';
import { ask, Refusal, type Forming, type Trouble } from './server.ts';

/** How far an answer is. */
export type Asked =
  | { state: 'waiting' }
  | { state: 'forming'; answer: Forming }
  | { state: 'answered'; answer: AnswerJson }
  /** Given up by the visitor; `answer` is what there was. */
  | { state: 'cancelled'; answer: Forming | undefined }
  | { state: 'trouble'; trouble: Trouble };

/** An answer on its way, and what can be done about it. */
export interface Asking {
  asked: Asked;
  /** Seconds until the question is asked again, where it is. */
  left: number | undefined;
  cancel: () => void;
  again: () => void;
}

/** Asks whenever photo, query or key change. The query asks for no views: they are added here. */
export function useAsking(photo: Blob, query: string, key: string): Asking {
  const [asked, setAsked] = useState<Asked>({ state: 'waiting' });
  const [run, setRun] = useState({ attempt: 0 });
  const [controller, setController] = useState<AbortController>();
  useEffect(() => {
    setRun({ attempt: 0 });
  }, [photo, query, key]);
  useEffect(() => {
    const leave = new AbortController();
    const { signal } = leave;
    const set = (next: Asked) => {
      if (!signal.aborted) setAsked(next);
    };
    setController(leave);
    setAsked({ state: 'waiting' });
    const full = new URLSearchParams(query);
    full.set('views', 'true');
    if (query.includes('protocol=dense')) full.set('scoreMaps', 'true');
    const forming = (answer: Forming) => {
      set({ state: 'forming', answer });
    };
    // A field that is being typed in changes the question with every key.
    const timer = setTimeout(() => {
      ask(photo, full, key, forming, signal).then(
        (answer) => {
          set({ state: 'answered', answer });
        },
        (error: unknown) => {
          if (error instanceof Refusal) set({ state: 'trouble', trouble: error.trouble });
          else if (!signal.aborted) throw error;
        },
      );
    }, 150);
    return () => {
      clearTimeout(timer);
      leave.abort();
    };
  }, [photo, query, key, run]);
  const again = useCallback(() => {
    setRun(({ attempt }) => ({ attempt: attempt + 1 }));
  }, []);
  const cancel = useCallback(() => {
    controller?.abort();
    setAsked((now) => ({
      state: 'cancelled',
      answer: now.state === 'forming' ? now.answer : undefined,
    }));
  }, [controller]);
  const left = usePatience(asked.state === 'trouble' ? asked.trouble : undefined, run.attempt, again);
  return { asked, left, cancel, again };
}
