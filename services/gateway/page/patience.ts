// When to ask again after trouble, without anybody pressing a button. Knows kinds of trouble and time.

import { useEffect, useState } from 'preact/hooks';
import { isReady, type Trouble } from './server.ts';

const POLL_MS = 1500;
// A server that is started on demand is told now and then that it is still wanted: the question itself is asked again.
const LOOKS_BEFORE_ASKING = 40;
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
    if (trouble?.kind === 'starting')
      return poll((ready, looks) => ready === true || looks >= LOOKS_BEFORE_ASKING);
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

  function poll(enough: (ready: boolean | undefined, looks: number) => boolean): () => void {
    let looks = 0;
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
        looks++;
        if (enough(ready, looks)) again();
        else timer = setTimeout(look, POLL_MS);
      });
    }
  }
}
