// A load test as a person at a terminal reads it: a line a step, then what needs to be known about them. Knows
// widths and colours; not where it is printed.

import { cut, table, wrap } from '../../drawing/lines.ts';
import type { LoadTestResult, ServerSide, Step } from '../result.ts';
import {
  amount,
  asked,
  count,
  failedPart,
  kindName,
  loadName,
  ms,
  percent,
  titleOf,
  verdictSentence,
  warningsOf,
} from './figures.ts';
import { judgementsOf } from './judgements.ts';

/** What the terminal is. */
export interface TerminalOptions {
  /** Characters in a line, at least 80. */
  width: number;
  /** Whether it shows colours: a TTY without NO_COLOR. */
  colour: boolean;
}

type Colour = 'bold' | 'quiet' | 'red' | 'green' | 'yellow';

const CODES: Record<Colour, number> = { bold: 1, quiet: 2, red: 31, green: 32, yellow: 33 };

const WIDE = 90;

/** The lines, without ends of lines. */
export function terminalReport(result: LoadTestResult, { width, colour }: TerminalOptions): string[] {
  const paint = (lines: readonly string[], ...colours: Colour[]) =>
    lines.map((line) =>
      colour && colours.length > 0
        ? `\x1b[${colours.map((each) => CODES[each]).join(';')}m${line}\x1b[0m`
        : line,
    );
  const section = (title: string, lines: readonly string[]) =>
    lines.length > 0 ? ['', ...paint(wrap(title, width), 'bold'), ...lines.map((line) => `  ${line}`)] : [];
  const inner = width - 2;
  const { steps, search } = result;
  const several = steps.length > 1;
  return [
    ...paint([cut(plain(`${titleOf(result)} by ${result.target.transport}`), width)], 'bold'),
    ...paint(wrap(plain(conditions(result)), width), 'quiet'),
    ...section(
      'Latency of answers in ms, from the moment a request was meant to start',
      stepLines(steps, inner, paint),
    ),
    ...section('Errors', errorLines(steps, several, inner)),
    ...section('By kind of request', kindLines(steps, several, inner)),
    ...section('What the services say', serverLines(steps, inner)),
    ...section(
      'Beside the figures',
      judgementsOf(result).flatMap(({ load, text, good }) =>
        paint(
          wrap(plain(several ? `${load}: ${text}` : text), inner),
          ...(good === undefined ? [] : [good ? ('green' as const) : ('red' as const)]),
        ),
      ),
    ),
    ...section(
      'Before you believe it',
      warningsOf(result).flatMap(({ loads, text }) =>
        paint(wrap(plain(several ? `${loads.join(', ')}: ${text}` : text), inner), 'yellow'),
      ),
    ),
    ...(search
      ? [
          '',
          ...paint(
            wrap(plain(verdictSentence(search)), width),
            'bold',
            search.verdict === 'VALID' ? 'green' : 'red',
          ),
        ]
      : []),
  ];
}

function conditions({ mix, seed, machine, steps, startedAt }: LoadTestResult): string {
  const kinds = mix
    .map((each) => (mix.length > 1 ? `${asked(100 * each.share)} % ` : '') + kindName(each))
    .join('; ');
  const lasted = [
    ...new Set(
      steps.map(
        ({ seconds, warmUpSeconds }) => `${asked(seconds)} s after ${asked(warmUpSeconds)} s of warm-up`,
      ),
    ),
  ];
  return `${kinds}. Each step ${lasted.length === 1 ? (lasted[0] ?? '') : 'as long as it needed'}. Seed ${String(seed)}, ${startedAt}${machine ? `; load from Node.js ${machine.node} on ${machine.platform}, ${count(machine.cores)} cores` : ''}.`;
}

function stepLines(
  steps: readonly Step[],
  width: number,
  paint: (lines: readonly string[], ...colours: Colour[]) => string[],
): string[] {
  // In a narrow terminal a whole name of a load is worth more.
  const wide = width >= WIDE;
  const header = [
    'load',
    'sent',
    'answers/s',
    'failed %',
    'p50',
    'p90',
    'p99',
    ...(wide ? ['p99.9'] : []),
    'max',
    '',
  ];
  const rows = steps.map((step) => {
    const { latency, requests } = step;
    const { p50, p90, p99, p999, max } = latency;
    const figures = [p50, p90, p99, ...(wide ? [p999] : []), max];
    return [
      loadName(step.load),
      count(requests.sent),
      amount(step.answersPerSecond),
      percent(failedPart(step)).replace(' %', ''),
      ...figures.map((value) => (latency.count > 0 ? ms(value) : '-')),
      mark(step),
    ];
  });
  const [head = '', ...lines] = table(header, rows, width);
  return [
    ...paint([head], 'quiet'),
    ...lines.map((line, i) => {
      const step = steps[i];
      const colours: Colour[] = !step
        ? []
        : step.requests.failed > 0
          ? ['red']
          : mark(step)
            ? ['yellow']
            : [];
      return paint([line], ...colours)[0] ?? line;
    }),
  ];
}

