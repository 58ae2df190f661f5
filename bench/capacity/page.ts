// docs/capacity.md from what was simulated and what was measured. Knows words and tables; computes nothing.

import { svgDocument, line, text as label } from '../../drawing/svg.ts';
import { linearScale } from '../../drawing/scale.ts';
import { median } from '../median.ts';
import { PRICES } from '../../infra/prices.ts';
import { GPU_SHEETS } from '../../loadtest/simulate/gpu.ts';
import { FORECAST_PROTOCOLS, type Forecast } from './forecast.ts';
import { rowsOfPerfection } from './repeatability.ts';
import { MOST_OTHERS, type Session } from './session.ts';
import { sessionsTable, shown, TOLERANCE } from './sessions.ts';

const named = (protocol: string) => protocol.toLowerCase().replaceAll('_', '-');

/** The page. */
export function capacityPage(forecast: Forecast, sessions: readonly Session[]): string {
  const { instances, rates, days } = forecast;
  return [
    '# Capacity and cost',
    '',
    'How many photos a deployment answers, what that costs, and what gives way first: **predicted by a simulation**, in virtual time, of the',
    'gateway, aggregator, preprocess and inference services. The batcher, the slots of preprocess, the planner and the scaling rules in it are',
    'the ones that serve; time and machines are not. `vgg simulate` does the same for any network, protocol, instance and load.',
    '',
    '**What is measured and what is not.** CPU of the services, decoding and resizing: measured, on two cores of a Xeon. GPUs: **no GPU was',
    'ever used**; their times are estimates from data sheets (operations, bandwidth and an assumed part of the peak:',
    `${Object.values(GPU_SHEETS)
      .map(
        ({ name, teraflops, reached }) =>
          `${name} ${String(Math.round(100 * reached))} % of ${String(teraflops)} Tflop/s`,
      )
      .join(', ')}), float32, every view by itself. Take them for right`,
    'to a factor of one and a half. The gateway’s CPU, start-up times and network times are assumptions, too.',
    `Prices are AWS’s on-demand list prices of ${PRICES.region} as remembered on ${forecast.prices}, with ECS Managed Instances’ fee of`,
    `${String(100 * PRICES.managedInstancesFee)} %; traffic is not in them. The simulation itself agrees with queueing theory to a hundredth`,
    '([tests](../test/loadtest/simulate/theory.test.ts)); how closely it agrees with real services on one small machine is',
    '[below](#against-real-services).',
    '',
    `## One GPU`,
    '',
    'D (VGG-16) at full width, photos of 500 × 375, scales 256, 384 and 512; one task of inference, with as many of the other services as it can',
    'use. *photos/s*: the most that it answers. Times and costs are at 70 % of that; the second figure of the cost is what the services on',
    'Fargate take.',
    '',
    '| protocol | instance | GPU | photos/s | p50, ms | p99, ms | $ per 1,000 |',
    '|---|---|---|---|---|---|---|',
    ...FORECAST_PROTOCOLS.flatMap((protocol) =>
      instances
        .filter((row) => row.protocol === protocol)
        .map(
          ({ instance, gpu, photosPerSecond, p50, p99, gpuPerThousand, restPerThousand }) =>
            `| ${named(protocol)} | ${instance} | ${gpu} | ${shown(photosPerSecond)} | ${shown(p50)} | ${shown(p99)} | ${shown(gpuPerThousand)} + ${shown(restPerThousand)} |`,
        ),
    ),
    '',
    'Crops by themselves are answered no faster than about a hundred photos a second by any GPU: from there the inference task’s own event loop,',
    'which takes in 1.9 MB of planes for every photo, is the limit, and not the GPU.',
    '',
    '## What gives way first',
    '',
    'A rate that comes at once, at a deployment that has its least number of tasks and scales by its rules (prod, g6.xlarge). *first*: the',
    'service that is busiest in the first ten minutes, in percent of its CPU or of its engines’ time. *in the end*: tasks of gateway, aggregator,',
    'preprocess and inference. Failed photos are percentages of all, and of the last five minutes. It is held for half an hour; 1,000 photos a second',
    'for four minutes, which is before the rules have brought many tasks, and 10 multi-crop ones for fifteen.',
    '',
    '| protocol | photos/s | first | failed | of the last | codes | p99 in the end, ms | in the end | as many as may be | waited for streams |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rates.map(
      ({
        protocol,
        rate,
        first,
        failedPercent,
        lastFailedPercent,
        codes,
        p99,
        tasks,
        atMost,
        waitingStreams,
      }) =>
        `| ${[
          named(protocol),
          shown(rate),
          `${first.service} ${shown(first.busy)} %`,
          `${shown(failedPercent)} %`,
          `${shown(lastFailedPercent)} %`,
          codes.join(', ') || '—',
          shown(p99),
          [tasks.gateway, tasks.aggregator, tasks.preprocess, tasks.inference].join(', '),
          atMost.join(', ') || '—',
          shown(waitingStreams),
        ].join(' | ')} |`,
    ),
    '',
    '## A day',
    '',
    'Ten crops, from nobody at night (a photo in an hour or so) to five photos a second in the afternoon, on g6.xlarge. A photo for',
    'which there is no task of inference is told when to come back (`Retry-After`; it would wait if the gateway’s time allowed a start): *lost* unless its',
    'client does, as the SDK’s do within their deadline (here a quarter of an hour). *longest*: that a photo took, coming back included.',
    '',
    '![Photos a second and tasks of inference over the day](capacity/day.svg)',
    '',
    '| tasks of inference | photos | lost | starts | p50, ms | p99, ms | longest, s | GPU hours | $ a day | $ per 1,000 |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...days.map(
      ({ name, photos, lost, starts, p50, p99, max, gpuHours, total, perThousand }) =>
        `| ${name} | ${shown(photos)} | ${shown(lost)} | ${String(starts)} | ${shown(p50)} | ${shown(p99)} | ${shown(max / 1000)} | ${shown(gpuHours)} | ${shown(total)} | ${shown(perThousand)} |`,
    ),
    '',
    '## Against real services',
    '',
    '`bench/capacity` runs preprocess, inference and aggregator as they are, with the default model, and an open loop of Poisson arrivals, the',
    'same ones in several rounds; then it simulates those arrivals. Inference has one core of the machine; the other services and the generator',
    'share the other one. Each cell is *predicted / measured*, percentiles are of the answers of all rounds together.',
    '',
    'What the simulation is given is measured one stage at a time: how long single batches of the engine take, from which it draws; CPU time of',
    'each service’s threads for requests that differ in planes, bytes and views, and for one client, whose every message wakes a process; what',
    'processes use while nobody asks; pauses of garbage collection by kind, which come and last by chance; decoding and resizing. No latency and',
    'no rate is among it. But the cores of a shared machine are not as fast in every minute, nor in every second: a photo takes a quarter more',
    'CPU time in some slices of five seconds than in others of the same minute. So the table has predictions with the *demands of the load',
    'itself*, as models of queueing networks usually have them: CPU time a photo and a process scales what was measured before. When a core was',
    'slow, a yardstick says: the same half a millisecond of work on each core, twenty times a second, in CPU time; and CPU time of the load, slice by',
    'slice, says by how much the load’s work follows it. While the machine’s host has a core for others (read ten times a second) nothing is',
    'done on it. What comes of it (who waits for whom, which batches form, percentiles) is the simulation’s. Predictions from what was measured',
    'minutes before are in the column *before*, as ratios. No figure is fitted so that both agree; but two choices were made by looking at the',
    'session of center-crop, and one of them at dense’s, too: that the yardstick alone says when a core is slow, not slices beside it, and that a thread',
    'that wakes goes first for one slice of Linux’s scheduler, 1.4 ms (of one to three slices, this agreed best). Multi-crop’s is the same with each of them.',
    '*p99 of a round*: the smallest and the largest that was measured, with the same arrivals. Rounds count beside which others used no more',
    `than ${String(MOST_OTHERS)} cores. Processor: ${processors(sessions)}.`,
    '',
    ...sessionsTable(sessions),
    '',
    ...verdict(sessions),
    '',
    '## Make these figures again',
    '',
    '<!-- not run: takes many minutes, and rewrites this page -->',
    '```sh',
    'node dist/bench/capacity.js --protocol center-crop --seconds 50 --out docs/capacity/validation-center-crop.json',
    'node dist/bench/capacity-page.js             # simulates, and writes this page',
    'node dist/bench/capacity-page.js --page-only # writes it from docs/capacity/forecast.json',
    '```',
    '',
    '```sh',
    'npx vgg simulate --instance g6.xlarge --protocol center-crop --rate 5 --duration 60',
    '```',
    '',
  ].join('\n');
}

