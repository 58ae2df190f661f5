// Crops along one axis, layer by layer: which of their activations are the same, and how far their edges reach in.
// Knows keys; neither tiles nor the other axis.

import { line, svgDocument, text } from '../../drawing/svg.ts';
import type { NetworkSpec } from '../../vgg/networks.ts';
import { OUTSIDE, type AxisLevel } from '../../vgg/sharing/axis.ts';
import { pixelAxes, sharedStages } from '../../vgg/sharing/stages.ts';
import type { View } from '../../vgg/views.ts';
import { areas, FILLS, legend } from './drawing.ts';

const WIDTH = 900;
const LEFT = 88;
const BARS = 560;
const BAR = 6;
const TOP = 132;

/** An activation of a crop: computed for several, computed for one since its edge is in it, or had already. */
type Kind = 'clean' | 'edge' | 'again';

interface Level {
  name: string;
  axis: AxisLevel;
  /** Pixels from place to place. */
  stride: number;
  /** Of each key, whether it depends on a crop's edge. */
  isEdge: readonly boolean[];
}

/** The columns of crops that are as high and not mirrored. */
export function axisPicture(spec: NetworkSpec, planeWidth: number, views: readonly View[]): string {
  const levels = levelsOf(spec, views);
  const x = BARS / planeWidth;
  const starts = (levels[0]?.axis.spans ?? []).map((keys) => levels[0]?.axis.reads[keys[0] ?? 0] ?? 0);
  const height = starts.length * (BAR + 1) + 10;
  const title = `What ${String(starts.length)} crops of a plane ${String(planeWidth)} pixels wide share, layer by layer, along one axis`;
  return svgDocument(title, { width: WIDTH, height: TOP + height * levels.length + 20, left: 24 }, [
    FILLS,
    ...legend(LEFT, 60, [
      ['clean', 'computed, clean of the crop’s edge'],
      ['again', 'the same as in a crop above: not computed again'],
      ['edge', 'computed, depends on the zeros beyond the crop’s edge'],
    ]),
    ...['edge', 'computed', 'of all'].map((name, i) =>
      text('quiet', LEFT + BARS + 64 + 66 * i, TOP - 14, name, 'end'),
    ),
    ...levels.flatMap((level, i) => drawn(level, starts, TOP + height * i, x)),
  ]);
}

function levelsOf(spec: NetworkSpec, views: readonly View[]): Level[] {
  const pixels = pixelAxes(views);
  const axis = pixels.columns;
  const levels: Level[] = [
    { name: 'pixels', axis, stride: 1, isEdge: new Array<boolean>(axis.keys).fill(false) },
  ];
  // Without tiles every layer is a stage.
  for (const { layer, axes } of sharedStages(spec, pixels, () => 0)) {
    const below = levels.at(-1);
    if (!below || layer.name === 'fc6') break;
    const { columns } = axes;
    const reads = columns.reads.length / columns.keys;
    const isEdge = Array.from({ length: columns.keys }, (_, key) =>
      columns.reads
        .subarray(key * reads, (key + 1) * reads)
        .some((source) => source === OUTSIDE || below.isEdge[source]),
    );
    const stride = below.stride * (layer.kind === 'pool' ? 2 : 1);
    // A layer that reads a place by itself leaves keys as they are.
    levels.push({
      name: layer.name,
      axis: columns,
      stride,
      isEdge: columns === below.axis ? below.isEdge : isEdge,
    });
  }
  return levels;
}

function drawn({ name, axis, stride, isEdge }: Level, starts: readonly number[], top: number, scale: number) {
  const known = new Set<number>();
  const kinds = axis.spans.map((keys) =>
    Array.from(keys, (key): Kind => {
      if (known.has(key)) return 'again';
      known.add(key);
      return isEdge[key] ? 'edge' : 'clean';
    }),
  );
  const reach = isEdge[axis.spans[0]?.[0] ?? 0] ? (axis.spans[0]?.findIndex((key) => !isEdge[key]) ?? 0) : 0;
  const places = kinds.reduce((sum, each) => sum + each.length, 0);
  const boxes = kinds.flatMap((each, crop) =>
    runsOf(each).map(({ kind, from, to }) => ({
      kind,
      x: LEFT + ((starts[crop] ?? 0) + from * stride) * scale,
      y: top + crop * (BAR + 1),
      width: (to - from) * stride * scale,
      height: BAR,
    })),
  );
  return [
    text('', LEFT - 12, top + 24, name, 'end'),
    ...(['clean', 'again', 'edge'] as const).map((kind) =>
      areas(
        kind,
        boxes.filter((box) => box.kind === kind),
      ),
    ),
    ...(stride * scale >= 6 ? cuts(kinds, starts, top, stride * scale, scale) : []),
    ...[
      reach < 0 ? 'all' : String(reach),
      axis.keys.toLocaleString('en-US'),
      places.toLocaleString('en-US'),
    ].map((number, i) => text('number', LEFT + BARS + 64 + 66 * i, top + 24, number, 'end')),
  ];
}

// Between places, where they are wide enough to be told apart.
function cuts(kinds: readonly Kind[][], starts: readonly number[], top: number, step: number, scale: number) {
  return kinds.flatMap((each, crop) =>
    each.map((_, place) => {
      const x = LEFT + (starts[crop] ?? 0) * scale + place * step;
      const y = top + crop * (BAR + 1);
      return line('cut', x, y, x, y + BAR);
    }),
  );
}

function runsOf(kinds: readonly Kind[]): { kind: Kind; from: number; to: number }[] {
  const runs: { kind: Kind; from: number; to: number }[] = [];
  for (const [place, kind] of kinds.entries()) {
    const last = runs.at(-1);
    if (last?.kind === kind) last.to = place + 1;
    else runs.push({ kind, from: place, to: place + 1 });
  }
  return runs;
}
