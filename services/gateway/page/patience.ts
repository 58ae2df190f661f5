// When to ask again after trouble, without anybody pressing a button. Knows kinds of trouble and time.

import { useEffect, useState } from 'preact/hooks';
import { isReady, type Trouble } from './server.ts';

const POLL_MS = 1500;
const TIMES = 5;

/** How many seconds are left until the next try; undefined where none is planned. */
export function usePatience(
  trouble: Trouble | undefined,
  attempt: number,
  again: () => void,
): number | undefined {
  const [left, setLeft] = useState<number>();
  useEffect(() => {
    setLeft(undefined);
    if (trouble?.kind === 'busy') return attempt < TIMES ? countDown(trouble.seconds) : undefined;
    if (trouble?.kind === 'starting') return poll((ready) => ready === true);
    if (trouble?.kind === 'offline') return poll((ready) => ready !== undefined);
    return undefined;
  }, [trouble]);
  return left;

  function countDown(seconds: number): () => void {
    let rest = Math.ceil(seconds);
    setLeft(rest);
    const timer = setInterval(() => {
      rest -= 1;
      setLeft(rest);
      if (rest > 0) return;
      clearInterval(timer);
      again();
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }

  function poll(enough: (ready: boolean | undefined) => boolean): () => void {
    let timer = setTimeout(look, POLL_MS);
    let over = false;
    addEventListener('online', again);
    return () => {
      over = true;
      clearTimeout(timer);
      removeEventListener('online', again);
    };

    function look(): void {
      void isReady().then((ready) => {
        if (over) return;
        if (enough(ready)) again();
        else timer = setTimeout(look, POLL_MS);
      });
    }
  }
}