function mark({ generator, stability }: Step): string {
  return generator.saturated !== undefined ? 'generator!' : stability.stable ? '' : 'unstable';
}

function errorLines(steps: readonly Step[], several: boolean, width: number): string[] {
  const rows = steps.flatMap(({ load, errors }) =>
    errors.map(({ code, example, count: times, latency }) => ({
      row: [
        ...(several ? [loadName(load)] : []),
        plain(code),
        count(times),
        ms(latency.p50),
        ms(latency.p99),
      ],
      example: plain(example),
    })),
  );
  const header = [...(several ? ['load'] : []), 'code', 'count', 'p50', 'p99'];
  return lastCut(
    table(
      header,
      rows.map(({ row }) => row),
      width,
    ),
    ['for example', ...rows.map(({ example }) => example)],
    width,
  );
}

function kindLines(steps: readonly Step[], several: boolean, width: number): string[] {
  const rows = steps
    .filter(({ kinds }) => kinds.length > 1)
    .flatMap(({ load, kinds }) =>
      kinds.map((kind) => [
        cut(plain(kindName(kind)), several ? 34 : 60),
        ...(several ? [loadName(load)] : []),
        amount(kind.answersPerSecond),
        count(kind.failed),
        ...[kind.latency.p50, kind.latency.p90, kind.latency.p99].map((value) =>
          kind.latency.count > 0 ? ms(value) : '-',
        ),
      ]),
    );
  const header = ['kind', ...(several ? ['load'] : []), 'answers/s', 'failed', 'p50', 'p90', 'p99'];
  return rows.length > 0 ? table(header, rows, width) : [];
}

// Of many steps only the one that was loaded most: the others are in the file.
function serverLines(steps: readonly Step[], width: number): string[] {
  const loaded = steps.filter((step) => step.server !== undefined);
  const most = loaded.reduce<Step | undefined>(
    (best, step) => (best && best.answersPerSecond >= step.answersPerSecond ? best : step),
    undefined,
  );
  if (!most?.server) return [];
  const { server } = most;
  const { batches } = server;
  const sentences = [
    ...(steps.length > 1 ? [`Of the step with the most answers, ${loadName(most.load)}:`] : []),
    `stages, means: ${server.stages.map(({ stage, meanMs }) => `${stage} ${ms(meanMs)} ms`).join(', ')}`,
    // A gateway's metrics alone say nothing of engines.
    ...(batches.count > 0
      ? [
          `engine: ${amount(server.viewsPerSecond)} views/s, busy ${percent(batches.busy)}; ${count(batches.count)} batches of ${amount(batches.meanViews)} views from ${amount(batches.meanCalls)} calls, ${ms(batches.meanMs)} ms each`,
        ]
      : ['engine: no batch is in these metrics']),
    `queue: at most ${count(server.mostQueuedViews)} views seen waiting${lost(server)}`,
    ...(server.cpu.length > 0
      ? [
          `processes: ${server.cpu.map(({ process, cores, residentMiB }) => `${process} ${amount(cores)} cores${residentMiB === undefined ? '' : `, ${count(residentMiB)} MiB`}`).join('; ')}`,
        ]
      : []),
  ];
  return sentences.flatMap((sentence) => wrap(plain(sentence), width));
}

function lost({ droppedViews, retries }: ServerSide): string {
  const parts = [
    ...droppedViews.map(({ code, count: times }) => `${count(times)} dropped (${code})`),
    ...retries.map(({ stage, count: times }) => `${count(times)} retries of ${stage}`),
  ];
  return parts.length > 0 ? `; ${parts.join(', ')}` : '';
}

// A table and one more column, of which there is as much as fits.
function lastCut(lines: readonly string[], last: readonly string[], width: number): string[] {
  if (last.length < 2) return [];
  const longest = Math.max(...lines.map((line) => line.length));
  const room = width - longest - 2;
  if (room < 16)
    return lines.flatMap((line, i) => [line, ...(i > 0 ? [`  ${cut(last[i] ?? '', width - 2)}`] : [])]);
  return lines.map((line, i) => `${line.padEnd(longest)}  ${cut(last[i] ?? '', room)}`);
}

// Servers' messages are others' text: none of it may move the cursor or change colours.
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}
