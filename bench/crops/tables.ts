// The results as tables, for a terminal or a page. Knows layout and words; measures nothing.

import type { Protocol } from '../../vgg/views.ts';
import {
  agrees,
  columnsOf,
  compared,
  EARLY,
  HERE,
  NAIVE,
  planeTitle,
  sideNames,
  type Comparison,
  type CropsResults,
  type NetworkResult,
  type WorkResult,
} from './results.ts';
import { sweepRatio, type SweepCase, type SweepResults } from './sweep.ts';

/** Cells in rows. */
export interface Table {
  header: string[];
  rows: string[][];
}

/** Columns as wide as they need. */
export function asText({ header, rows }: Table): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   '))
    .map((line) => line.trimEnd())
    .join('\n');
}

/** As Markdown has it. */
export function asMarkdown({ header, rows }: Table): string {
  const lineOf = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [lineOf(header), lineOf(header.map(() => '---')), ...rows.map(lineOf)].join('\n');
}

/** What a side is called where there is room. */
export function sideTitle({ peers }: NetworkResult, name: string): string {
  const version = peers.find((each) => each.name === name)?.version;
  return [TITLES[name] ?? name, ...(version === undefined ? [] : [version])].join(' ');
}

const TITLES: Partial<Record<string, string>> = {
  [NAIVE]: 'each view by itself',
  [HERE]: 'vgg-serve',
  [EARLY]: 'vgg-serve, stop=exact',
  openvino: 'OpenVINO',
  mnn: 'MNN',
  pytorch: 'PyTorch',
};

/** Of each plane and of all together: milliseconds with quartiles, and how many times as fast as NAIVE. */
export function timesTable(network: NetworkResult, protocol: Protocol): Table {
  const columns = columnsOf(network, protocol);
  const all = columns.flatMap(({ works }) => works);
  return {
    header: ['', ...columns.map(({ title }) => title), 'how'],
    rows: sideNames(network, all).map((side) => [
      sideTitle(network, side),
      ...columns.map(({ works }) => {
        const comparison = compared(network, works, side);
        return comparison ? timeCell(comparison, side) : '';
      }),
      how(network, protocol, side),
    ]),
  };
}

function timeCell({ ms, ratio }: Comparison, side: string): string {
  const [unit, name] = ms.middle < 1000 ? [1, 'ms'] : [1000, 's'];
  const [low, middle, high] = [ms.low, ms.middle, ms.high].map((each) => figure(each / unit));
  const times = `${String(middle)} ${name} (${String(low)}–${String(high)})`;
  return side === NAIVE ? times : `${times} ${ratio.middle.toFixed(2)} ×`;
}

// Which views were computed, in which way, and whether their posteriors are the same.
function how({ works, early, peers, difference }: NetworkResult, protocol: Protocol, side: string): string {
  const peer = peers.find(({ name }) => name === side);
  if (peer) {
    const ways = [peer.way, `batches of ${String(peer.batch)}`].filter((way) => way !== 'default');
    const total = works.reduce((sum, work) => sum + (work.protocol === protocol ? work.views : 0), 0);
    const crops = peer.computed < total ? `${String(peer.computed)} crops, scaled` : 'all';
    return `${crops}; ${ways.join(', ')}; ${differenceText(peer.difference)}`;
  }
  const own = works.filter((work) => work.protocol === protocol);
  if (side === EARLY) {
    const taken = early.find((each) => each.protocol === protocol)?.taken;
    return `first class known after ${String(taken)} views`;
  }
  if (side === HERE)
    return [sharedText(own), ...(protocol === 'MULTI_CROP' ? [differenceText(difference)] : [])].join('; ');
  const parts = own.flatMap(({ views, sides }) => {
    const computed = sides[side]?.computed ?? views;
    return computed < views ? [computed] : [];
  });
  return parts.length > 0 ? `${String(Math.max(...parts))} of each plane, scaled` : 'all';
}

function sharedText(works: readonly WorkResult[]): string {
  const total = (name: 'views' | 'together') => works.reduce((sum, work) => sum + work[name], 0);
  const together = total('together');
  if (together === total('views')) return 'all, sharing';
  return together === 0 ? 'all, none sharing' : `all, ${String(together)} sharing`;
}

function differenceText(difference: number): string {
  const text = `posteriors within ${difference.toExponential(0)}`;
  return agrees(difference) ? text : `POSTERIORS DIFFER: ${difference.toExponential(0)}`;
}

