// How views become an answer: each view's probability of a class, and their mean as it forms. Draws SVG.

import type { ViewScore } from '../../../sdk/index.ts';
import { line, number, svgDocument, text } from '../../../drawing/svg.ts';

const LEFT = 48;
const TOP = 60;
const WIDTH = 640;
const HEIGHT = 240;

/** The picture: a dot a view in view order, the weighted mean so far as a line. */
export function averagePicture(
  scores: readonly ViewScore[],
  { label, classIndex }: { label: string; classIndex: number },
): string {
  const x = (i: number) => LEFT + ((i + 0.5) / scores.length) * WIDTH;
  const y = (chance: number) => TOP + (1 - chance) * HEIGHT;
  let [sum, weight] = [0, 0];
  const means = scores.map(({ posterior, view }) => {
    sum += view.weight * (posterior[classIndex] ?? 0);
    weight += view.weight;
    return sum / weight;
  });
  const scales = [...new Set(scores.map(({ scale }) => scale))];
  const first = (scale: number) => scores.findIndex((each) => each.scale === scale);
  const path = means.map((mean, i) => `${i === 0 ? 'M' : 'L'}${number(x(i))} ${number(y(mean))}`).join('');
  return svgDocument(
    `The answer is the mean of ${String(scores.length)} views`,
    { width: LEFT + WIDTH + 72, height: TOP + HEIGHT + 44, left: LEFT },
    [
      `<style>.dot { fill: #0072b2; fill: var(--training); fill-opacity: 0.6 } .mirrored { fill: #009e73; fill: var(--top5) }</style>`,
      ...[0, 0.25, 0.5, 0.75, 1].flatMap((chance) => [
        line('grid', LEFT, y(chance), LEFT + WIDTH, y(chance)),
        text('quiet', LEFT - 8, y(chance) + 4, String(chance), 'end'),
      ]),
      ...scales.flatMap((scale) => [
        ...(first(scale) > 0
          ? [line('drop', x(first(scale) - 0.5), TOP, x(first(scale) - 0.5), TOP + HEIGHT)]
          : []),
        text('quiet', x(first(scale)), TOP + HEIGHT + 18, `views of Q = ${String(scale)}`),
      ]),
      text(
        'quiet',
        LEFT,
        TOP - 12,
        `probability of ${label}: dots, each view (green: mirrored); line, the mean so far`,
      ),
      ...scores.map(({ posterior, view }, i) => {
        const style = view.mirrored ? 'dot mirrored' : 'dot';
        return `<circle class="${style}" cx="${number(x(i))}" cy="${number(y(posterior[classIndex] ?? 0))}" r="3"/>`;
      }),
      `<path class="curve validation" d="${path}"/>`,
      text('', LEFT + WIDTH + 8, y(means.at(-1) ?? 0) + 4, (means.at(-1) ?? 0).toFixed(3)),
    ],
  );
}