function verdict(sessions: readonly Session[]): string[] {
  const rows = sessions.flatMap((session) => session.rows);
  const within = (which: 'before' | 'meanwhile') =>
    (['throughput', 'p50', 'p90', 'p99'] as const)
      .map((key) => {
        const close = rows.filter((row) => Math.abs(row[which][key].ratio - 1) <= TOLERANCE);
        return `${String(close.length)} for ${key === 'throughput' ? 'answers a second' : key}`;
      })
      .join(', ');
  const middle = (which: 'before' | 'meanwhile', key: 'p50' | 'p90' | 'p99') =>
    median(rows.map((row) => row[which][key].ratio)).toFixed(2);
  const ratios = (which: 'before' | 'meanwhile') =>
    (['p50', 'p90', 'p99'] as const).map((key) => `${key} ${middle(which, key)}`).join(', ');
  const errorless = ([0.5, 0.9, 0.99] as const)
    .map((part) => `${rowsOfPerfection(sessions, part, TOLERANCE).toFixed(0)} for p${String(100 * part)}`)
    .join(', ');
  const most = (which: 'before' | 'meanwhile') =>
    sessions
      .map((session) => shown(session.atMost[which] / session.measurement.atMost.answersPerSecond))
      .join(', ');
  return [
    `Of ${String(rows.length)} rows, within ${String(100 * TOLERANCE)} %, with the demands of the load: ${within('meanwhile')}. From before: ${within('before')}.`,
    `Rounds with the same arrivals differ so much that a prediction without any error would be within ${String(100 * TOLERANCE)} % in about ${errorless}.`,
    `Median ratios: ${ratios('meanwhile')}; from before ${ratios('before')}. The most that 16 clients get, predicted / measured: ${most('meanwhile')};`,
    `from before ${most('before')}.`,
    '',
    'What is left of the difference: near the limit a part of a hundred in what a photo takes is a seventh in how long it waits, and the 99th',
    'percentile of a minute is what a few photos met, in a second or two in which a core was slow: in every round with the same arrivals it is',
    'another second, and *p99 of a round* says what comes of that. How well a prediction can agree with them is bounded by how well they do.',
  ];
}

