// Which tensors a network has, in this project's canonical layout: conv1_1.weight [out, in, kernel,
// kernel], conv1_1.bias [out], …, fc8.bias; fully connected layers in convolutional form.

import { VggError, expected } from '../errors.ts';
import {
  NETWORK_NAMES,
  TOTAL_STRIDE,
  checkSpec,
  convWidth,
  networkLayers,
  type NetworkName,
  type NetworkSpec,
} from '../networks.ts';
import { elements } from './safetensors.ts';

/** A tensor that a network needs. */
export interface WeightShape {
  name: string;
  shape: number[];
}

/** The tensors of a network for inference, in layer order. */
export function weightShapes(spec: NetworkSpec): WeightShape[] {
  return networkLayers(spec).flatMap((layer) =>
    layer.kind === 'conv'
      ? [
          {
            name: `${layer.name}.weight`,
            shape: [layer.outChannels, layer.inChannels, layer.kernel, layer.kernel],
          },
          { name: `${layer.name}.bias`, shape: [layer.outChannels] },
        ]
      : [],
  );
}

/** A tensor that a file offers, by its canonical name. */
export interface WeightTensor {
  name: string;
  shape: readonly number[];
  /** What its file calls it, if that is another name. */
  source?: string;
}

/**
 * Checks that a file has just the tensors of a network, each in its shape.
 *
 * @throws VggError INVALID_ARGUMENT naming the first tensor that is missing, wrong or too many
 */
export function checkWeights(spec: NetworkSpec, tensors: readonly WeightTensor[]): void {
  const found = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  for (const { name, shape } of weightShapes(spec)) {
    const tensor = found.get(name);
    if (!tensor)
      throw expected(`tensor ${name} ${JSON.stringify(shape)} of network ${spec.network}`, 'none', name);
    if (JSON.stringify(tensor.shape) !== JSON.stringify(shape)) {
      const source = tensor.source ?? name;
      const of = source === name ? '' : ` of ${name}`;
      const what = `shape ${JSON.stringify(shape)}${of} for network ${spec.network}`;
      throw expected(what, tensor.shape, source);
    }
    found.delete(name);
  }
  const [extra] = found.values();
  if (extra)
    throw expected(`only the tensors of network ${spec.network}`, extra.name, extra.source ?? extra.name);
}

/**
 * The spec that a file's tensors have.
 *
 * @param network the row, if the caller knows it; A and A-LRN have the same tensors
 * @throws VggError INVALID_ARGUMENT if no row fits, several do, or the caller's is not the one that does
 */
export function specOfWeights(tensors: readonly WeightTensor[], network?: NetworkName): NetworkSpec {
  const shapeOf = (name: string) => {
    const tensor = tensors.find((each) => each.name === name);
    if (!tensor) throw expected(`tensor ${name} of a VGG network in canonical names`, 'none', name);
    return tensor.shape;
  };
  const first = shapeOf('conv1_1.weight')[0] ?? 0;
  const fc6 = shapeOf('fc6.weight');
  const facts = {
    width: first / convWidth(1, 0),
    hidden: fc6[0] ?? 0,
    classes: shapeOf('fc8.weight')[0] ?? 0,
    inputSize: (fc6[2] ?? 0) * TOTAL_STRIDE,
  };
  checkSpec({ network: network ?? 'A', ...facts });
  const specs = NETWORK_NAMES.map((name) => ({ network: name, ...facts }));
  const fits = specs.filter((spec) => misfit(spec, tensors) === undefined);
  const told = fits.find((spec) => spec.network === network);
  if (told) return told;
  const [spec, ...more] = fits;
  if (network !== undefined && spec) {
    const came = fits.map((fit) => fit.network).join(' or ');
    throw expected(`the tensors of network ${network}, as told`, `those of ${came}`, 'network');
  }
  if (!spec) throw closestMisfit(specs, tensors, network);
  if (more.length > 0) {
    const came = `tensors that fit ${fits.map((fit) => fit.network).join(' and ')}`;
    throw expected('a network to be named', came, 'network');
  }
  return spec;
}

function misfit(spec: NetworkSpec, tensors: readonly WeightTensor[]): VggError | undefined {
  try {
    checkWeights(spec, tensors);
    return undefined;
  } catch (error) {
    if (error instanceof VggError) return error;
    throw error;
  }
}

// Where the convolutions are a row's, what is wrong with the shapes; else what convolutions there are.
function closestMisfit(
  specs: readonly NetworkSpec[],
  tensors: readonly WeightTensor[],
  network: NetworkName | undefined,
): VggError {
  const names = new Set(tensors.map(({ name }) => name));
  const sameNames = specs.filter((spec) => {
    const needed = namesOf(spec.network);
    return needed.length === names.size && needed.every((name) => names.has(name));
  });
  const spec = specs.find((each) => each.network === network) ?? mostlyFitting(sameNames, tensors);
  const error = spec && misfit(spec, tensors);
  if (error) return error;
  const blocks = [1, 2, 3, 4, 5, 6].map(
    (block) => [...names].filter((name) => name.startsWith(`conv${String(block)}_`)).length / 2,
  );
  const count = String(blocks.reduce((sum, convolutions) => sum + convolutions, 0));
  return expected(
    `the convolutions of one of ${NETWORK_NAMES.join(', ')}`,
    `${count}, in blocks of ${blocks.filter((convolutions) => convolutions > 0).join(', ')}`,
    'network',
  );
}

// C and D have the same names: the row that more shapes agree with is the one that was meant.
function mostlyFitting(
  [first, ...more]: readonly NetworkSpec[],
  tensors: readonly WeightTensor[],
): NetworkSpec | undefined {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, JSON.stringify(shape)]));
  const agreeing = (spec: NetworkSpec) =>
    weightShapes(spec).filter(({ name, shape }) => shapes.get(name) === JSON.stringify(shape)).length;
  return more.reduce((best, spec) => (best && agreeing(spec) > agreeing(best) ? spec : best), first);
}

// Names do not depend on width, hidden, classes or inputSize.
function namesOf(network: NetworkName): string[] {
  const spec = { network, width: 1, hidden: 1, classes: 1, inputSize: TOTAL_STRIDE };
  return weightShapes(spec).map(({ name }) => name);
}

/** Elements of all tensors together. */
export function tensorParameters(tensors: readonly { shape: readonly number[] }[]): number {
  return tensors.reduce((sum, { shape }) => sum + elements(shape), 0);
}
