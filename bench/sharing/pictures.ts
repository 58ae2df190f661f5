// The pictures of what views share, each of the views that show it best. Knows networks and photos; not files.

import type { NetworkSpec } from '../../vgg/networks.ts';
import { photoSavings, summedSavings, type PlaneSavings } from '../../vgg/sharing/savings.ts';
import { tileOutputs } from '../../vgg/sharing/tile-sides.ts';
import { evaluationViews, resolveEvaluation, type Protocol, type Size } from '../../vgg/views.ts';
import { axisPicture } from './axis-picture.ts';
import { productsPicture } from './products-picture.ts';
import { statePicture } from './state-picture.ts';

/** Whose views are drawn. */
export interface Subject {
  spec: NetworkSpec;
  photo: Size;
  /** Three, from the smallest. */
  scales: readonly number[];
  align: number;
}

/** The paper's D, and a photo in the shape of most. */
export const SUBJECT: Subject = {
  spec: { network: 'D', width: 1, hidden: 4096, classes: 1000, inputSize: 224 },
  photo: { width: 640, height: 480 },
  scales: [256, 384, 512],
  align: 8,
};

/** File names and SVG documents. */
export function sharingPictures({ spec, photo, scales, align }: Subject): [file: string, svg: string][] {
  const asked = (protocol: Protocol, scales: readonly number[]) =>
    resolveEvaluation({ protocol, scales, align }, { inputSize: spec.inputSize });
  // Mirrored views share among themselves, in the same way.
  const firstPlane = (protocol: Protocol, scale: number) => {
    const { planes, views } = evaluationViews(photo, asked(protocol, [scale]), spec.inputSize);
    const [plane = photo] = planes;
    return { plane, views: views.filter((view) => view.plane === 0 && !view.mirrored) };
  };
  const [small = spec.inputSize, middle = small] = scales;
  const axis = firstPlane('MULTI_CROP', middle);
  const state = firstPlane('DENSE_AND_MULTI_CROP', small);
  const savings = photoSavings(spec, photo, asked('MULTI_CROP', scales), tileOutputs);
  return [
    ['axis.svg', axisPicture(spec, axis.plane.width, axis.views)],
    ['state.svg', statePicture(spec, state.plane, state.views, 'conv4_1')],
    ['products.svg', productsPicture(spec.network, savings)],
  ];
}

/** What views cost, in GMAC, and how many times less together: a table in Markdown. */
export function productsTable({ spec, photo, scales }: Subject): string {
  const rows = (['MULTI_CROP', 'DENSE_AND_MULTI_CROP'] as const).flatMap((protocol) => {
    const [aligned = [], exact = []] = [8, 1].map((align) => {
      const asked = { protocol, scales, align };
      const evaluation = resolveEvaluation(asked, { inputSize: spec.inputSize });
      return photoSavings(spec, photo, evaluation, tileOutputs);
    });
    const row = (plane: string, some: readonly PlaneSavings[], others: readonly PlaneSavings[]) => {
      const views = some.reduce((sum, plane) => sum + plane.views, 0);
      const [{ direct, alone, together }, other] = [some, others].map((planes) =>
        summedSavings(planes.map(({ total }) => total)),
      ) as [PlaneSavings['total'], PlaneSavings['total']];
      return [
        ...[protocol === 'MULTI_CROP' ? 'crops' : 'crops and whole planes', plane, String(views)],
        ...[giga(direct), giga(alone.products)],
        ...[together, other.together].map(
          ({ products }) => `${giga(products)} (${(direct / products).toFixed(2)} ×)`,
        ),
      ];
    };
    return [
      ...aligned.map((each, i) => row(sizeOf(each.plane), [each], exact.slice(i, i + 1))),
      row('all three', aligned, exact),
    ];
  });
  const head = [
    'views',
    'plane',
    'number',
    'by itself',
    'in tiles',
    'together, align 8',
    'together, align 1',
  ];
  const lines = ['--', '--', '-:', '-:', '-:', '-:', '-:'];
  return [head, lines, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const giga = (products: number) => (products / 1e9).toFixed(1);
const sizeOf = ({ width, height }: Size) => `${String(height)} × ${String(width)}`;
