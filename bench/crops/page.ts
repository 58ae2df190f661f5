// A page whose prose is written by hand and whose figures are not: between two marks stands what a run gave. Knows
// marks and the order of tables.

import type { Protocol } from '../../vgg/views.ts';
import type { CropsResults } from './results.ts';
import { PEERS } from './peers.ts';
import {
  asMarkdown,
  machineLines,
  productsTable,
  summaryLines,
  sweepLine,
  sweepTable,
  timesTable,
} from './tables.ts';
import type { SweepResults } from './sweep.ts';

/** Of each mark, what belongs there. */
export type Blocks = Record<string, string>;

/**
 * Replaces what stands between `<!-- NAME: generated -->` and `<!-- NAME: end -->`.
 *
 * @throws Error if the page has no such marks
 */
export function filled(page: string, blocks: Blocks): string {
  let text = page;
  for (const [name, block] of Object.entries(blocks)) {
    const [begin, end] = [`<!-- ${name}: generated -->`, `<!-- ${name}: end -->`];
    const from = text.indexOf(begin);
    const to = text.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`Expected ${begin} and ${end} in the page`);
    text = `${text.slice(0, from)}${begin}\n\n${block.trim()}\n\n${text.slice(to)}`;
  }
  return text;
}

const TITLES: Partial<Record<Protocol, string>> = {
  MULTI_CROP: 'crops',
  DENSE: 'dense views, mirrored and not',
};

/** What a run of everybody gave. */
export function cropsBlocks(results: CropsResults): Blocks {
  const { networks, absent } = results;
  const left = absent.map(({ name, reason }) => `Not there: ${name} (${reason}).`);
  return {
    summary: listed(summaryLines(results)),
    run: listed([...machineLines(results), ...left]),
    times: sections(networks, timesTable),
    products: sections(networks, productsTable),
  };
}

/** What a sweep gave. */
export function sweepBlocks(results: SweepResults): Blocks {
  const tables = results.networks.map(
    (network) =>
      `### ${network.name}, planes of any size\n\n${sweepLine(network)}\n\n${asMarkdown(sweepTable(network))}\n`,
  );
  return { sweep: [listed(machineLines(results)), '', ...tables].join('\n') };
}

function sections(networks: CropsResults['networks'], tableOf: typeof timesTable): string {
  return networks
    .flatMap((network) =>
      [...new Set(network.works.map(({ protocol }) => protocol))].map((protocol) => {
        const title = `### ${network.name}, ${TITLES[protocol] ?? protocol}`;
        return `${title}\n\n${asMarkdown(tableOf(network, protocol))}\n`;
      }),
    )
    .join('\n');
}

function listed(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

/** How to get the peers that are not there. */
export function installLine(python: string, absent: CropsResults['absent']): string | undefined {
  const packages = absent.flatMap(
    ({ name }) => Object.entries(PEERS).find(([peer]) => peer === name)?.[1] ?? [],
  );
  return packages.length > 0
    ? `${python} -m pip install ${packages.join(' ')}   (versions that were tried: bench/peers/requirements.txt)`
    : undefined;
}
