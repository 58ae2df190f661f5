// The tables of a page, and the figures at its top. Knows the result; plots are elsewhere.

import type { LoadTestResult, ServerSide, Step } from '../../result.ts';
import {
  amount,
  asked,
  count,
  failedPart,
  kindName,
  loadKey,
  loadName,
  ms,
  percent,
  PERCENTILES,
  percentileName,
} from '../figures.ts';
import { figure, html, type Content, type Markup } from './markup.ts';
import { tableMarkup, type Cell } from './table.ts';

const milliseconds = (value: number): Cell => ({ value, text: ms(value) });
const things = (value: number): Cell => ({ value, text: count(value) });
const amounts = (value: number): Cell => ({ value, text: amount(value) });
const parts = (value: number): Cell => ({ value, text: percent(value) });

/** The step that a reader looks for first: the highest that kept the bound, else the one with the most answers. */
export function chosenStep({ steps }: LoadTestResult): Step | undefined {
  const kept = steps.filter(({ bound }) => bound?.kept === true);
  return (kept.length > 0 ? kept : steps).reduce<Step | undefined>(
    (best, step) => (best && best.answersPerSecond >= step.answersPerSecond ? best : step),
    undefined,
  );
}

/** A step's figures, large. */
export function keyFigures(step: Step): Markup {
  const { latency } = step;
  const key = (name: string, value: Content, unit: string) =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}${unit === '' ? '' : html` <small>${unit}</small>`}</dd>
    </div>`;
  const time = (value: number) => (latency.count > 0 ? figure(value, ms(value)) : '–');
  return html`<dl class="keys">
    ${key('answers', figure(step.answersPerSecond, amount(step.answersPerSecond)), 'a second')}
    ${key('half within', time(latency.p50), 'ms')} ${key('99 % within', time(latency.p99), 'ms')}
    ${key('slowest', time(latency.max), 'ms')}
    ${key('failed', figure(failedPart(step), percent(failedPart(step))), `of ${count(step.requests.sent)}`)}
  </dl>`;
}

/** A row a step. */
export function stepsTable({ steps }: LoadTestResult): Markup {
  const bounded = steps.some(({ bound }) => bound);
  const others = (['abandoned', 'cancelled', 'slow'] as const).filter((key) =>
    steps.some(({ requests }) => requests[key] > 0),
  );
  return tableMarkup({
    caption: 'Latency of answers in ms, from the moment a request was meant to start',
    header: [
      ...['load', 'seconds', 'sent', 'answers/s', 'answered', 'failed', ...others, 'failed part', 'mean'],
      ...[...PERCENTILES.map(([, name]) => name), 'max', ...(bounded ? ['bound'] : []), 'steady'],
    ],
    rows: steps.map((step) => {
      const { latency, requests, bound } = step;
      const times = [latency.mean, ...PERCENTILES.map(([key]) => latency[key]), latency.max];
      return [
        loadName(step.load),
        { value: step.seconds, text: asked(step.seconds) },
        things(requests.sent),
        amounts(step.answersPerSecond),
        ...[things(requests.answered), things(requests.failed)],
        ...others.map((key) => things(requests[key])),
        parts(failedPart(step)),
        ...times.map((value) => (latency.count > 0 ? milliseconds(value) : '–')),
        ...(bounded ? [bound ? (bound.kept ? 'kept' : 'not kept') : '–'] : []),
        step.stability.stable ? 'yes' : 'no',
      ];
    }),
  });
}

/** A row an error. */
export function errorsTable({ steps }: LoadTestResult): Markup {
  return tableMarkup({
    caption: 'Requests that failed; times in ms, apart from those of answers',
    header: ['code', 'load', 'count', 'p50', 'p99', 'for example'],
    rows: steps.flatMap(({ load, errors }) =>
      errors.map(({ code, count: times, latency, example }) => [
        ...[
          code,
          loadName(load),
          things(times),
          milliseconds(latency.p50),
          milliseconds(latency.p99),
          example,
        ],
      ]),
    ),
  });
}

/** A row a kind of request, if there are several. */
export function kindsTable({ steps }: LoadTestResult): Markup {
  return tableMarkup({
    caption: 'By kind of request; times in ms',
    header: ['kind', 'load', 'answers/s', 'failed', 'p50', 'p90', 'p99', 'max'],
    rows: steps
      .filter(({ kinds }) => kinds.length > 1)
      .flatMap(({ load, kinds }) =>
        kinds.map((kind) => [
          ...[kindName(kind), loadName(load), amounts(kind.answersPerSecond), things(kind.failed)],
          ...[kind.latency.p50, kind.latency.p90, kind.latency.p99, kind.latency.max].map((value) =>
            kind.latency.count > 0 ? milliseconds(value) : '–',
          ),
        ]),
      ),
  });
}

/** What was judged of each step. */
export function boundsTable({ steps }: LoadTestResult): Markup {
  return tableMarkup({
    caption: 'Whether the bound was kept, with 99 % confidence',
    header: ['load', 'bound', 'kept', 'requests', 'late', 'late part', 'why'],
    rows: steps.flatMap(({ load, bound }) =>
      bound
        ? [
            [
              ...[
                loadName(load),
                `${percentileName(bound.percentile)} ≤ ${asked(bound.ms)} ms`,
                bound.kept ? 'yes' : 'no',
              ],
              ...[
                things(bound.requests),
                things(bound.late),
                parts(bound.requests > 0 ? bound.late / bound.requests : 0),
              ],
              bound.reason,
            ],
          ]
        : [],
    ),
  });
}

/** What the services say, apart from what is plotted. */
export function serverTables({ steps }: LoadTestResult): Markup {
  const sides = steps.flatMap(({ load, server }) => (server ? [{ load: loadName(load), server }] : []));
  const engines = sides.filter(({ server }) => server.batches.count > 0);
  return html`${tableMarkup({
    caption: 'Engines and queue',
    header: [
      'load',
      'views/s',
      'busy',
      'batches',
      'views a batch',
      'calls a batch',
      'ms a batch',
      'most queued views',
      'dropped views',
      'retries',
    ],
    rows: engines.map(({ load, server }) => [
      ...[load, amounts(server.viewsPerSecond), parts(server.batches.busy), things(server.batches.count)],
      ...[
        amounts(server.batches.meanViews),
        amounts(server.batches.meanCalls),
        milliseconds(server.batches.meanMs),
      ],
      things(server.mostQueuedViews),
      named(server.droppedViews.map(({ code, count: times }) => [code, times])),
      named(server.retries.map(({ stage, count: times }) => [stage, times])),
    ]),
  })}${processTable('CPU cores in use, by process', sides, ({ cores }) => amounts(cores))}${processTable('Most resident memory, MiB, by process', sides, ({ residentMiB }) => residentMiB !== undefined && things(residentMiB))}${tableMarkup(
    {
      caption: 'After requests were cancelled',
      header: ['load', 'cancelled', 'dropped views', 'queued views', 'calls in flight', 'clear after, ms'],
      rows: steps.flatMap(({ load, aftermath }) =>
        aftermath
          ? [
              [
                ...[loadName(load), things(aftermath.cancelled), things(aftermath.droppedViews)],
                `${count(aftermath.queuedViews.first)}, then ${count(aftermath.queuedViews.last)}`,
                `${count(aftermath.callsInFlight.first)}, then ${count(aftermath.callsInFlight.last)}`,
                aftermath.clearAfterMs === null ? 'never' : milliseconds(aftermath.clearAfterMs),
              ],
            ]
          : [],
      ),
    },
  )}`;
}

function processTable(
  caption: string,
  sides: readonly { load: string; server: ServerSide }[],
  cell: (process: ServerSide['cpu'][number]) => Cell | false,
): Markup {
  const known = sides.flatMap(({ server }) => server.cpu.filter((each) => cell(each) !== false));
  const processes = [...new Set(known.map(({ process }) => process))];
  if (processes.length === 0) return html``;
  return tableMarkup({
    caption,
    header: ['load', ...processes],
    rows: sides.map(({ load, server }) => [
      load,
      ...processes.map((process) => {
        const own = server.cpu.find((each) => each.process === process);
        return (own && cell(own)) || '–';
      }),
    ]),
  });
}

/** Whether the generator kept up. */
export function generatorTable({ steps }: LoadTestResult): Markup {
  return tableMarkup({
    caption: 'The generator itself: how late it sent, and what held it up; times in ms',
    header: [
      'load',
      'late p50',
      'late p99',
      'late max',
      'loop delay p99',
      'loop delay max',
      'CPU cores',
      'kept up',
    ],
    rows: steps.map(({ load, generator: { late, eventLoopDelay, cpuCores, saturated } }) => [
      loadName(load),
      ...[late.p50, late.p99, late.max].map((value) => (late.count > 0 ? milliseconds(value) : '–')),
      ...[eventLoopDelay.p99, eventLoopDelay.max].map((value) =>
        eventLoopDelay.count > 0 ? milliseconds(value) : '–',
      ),
      ...[amounts(cpuCores), saturated === undefined ? 'yes' : 'no'],
    ]),
  });
}

/** Measured steps beside those that were predicted for the same load. */
export function predictionTable({ steps }: LoadTestResult, predicted: LoadTestResult): Markup {
  const figures = [
    ['answers/s', (step: Step) => step.answersPerSecond],
    ['p50, ms', (step: Step) => step.latency.p50],
    ['p90, ms', (step: Step) => step.latency.p90],
    ['p99, ms', (step: Step) => step.latency.p99],
    ['engine busy', (step: Step) => step.server?.batches.busy],
  ] as const;
  return tableMarkup({
    caption: 'The same loads, measured and predicted',
    header: ['load', 'figure', 'measured', 'predicted', 'predicted / measured'],
    rows: steps.flatMap((step) => {
      const guess = predicted.steps.find(({ load }) => loadKey(load) === loadKey(step.load));
      if (!guess) return [];
      return figures.flatMap(([name, value]): Cell[][] => {
        const [measured, expected] = [value(step), value(guess)];
        if (measured === undefined || expected === undefined) return [];
        const ratio = measured > 0 ? amounts(expected / measured) : '–';
        return [[loadName(step.load), name, amounts(measured), amounts(expected), ratio]];
      });
    }),
  });
}

function named(counts: readonly (readonly [string, number])[]): Content {
  if (counts.length === 0) return '0';
  return counts.map(([name, times], i) => [i > 0 ? ', ' : '', figure(times, count(times)), ` ${name}`]);
}