/** Billions of multiply-accumulates of each plane and of all together. */
export function productsTable(network: NetworkResult, protocol: Protocol): Table {
  return {
    header: ['plane', 'views', 'each view by itself', 'each activation once', 'as computed here'],
    rows: columnsOf(network, protocol).map(({ title, works }) => {
      const total = (name: 'alone' | 'once' | 'units') =>
        works.reduce((sum, { products }) => sum + products[name], 0);
      const fewer = (name: 'once' | 'units') => {
        const times = (total('alone') / total(name)).toFixed(2);
        return figure(total(name) / 1e9) + (times === '1.00' ? '' : ` (${times} times fewer)`);
      };
      const views = works.reduce((sum, each) => sum + each.views, 0);
      return [title, String(views), figure(total('alone') / 1e9), fewer('once'), fewer('units')];
    }),
  };
}

/** One line for each network: what its crops take, and next to whom. */
export function summaryLines({ networks }: CropsResults): string[] {
  return networks.flatMap((network) => {
    const crops = network.works.filter(({ protocol }) => protocol === 'MULTI_CROP');
    const here = compared(network, crops, HERE);
    const naive = compared(network, crops, NAIVE);
    if (!here || !naive) return [];
    const views = crops.reduce((sum, each) => sum + each.views, 0);
    const others = network.peers
      .filter(({ difference }) => agrees(difference))
      .flatMap(({ name }) => {
        const ms = compared(network, crops, name)?.ms.middle;
        return ms === undefined ? [] : [{ name, ms }];
      })
      .sort((a, b) => a.ms - b.ms);
    const [quickest] = others;
    const beside = quickest
      ? `, and ${(quickest.ms / here.ms.middle).toFixed(1)} times as fast as ${sideTitle(network, quickest.name)}, the quickest of the others`
      : '';
    return [
      `${network.name}: ${String(views)} crops in ${seconds(here.ms.middle)}, ${here.ratio.middle.toFixed(1)} times as fast as each by itself (${seconds(naive.ms.middle)})${beside}.`,
    ];
  });
}

/** How many times as fast as NAIVE the default is on each plane: a column for each way of laying views. */
export function sweepTable({ cases }: SweepResults['networks'][number]): Table {
  const names = [...new Set(cases.map(caseTitle))];
  const planes = [...new Set(cases.map(({ plane }) => planeTitle(plane)))];
  return {
    header: ['plane', ...names],
    rows: planes.map((plane) => [
      plane,
      ...names.map((name) => {
        const found = cases.find((each) => planeTitle(each.plane) === plane && caseTitle(each) === name);
        if (!found) return '';
        if (!found.here) return 'apart';
        const ratio = sweepRatio(found);
        return ratio < SLOWER ? `SLOWER: ${ratio.toFixed(2)}` : ratio.toFixed(2);
      }),
    ]),
  };
}

/** The range of what is computed together, in one line. */
export function sweepLine({ name, cases }: SweepResults['networks'][number]): string {
  const ratios = cases.filter(({ here }) => here).map(sweepRatio);
  const apart = `${String(cases.length - ratios.length)} of ${String(cases.length)} apart`;
  if (ratios.length === 0) return `${name}: ${apart}.`;
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
  return `${name}: ${String(least)} to ${String(most)} times as fast; ${apart}.`;
}

// Measured twice, the same comes out as different by so much.
const SLOWER = 0.95;

function caseTitle({ grid, align }: SweepCase): string {
  if (grid === undefined) return 'dense';
  return `${String(grid)} × ${String(grid)}${align === 1 ? '' : `, by ${String(align)}`}`;
}

/** What a run was made on, and how. */
export function machineLines({
  command,
  machine,
  repeats,
}: Pick<CropsResults, 'command' | 'machine' | 'repeats'>): string[] {
  const { processor, cores, threads, node, engine, gpu, load } = machine;
  return [
    `\`${command}\``,
    `${processor}, ${String(cores)} cores, ${String(threads)} threads for everybody; Node ${node}, ${engine}${gpu === undefined ? '' : ` on ${gpu}`}.`,
    `Medians and quartiles of ${String(repeats)} rounds.`,
    `Processes that wanted a core, a mean over a minute: ${String(load[0])} before, ${String(load[1])} after.`,
  ];
}

function seconds(ms: number): string {
  return `${figure(ms / 1000)} s`;
}

// Three digits, or all before the point.
function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2);
}
