// What a growing load does: latency, answers and failures against it. Knows steps; of one loop at a time, since
// clients and rates have no common axis.

import type { LoadTestResult, Load, Step } from '../../result.ts';
import { amount, asked, failedPart, loadSize, ms, percentileName } from '../figures.ts';
import { html, type Markup } from './markup.ts';
import { LEFT, panelsPlot, RIGHT, valueScale, type Line } from './plot.ts';

const SHOWN = [
  ['p50', 'p50', 'c1'],
  ['p90', 'p90', 'c3'],
  ['p99', 'p99', 'c2'],
] as const;

/** The plots; nothing of a loop that has one load only. Their figures are those of the table of steps. */
export function loadPlots(result: LoadTestResult, predicted?: LoadTestResult): Markup {
  return html`${(['open', 'closed'] as const).map((loop) => loadPlot(result, loop, predicted))}`;
}

function loadPlot({ steps, search }: LoadTestResult, loop: Load['loop'], predicted?: LoadTestResult): Markup {
  const own = growing(steps, loop);
  if (new Set(own.map(({ load }) => loadSize(load))).size < 2) return html``;
  const guesses = growing(predicted?.steps ?? [], loop);
  const loads = [...own, ...guesses].map(({ load }) => loadSize(load));
  const bound = search?.bound ?? own.find((step) => step.bound)?.bound;
  const rate = loop === 'open';
  const [first, last] = [own[0], own.at(-1)];
  return panelsPlot(
    {
      id: `load-${loop}`,
      title: rate ? 'Latency against the rate' : 'Latency against the number of clients',
      description:
        first && last
          ? `From ${asked(loadSize(first.load))} to ${asked(loadSize(last.load))} ${rate ? 'requests a second' : 'clients'}, p99 goes from ${ms(first.latency.p99)} to ${ms(last.latency.p99)} ms and answers from ${amount(first.answersPerSecond)} to ${amount(last.answersPerSecond)} a second. The table of steps has every figure.`
          : '',
    },
    {
      x: valueScale(loads, LEFT, RIGHT, { logarithmic: true, ticks: 10 }),
      xTitle: rate ? 'requests meant to start in a second' : 'clients, each with one request at a time',
      xTick: amountTick,
      marks:
        rate && search?.verdict === 'VALID'
          ? [{ from: search.ratePerSecond, label: `kept up to ${asked(search.ratePerSecond)}/s` }]
          : [],
      panels: [
        {
          title: 'latency, ms',
          height: 240,
          logarithmic: true,
          bound: bound && {
            y: bound.ms,
            label: `bound: ${percentileName(bound.percentile)} ≤ ${asked(bound.ms)} ms`,
          },
          lines: SHOWN.flatMap(([key, name, style]) => [
            latencyLine(own, key, { name, style }),
            ...(guesses.length > 0
              ? [latencyLine(guesses, key, { name: `${name} predicted`, style, dashed: true })]
              : []),
          ]),
        },
        {
          title: 'answers a second',
          height: 110,
          lines: [
            {
              name: 'answers a second',
              style: 'c4',
              marks: true,
              points: pointsOf(own, (step) => step.answersPerSecond),
            },
            ...(guesses.length > 0
              ? [
                  {
                    name: '',
                    style: 'c4',
                    dashed: true,
                    points: pointsOf(guesses, (step) => step.answersPerSecond),
                  },
                ]
              : []),
          ],
        },
        {
          title: 'failed, % of sent',
          height: 70,
          lines: [
            {
              name: 'failed',
              style: 'wrong',
              marks: true,
              points: pointsOf(own, (step) => 100 * failedPart(step)),
            },
          ],
        },
      ],
    },
  );
}

function latencyLine(
  steps: readonly Step[],
  key: 'p50' | 'p90' | 'p99',
  look: Pick<Line, 'name' | 'style' | 'dashed'>,
): Line {
  const points = steps.map(({ load, latency }) =>
    latency.count > 0 ? { x: loadSize(load), y: latency[key] } : undefined,
  );
  return { ...look, marks: true, points };
}

function pointsOf(steps: readonly Step[], value: (step: Step) => number): { x: number; y: number }[] {
  return steps.map((step) => ({ x: loadSize(step.load), y: value(step) }));
}

// A search tries rates up and down.
function growing(steps: readonly Step[], loop: Load['loop']): Step[] {
  return steps.filter(({ load }) => load.loop === loop).sort((a, b) => loadSize(a.load) - loadSize(b.load));
}

function amountTick(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}
