// What the network says at each location of a plane: its class score map as probabilities of one class. Draws SVG.

import type { Plane, ScoreMap } from '../../../sdk/index.ts';
import { number, svgDocument, text } from '../../../drawing/svg.ts';
import { planeImage } from './planes-picture.ts';

const SCALE = 1.8;
const LEFT = 16;
const TOP = 70;
const GAP = 32;
// Pixels of the plane between two locations: five pools of stride 2.
const STRIDE = 32;

/**
 * The picture: the plane with its locations, and the map.
 *
 * @param classIndex whose probabilities are shown
 * @param inputSize side of what one location is computed from
 */
export async function scoreMapPicture(
  plane: Plane,
  map: ScoreMap,
  { label, classIndex, inputSize }: { label: string; classIndex: number; inputSize: number },
): Promise<string> {
  const chances = probabilities(map, classIndex);
  const side = STRIDE * SCALE;
  const right = LEFT + plane.width * SCALE + GAP;
  const offset = ((inputSize - STRIDE) / 2) * SCALE;
  const cells = chances.flatMap((row, r) =>
    row.map((chance, c) => {
      const [x, y] = [offset + c * side, TOP + offset + r * side];
      return [
        `<rect class="cell" x="${number(LEFT + x)}" y="${number(y)}" width="${number(side)}" height="${number(side)}"/>`,
        `<rect class="heat" fill-opacity="${chance.toFixed(2)}" x="${number(right + x)}" y="${number(y)}" width="${number(side)}" height="${number(side)}"/>`,
        text('', right + x + side / 2, y + side / 2 + 4, String(Math.round(chance * 100)), 'middle'),
      ].join('');
    }),
  );
  const corner = `x="${number(LEFT)}" y="${number(TOP)}" width="${number(inputSize * SCALE)}" height="${number(inputSize * SCALE)}"`;
  return svgDocument(
    `A plane of ${String(plane.width)} × ${String(plane.height)} px and its class score map, ${String(map.height)} × ${String(map.width)}`,
    { width: right + plane.width * SCALE + LEFT, height: TOP + plane.height * SCALE + 20, left: LEFT },
    [
      `<style>.cell { fill: none; stroke: #ffffff; stroke-width: 0.8; stroke-opacity: 0.8 }
  .heat { fill: #d55e00; fill: var(--validation); stroke: #d8dee4; stroke: var(--faint) }
  .field { fill: none; stroke: #ffd23f; stroke-width: 2.5 }</style>`,
      text('quiet', LEFT, TOP - 12, 'yellow: what the first location is computed from'),
      text('quiet', right, TOP - 12, `probability of ${label} at each location, in hundredths`),
      await planeImage(plane, LEFT, TOP, SCALE),
      ...cells,
      `<rect class="field" ${corner}/>`,
    ],
  );
}

// [height, width, classes] → [height][width], softmax at each location.
function probabilities({ height, width, classes, values }: ScoreMap, classIndex: number): number[][] {
  return Array.from({ length: height }, (_, r) =>
    Array.from({ length: width }, (_, c) => {
      const scores = values.subarray((r * width + c) * classes, (r * width + c + 1) * classes);
      const most = Math.max(...scores);
      const sum = scores.reduce((total, score) => total + Math.exp(score - most), 0);
      return Math.exp((scores[classIndex] ?? -Infinity) - most) / sum;
    }),
  );
}
