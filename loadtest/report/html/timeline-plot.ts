// What happened when: rates, latency and requests under way by the second, one step after the other. Knows seconds.

import { linearScale } from '../../../drawing/scale.ts';
import type { LoadTestResult, Second, Step } from '../../result.ts';
import { count, loadName, ms } from '../figures.ts';
import { html, type Markup } from './markup.ts';
import { LEFT, panelsPlot, RIGHT, type Mark } from './plot.ts';
import { foldedTable } from './table.ts';

// Names of more steps than that would lie over each other.
const MOST_NAMED = 5;

interface Placed {
  step: Step;
  /** Seconds on the axis where the step's own time is 0. */
  zero: number;
  first: number;
  end: number;
}

/** The plot and its table. */
export function timelinePlot({ steps }: LoadTestResult): Markup {
  const placed = place(steps.filter(({ timeline }) => timeline.length > 0));
  const last = placed.at(-1);
  if (!last) return html``;
  const at = (value: (second: Second) => number | undefined) =>
    placed.flatMap(({ step, zero }) => [
      undefined,
      ...step.timeline.map((second) => {
        const y = value(second);
        return y === undefined ? undefined : { x: zero + second.second + 0.5, y };
      }),
    ]);
  const answered = (key: 'p50' | 'p99') => at((second) => (second.answered > 0 ? second[key] : undefined));
  const anyFailed = placed.some(({ step }) => step.timeline.some(({ failed }) => failed > 0));
  return html`${panelsPlot(
    {
      id: 'timeline',
      title: 'By the second',
      description: `Requests that were meant to start, answers, failures, latency and requests under way, over ${count(last.end)} seconds${placed.length > 1 ? ` of ${String(placed.length)} steps` : ''}. Shaded: warm-up, which no figure is of.`,
    },
    {
      x: linearScale(0, last.end, LEFT, RIGHT, 10),
      xTitle: 'seconds since the first warm-up; a request counts where it was meant to start',
      marks: marksOf(placed),
      panels: [
        {
          title: 'requests a second',
          height: 140,
          lines: [
            { name: 'meant to start', style: 'quiet', points: at(({ intended }) => intended) },
            { name: 'answered', style: 'c1', points: at((second) => second.answered) },
            ...(anyFailed ? [{ name: 'failed', style: 'wrong', points: at(({ failed }) => failed) }] : []),
          ],
        },
        {
          title: 'latency, ms',
          height: 160,
          logarithmic: true,
          lines: [
            { name: 'p50', style: 'c3', points: answered('p50') },
            { name: 'p99', style: 'c2', points: answered('p99') },
          ],
        },
        {
          title: 'under way at the end of each second',
          height: 90,
          lines: [{ name: 'under way', style: 'c4', points: at(({ inFlight }) => inFlight) }],
        },
      ],
    },
  )}${foldedTable({
    caption: 'By the second',
    header: ['load', 'second', 'meant to start', 'answered', 'failed', 'p50, ms', 'p99, ms', 'under way'],
    rows: placed.flatMap(({ step }) =>
      step.timeline.map((second) => [
        loadName(step.load),
        { value: second.second, text: String(second.second) },
        ...[second.intended, second.answered, second.failed].map((value) => ({ value, text: count(value) })),
        ...[second.p50, second.p99].map((value) => (second.answered > 0 ? { value, text: ms(value) } : '–')),
        { value: second.inFlight, text: count(second.inFlight) },
      ]),
    ),
  })}`;
}

function place(steps: readonly Step[]): Placed[] {
  let end = 0;
  return steps.map((step) => {
    const seconds = step.timeline.map(({ second }) => second);
    const first = end;
    const zero = first - Math.min(...seconds);
    end = zero + Math.max(...seconds) + 1;
    return { step, zero, first, end };
  });
}

function marksOf(placed: readonly Placed[]): Mark[] {
  const named = placed.length > 1 && placed.length <= MOST_NAMED;
  return placed.flatMap(({ step, zero, first }) => [
    ...(zero > first ? [{ from: first, to: zero }] : []),
    ...(placed.length > 1 ? [{ from: first, ...(named && { label: loadName(step.load) }) }] : []),
  ]);
}
