// Lists of views of one plane, of every kind: a protocol's, rectangles anywhere, several times the same. Knows what a
// view may be; not what is computed of it.

import fc from 'fast-check';
import { evaluationViews, PROTOCOLS, resolveEvaluation, type Size, type View } from '../../../vgg/views.ts';

/** Views, and the plane that they lie in. */
export interface ViewList {
  plane: Size;
  views: View[];
}

/** A protocol's views of the first plane. */
export function protocolViews(
  plane: Size,
  inputSize: number,
  asked: { protocol: (typeof PROTOCOLS)[number]; grid?: number; align?: number },
): View[] {
  const scale = Math.min(plane.width, plane.height);
  const evaluation = resolveEvaluation({ ...asked, scales: [scale] }, { inputSize });
  return evaluationViews(plane, evaluation, inputSize).views.filter((view) => view.plane === 0);
}

/** Any rectangle of a plane, of at least inputSize × inputSize. */
export function anyView(plane: Size, inputSize: number): fc.Arbitrary<View> {
  const side = (length: number) =>
    fc
      .integer({ min: inputSize, max: length })
      .chain((size) => fc.tuple(fc.integer({ min: 0, max: length - size }), fc.constant(size)));
  return fc
    .tuple(side(plane.width), side(plane.height), fc.boolean())
    .map(([[x, width], [y, height], mirrored]) => ({
      ...{ index: 0, plane: 0, weight: 1 },
      ...{ x, y, width, height, mirrored },
    }));
}

/** A protocol's views, some rectangles, or both in any order, on a plane whose sides are often odd. */
export function anyViews(inputSize: number, longest: number): fc.Arbitrary<ViewList> {
  const side = fc.integer({ min: inputSize, max: longest });
  return fc.record({ width: side, height: side }).chain((plane) => {
    const protocol = fc
      .record({
        protocol: fc.constantFrom(...PROTOCOLS),
        grid: fc.integer({ min: 1, max: 3 }),
        align: fc.constantFrom(1, 2, 3, 4, 8, 16),
      })
      .map((asked) => protocolViews(plane, inputSize, asked));
    const rectangles = fc.array(anyView(plane, inputSize), { minLength: 1, maxLength: 5 });
    return fc
      .oneof(
        rectangles,
        protocol,
        fc
          .tuple(protocol, rectangles)
          .chain(([some, others]) => fc.shuffledSubarray([...some, ...others], { minLength: 1 })),
      )
      .map((views) => ({ plane, views: views.map((view, index) => ({ ...view, index })) }));
  });
}
