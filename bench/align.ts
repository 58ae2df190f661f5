// What the alignment of multi-crop's grid saves, and how far it moves crops: counted, so that the machine has no say.
//
//     node dist/bench/align.js [--network D] [--input-size 224] [--photo 640x480] [--scales 256,384,512] [--align 1,2,4,8,16]
//
// Multiply-accumulates of all crops of a photo, in 10^9: each crop by itself; with what the crops of a plane have in
// common computed once; and that in tiles of Winograd's convolution, as the engines compute it.

import { integer, named } from '../cli/options.ts';
import { table } from '../cli/terminal.ts';
import { tileOutputs } from '../vgg/sharing/tile-sides.ts';
import { evaluationViews, macs, NETWORK_NAMES, resolveEvaluation, type NetworkSpec } from '../vgg/index.ts';
import { pixelAxes, sharedCost, sharedStages, type TileOutputs } from '../vgg/sharing/stages.ts';
import { parseOptions } from './options.ts';

const { values } = parseOptions(import.meta.url, {
  options: {
    network: { type: 'string', default: 'D' },
    'input-size': { type: 'string', default: '224' },
    photo: { type: 'string', default: '640x480' },
    scales: { type: 'string', default: '256,384,512' },
    align: { type: 'string', default: '1,2,4,8,16' },
  },
});
const numbers = (text: string, between: string, option: string) =>
  text.split(between).map((each) => integer(each, option, 1, 1e6));
const network = named(NETWORK_NAMES, values.network, '--network');
const inputSize = integer(values['input-size'], '--input-size', 32, 1024);
const spec: NetworkSpec = { network, width: 1, hidden: 4096, classes: 1000, inputSize };
const [width = 0, height = 0] = numbers(values.photo, 'x', '--photo');
const scales = numbers(values.scales, ',', '--scales');

const regular = gridOf(1);
const alone = regular.views.length * macs(spec, inputSize, inputSize);
const rows = numbers(values.align, ',', '--align').map((align) => {
  const grid = gridOf(align);
  const [plain, tiles] = [once(grid, () => 0), once(grid, tileOutputs)];
  return [
    ...[String(align), giga(alone), giga(plain), giga(tiles), (alone / tiles).toFixed(2)],
    ...scales.map((_, plane) => `${String(shift(grid, plane, 'x'))}, ${String(shift(grid, plane, 'y'))}`),
  ];
});
console.log(
  `${network}, ${String(regular.views.length)} crops of a photo of ${values.photo}; largest shift of a crop, x and y, in pixels`,
);
const shifts = scales.map((scale) => `shift at ${String(scale)}`);
for (const line of table(['align', 'by itself', 'once', 'in tiles', 'saves ×', ...shifts], rows))
  console.log(line);

type Grid = ReturnType<typeof gridOf>;

function gridOf(align: number) {
  const evaluation = resolveEvaluation({ protocol: 'MULTI_CROP', scales, align }, { inputSize });
  return evaluationViews({ width, height }, evaluation, inputSize);
}

function once({ planes, views }: Grid, tiles: TileOutputs): number {
  const costs = planes.map(({ index }) => {
    const own = views.filter(({ plane }) => plane === index);
    return sharedCost(sharedStages(spec, pixelAxes(own), tiles)).products;
  });
  return costs.reduce((sum, cost) => sum + cost, 0);
}

// From the regular grid.
function shift({ views }: Grid, plane: number, side: 'x' | 'y'): number {
  return Math.max(
    ...views.map((view, i) =>
      view.plane === plane ? Math.abs(view[side] - (regular.views[i]?.[side] ?? 0)) : 0,
    ),
  );
}

function giga(cost: number): string {
  return (cost / 1e9).toFixed(0);
}
