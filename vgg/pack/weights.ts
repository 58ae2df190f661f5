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
import { elements, type TensorEntry } from './safetensors.ts';

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

/**
 * Checks that a file has just the tensors of a network, each in its shape.
 *
 * @throws VggError INVALID_ARGUMENT naming the first tensor that is missing, wrong or too many
 */
export function checkWeights(spec: NetworkSpec, tensors: readonly TensorEntry[]): void {
  const found = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  for (const { name, shape } of weightShapes(spec)) {
    const tensor = found.get(name);
    if (!tensor)
      throw expected(`tensor ${name} ${JSON.stringify(shape)} of network ${spec.network}`, 'none', name);
    if (JSON.stringify(tensor.shape) !== JSON.stringify(shape)) {
      throw expected(`shape ${JSON.stringify(shape)} for network ${spec.network}`, tensor.shape, name);
    }
    found.delete(name);
  }
  const [extra] = found.keys();
  if (extra !== undefined) throw expected(`only the tensors of network ${spec.network}`, extra, extra);
}

/**
 * The spec that a file's tensors have.
 *
 * @param network the row, if the caller knows it; A and A-LRN have the same tensors
 * @throws VggError INVALID_ARGUMENT if no row fits, or several do
 */
export function specOfWeights(tensors: readonly TensorEntry[], network?: NetworkName): NetworkSpec {
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
  if (network !== undefined) {
    const spec = { network, ...facts };
    checkSpec(spec);
    checkWeights(spec, tensors);
    return spec;
  }
  const fits = NETWORK_NAMES.map((name) => ({ network: name, ...facts })).filter((spec) => {
    try {
      checkSpec(spec);
      checkWeights(spec, tensors);
      return true;
    } catch (error) {
      if (error instanceof VggError) return false;
      throw error;
    }
  });
  const [spec] = fits;
  if (!spec) {
    throw expected(
      `the tensors of one of ${NETWORK_NAMES.join(', ')}`,
      `${String(tensors.length)} others`,
      'network',
    );
  }
  if (fits.length > 1) {
    throw expected(
      'a network to be named',
      `tensors that fit ${fits.map((fit) => fit.network).join(' and ')}`,
      'network',
    );
  }
  return spec;
}

/** Elements of all tensors together. */
export function tensorParameters(tensors: readonly TensorEntry[]): number {
  return tensors.reduce((sum, { shape }) => sum + elements(shape), 0);
}