function processors(sessions: readonly Session[]): string {
  const models = sessions.map(({ measurement }) => measurement.calibration.table.machine.model.trim());
  return [...new Set(models)].join(', ');
}

const SIZE = { width: 720, height: 280, left: 50 };

/** The day's picture. */
export function dayPicture({ course }: Forecast): string {
  const { width, height, left } = SIZE;
  const x = linearScale(0, 24, left, width - 30, 12);
  const most = Math.max(...course.map(({ rate, tasks }) => Math.max(rate, tasks)));
  const y = linearScale(0, most, height - 40, 60, 5);
  const path = (pick: (point: Forecast['course'][number]) => number, style: string) =>
    course.slice(1).map((point, i) => {
      const before = course[i] ?? point;
      return line(style, x.at(before.hour), y.at(pick(before)), x.at(point.hour), y.at(pick(point)));
    });
  return svgDocument('Photos a second, and tasks of inference, over a day', SIZE, [
    ...y.ticks.map((value) => line('grid', left, y.at(value), width - 30, y.at(value))),
    ...y.ticks.map((value) => label('quiet', left - 8, y.at(value) + 4, String(value), 'end')),
    ...x.ticks.map((hour) => label('quiet', x.at(hour), height - 22, String(hour), 'middle')),
    label('quiet', width - 30, height - 6, 'hour', 'end'),
    ...path(({ rate }) => rate, 'curve training'),
    ...path(({ tasks }) => tasks, 'curve top5'),
    line('curve training', left, 46, left + 24, 46),
    label('quiet', left + 30, 50, 'photos a second'),
    line('curve top5', left + 150, 46, left + 174, 46),
    label('quiet', left + 180, 50, 'tasks that are ready'),
  ]);
}
