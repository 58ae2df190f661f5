// What the services say of themselves: where a photo's time went, and how many views their batches had. Knows the
// figures of the server side; stages by the names that they came with.

import type { LoadTestResult, ServerSide, Step } from '../../result.ts';
import { count, loadKey, loadName, ms, percent } from '../figures.ts';
import { hueOf } from './hues.ts';
import { html, type Markup } from './markup.ts';
import { rowsPlot, type Row } from './plot.ts';
import { foldedTable } from './table.ts';

// The stages that follow each other; their sum is at most the total, since preparing and computing overlap. Decoding
// and resizing are inside prepare.
const FOLLOWING = ['prepare', 'queue', 'compute'];
const STYLES: Record<string, string> = { prepare: 'c2', queue: 'quiet', compute: 'c1', rest: 'c4' };

interface Side {
  label: string;
  server: ServerSide;
}

/** Where the time of a photo goes, a row a step. */
export function stagesPlot({ steps }: LoadTestResult, predicted?: LoadTestResult): Markup {
  // A gateway's metrics alone have no stages of the road.
  const onRoad = (stage: string) => stage === 'total' || FOLLOWING.includes(stage);
  const sides = sidesOf(steps, predicted).filter(({ server }) =>
    server.stages.some(({ stage }) => onRoad(stage)),
  );
  if (sides.length === 0) return html``;
  return html`${rowsPlot(
    {
      id: 'stages',
      title: 'Where the time goes',
      description: `Mean milliseconds of a photo in each stage, as the aggregator measures them. ${sides.map(({ label, server }) => `${label}: ${server.stages.map(({ stage, meanMs }) => `${stage} ${ms(meanMs)}`).join(', ')}`).join('; ')}.`,
    },
    sides.map(({ label, server }) => stageRow(label, server)),
    { axis: 'milliseconds of a photo, mean', legend: true },
  )}${foldedTable({
    caption: 'Stages',
    header: ['load', 'stage', 'mean, ms', 'times'],
    rows: sides.flatMap(({ label, server }) =>
      server.stages.map(({ stage, meanMs, count: times }) => [
        ...[label, stage],
        ...[
          { value: meanMs, text: ms(meanMs) },
          { value: times, text: count(times) },
        ],
      ]),
    ),
  })}`;
}

function stageRow(label: string, { stages }: ServerSide): Row {
  const mean = (wanted: string) => stages.find(({ stage }) => stage === wanted)?.meanMs;
  const parts = FOLLOWING.flatMap((stage) => {
    const value = mean(stage);
    return value === undefined ? [] : [{ name: stage, style: STYLES[stage] ?? 'c3', value }];
  });
  const sum = parts.reduce((all, { value }) => all + value, 0);
  const total = mean('total') ?? sum;
  return {
    label,
    parts:
      total > sum ? [...parts, { name: 'rest', style: STYLES['rest'] ?? 'c4', value: total - sum }] : parts,
    note: `${ms(total)} ms`,
  };
}

/** How many views batches had: of one step a row a size, of several a row a step. */
export function batchPlot({ steps }: LoadTestResult, predicted?: LoadTestResult): Markup {
  const sides = sidesOf(steps, predicted).filter(({ server }) => server.batches.count > 0);
  const [first] = sides;
  if (!first) return html``;
  const picture = {
    id: 'batches',
    title: 'Views of a batch',
    description: sides
      .map(
        ({ label, server: { batches } }) =>
          `${label}: ${count(batches.count)} batches, ${batches.meanViews.toFixed(1)} views each on average.`,
      )
      .join(' '),
  };
  const measured = sidesOf(steps).filter(({ server }) => server.batches.count > 0);
  return html`${
    measured.length === 1
      ? rowsPlot(picture, sizeRows(first.server, sides.length > 1 ? sides.at(-1)?.server : undefined), {
          axis: `% of batches${sides.length > 1 ? '; the stroke across is predicted' : ''}`,
          legend: false,
        })
      : rowsPlot(picture, sides.map(batchRow), { axis: '% of batches, by their views', legend: true })
  }${foldedTable({
    caption: 'Batches by their views',
    header: ['load', 'views', 'batches', 'part'],
    rows: sides.flatMap(({ label, server: { batches } }) =>
      batches.sizes.map(({ upTo, count: times }, i) => [
        ...[label, sizeName(batches.sizes, i, upTo)],
        { value: times, text: count(times) },
        { value: times / batches.count, text: percent(times / batches.count) },
      ]),
    ),
  })}`;
}

function sizeRows({ batches }: ServerSide, predicted?: ServerSide): Row[] {
  return batches.sizes.map(({ upTo, count: times }, i) => {
    const guess = predicted?.batches.sizes.find((size) => size.upTo === upTo);
    const name = sizeName(batches.sizes, i, upTo);
    return {
      label: name,
      parts: [{ name, style: 'c1', value: (100 * times) / batches.count }],
      note: percent(times / batches.count),
      ghost: guess && predicted ? (100 * guess.count) / predicted.batches.count : undefined,
    };
  });
}

function batchRow({ label, server: { batches } }: Side): Row {
  return {
    label,
    parts: batches.sizes.map(({ upTo, count: times }, i) => ({
      name: `${sizeName(batches.sizes, i, upTo)} views`,
      style: 'hue',
      hue: hueOf(i, batches.sizes.length),
      value: (100 * times) / batches.count,
    })),
    note: `mean ${batches.meanViews.toFixed(1)}`,
  };
}

function sizeName(sizes: ServerSide['batches']['sizes'], i: number, upTo: number | null): string {
  const least = (sizes[i - 1]?.upTo ?? 0) + 1;
  if (upTo === null) return `${count(least)} or more`;
  return least === upTo ? count(upTo) : `${count(least)} to ${count(upTo)}`;
}

// Measured steps, each followed by its prediction.
function sidesOf(steps: readonly Step[], predicted?: LoadTestResult): Side[] {
  return steps.flatMap(({ load, server }) => {
    if (!server) return [];
    const label = loadName(load);
    const guess = predicted?.steps.find((step) => loadKey(step.load) === loadKey(load))?.server;
    return [{ label, server }, ...(guess ? [{ label: `${label}, predicted`, server: guess }] : [])];
  });
}
