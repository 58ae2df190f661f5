// How far a view's own edge reaches in, as theory: an activation is clean of the edge from c places on, where c grows
// by 1 at a filter of 3 × 3, by 2 at one of 5 × 5, and halves, rounded up, at a pool. Keys are held to it: clean ones
// are those of any other view that is clean there, and no others are.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NETWORK_NAMES, networkLayers, type NetworkName } from '../../../vgg/networks.ts';
import { pixelAxes, sharedStages } from '../../../vgg/sharing/stages.ts';
import type { View } from '../../../vgg/views.ts';
import { protocolViews } from './view-lists.ts';

interface Edge {
  layer: string;
  /** Places from an edge that depend on it. */
  reach: number;
  /** Pixels from place to place. */
  stride: number;
  /** Places along a crop's side. */
  length: number;
}

// The recurrence, for the layers between pixels and fc6.
function edgesOf(network: NetworkName, side: number): Edge[] {
  let [reach, stride, length] = [0, 1, side];
  return networkLayers({ network, width: 1, hidden: 1, classes: 1, inputSize: 32 })
    .filter(({ name }) => !name.startsWith('fc'))
    .map((layer) => {
      if (layer.kind === 'pool') {
        reach = Math.ceil(reach / 2);
        stride *= 2;
        length = Math.floor(length / 2);
      } else if (layer.kind === 'conv') {
        reach += { 1: 0, 3: 1, 5: 2 }[layer.kernel] ?? NaN;
      }
      return { layer: layer.name, reach, stride, length };
    });
}

// Columns of views of one height, layer by layer: of each view, its keys.
function columnsOf(network: NetworkName, views: readonly View[]): { spans: Int32Array[]; keys: number }[] {
  const spec = { network, width: 1 / 64, hidden: 1, classes: 1, inputSize: 32 };
  return sharedStages(spec, pixelAxes(views), () => 0).map(({ axes: { columns, views } }) => ({
    spans: views.map(({ column }) => columns.spans[column] ?? new Int32Array()),
    keys: columns.keys,
  }));
}

const view = (x: number, width: number, mirrored = false): View => ({
  ...{ index: 0, plane: 0, weight: 1 },
  ...{ x, y: 0, width, height: 32, mirrored },
});

test('D’s edge, by hand', () => {
  const reaches = edgesOf('D', 224).map(({ layer, reach }) => `${layer} ${String(reach)}`);
  expect(reaches.join(', ')).toBe(
    [
      'conv1_1 1, conv1_2 2, pool1 1, conv2_1 2, conv2_2 3, pool2 2, conv3_1 3, conv3_2 4, conv3_3 5, pool3 3',
      'conv4_1 4, conv4_2 5, conv4_3 6, pool4 3, conv5_1 4, conv5_2 5, conv5_3 6, pool5 3',
    ].join(', '),
  );
});

test('a crop’s clean activations are the whole plane’s, and no others are', () => {
  const at = fc.record({
    network: fc.constantFrom(...NETWORK_NAMES),
    side: fc.integer({ min: 1, max: 7 }).map((blocks) => 32 * blocks),
    start: fc.integer({ min: 1, max: 200 }),
    after: fc.integer({ min: 1, max: 200 }),
  });
  fc.assert(
    fc.property(at, ({ network, side, start, after }) => {
      const edges = edgesOf(network, side);
      const levels = columnsOf(network, [view(0, start + side + after), view(start, side)]);
      for (const [layer, { reach, stride, length }] of edges.entries()) {
        const [whole = new Int32Array(), crop = new Int32Array()] = levels[layer]?.spans ?? [];
        const ofWhole = new Set(whole);
        expect(crop.length).toBe(length);
        for (const [place, key] of crop.entries()) {
          // Clean of the crop's own edge, and of the plane's, which is one too.
          const clean = place >= reach && place < length - reach;
          const onPlane = start / stride + place;
          const inPhase = start % stride === 0;
          const far = onPlane >= reach && onPlane < whole.length - reach;
          if (inPhase && clean && far) expect(key).toBe(whole[onPlane]);
          if (!inPhase || !clean) expect(ofWhole.has(key)).toBe(false);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('crops whose edge is the plane’s share that too', () => {
  for (const { spans } of columnsOf('D', [view(0, 350), view(0, 224)]).slice(0, 18)) {
    const [whole = new Int32Array(), crop = new Int32Array()] = spans;
    expect(crop[0]).toBe(whole[0]);
  }
});

test('two crops have as many keys as their clean places leave over', () => {
  const apart = fc.integer({ min: 1, max: 224 });
  fc.assert(
    fc.property(fc.constantFrom(...NETWORK_NAMES), apart, (network, distance) => {
      const levels = columnsOf(network, [view(0, 224), view(distance, 224)]);
      for (const [layer, { reach, stride, length }] of edgesOf(network, 224).entries()) {
        // Clean in both; the first crop's clean places end where the second's begin, and more.
        const common = distance % stride === 0 ? Math.max(0, length - 2 * reach - distance / stride) : 0;
        expect(levels[layer]?.keys).toBe(2 * length - common);
      }
    }),
    { numRuns: 100 },
  );
});

test('mirrored crops share nothing with the others but pixels', () => {
  for (const { spans } of columnsOf('B', [view(0, 224), view(32, 224, true)])) {
    const [plain, mirrored] = spans.map((keys) => new Set(keys));
    expect([...(plain ?? [])].filter((key) => mirrored?.has(key))).toEqual([]);
  }
});

test('a grid has one set of clean keys, and edges for every crop', () => {
  // All offsets are multiples of 8: crops are in phase up to that stride.
  const plane = { width: 512, height: 384 };
  const views = protocolViews(plane, 224, { protocol: 'MULTI_CROP', align: 8 });
  const offsets = [...new Set(views.map(({ x }) => x))];
  expect(offsets).toEqual([0, 72, 144, 216, 288]);
  const levels = columnsOf(
    'D',
    views.filter(({ y, mirrored }) => y === 0 && !mirrored),
  );
  for (const [layer, { stride, reach, length }] of edgesOf('D', 224).entries()) {
    if (stride > 8) continue;
    const clean = new Set(
      offsets.flatMap((x) =>
        Array.from({ length: length - 2 * reach }, (_, place) => x / stride + reach + place),
      ),
    );
    expect(levels[layer]?.keys).toBe(clean.size + offsets.length * 2 * reach);
  }
});
