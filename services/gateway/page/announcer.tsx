// What a screen reader is told while an answer forms: seldom, and never again what it was told before.

import { useEffect, useRef, useState } from 'preact/hooks';
import { percent } from './bars.tsx';
import type { Asked } from './asking.ts';

const PAUSE_MS = 3000;

/** A polite live region, unseen. */
export function Announcer({ asked, name }: { asked: Asked; name: string }) {
  const [said, setSaid] = useState('');
  const last = useRef(0);
  const words = wordsOf(asked, name);
  const urgent = asked.state !== 'forming';
  useEffect(() => {
    if (!urgent && performance.now() - last.current < PAUSE_MS) return;
    last.current = performance.now();
    setSaid(words);
  }, [words, urgent]);
  return (
    <p role="status" class="unseen">
      {said}
    </p>
  );
}

function wordsOf(asked: Asked, name: string): string {
  switch (asked.state) {
    case 'waiting':
      return `${name}: asking`;
    case 'forming':
      return `${name}: ${String(asked.answer.viewsDone)} of ${String(asked.answer.viewsTotal)} views`;
    case 'answered': {
      const best = asked.answer.predictions.slice(0, 3);
      return `${name}, answer: ${best.map(({ label, score }) => `${label} ${percent(score)}`).join(', ')}`;
    }
    case 'cancelled':
      return `${name}: cancelled`;
    case 'trouble': {
      const { trouble } = asked;
      if (trouble.kind === 'refused') return trouble.problem.detail;
      if (trouble.kind === 'key') return 'This server asks for an API key';
      if (trouble.kind === 'busy') return 'The server has much to do; the page tries again';
      return trouble.kind === 'starting' ? 'The server is starting' : 'The server cannot be reached';
    }
  }
}
