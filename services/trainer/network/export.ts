// A trained network becomes a model of the store: batch normalisation folded in float64 by the same arithmetic
// as that of imported weights. Knows what the training form's tensors are; not where the run's facts come from.

import { canonicalFile } from '../../../models/import/canonical-file.ts';
import { canonicalRelease } from '../../../models/import/layers.ts';
import type { Preprocessing, SourceLayer, StoredTensor } from '../../../models/import/release.ts';
import { writeModel } from '../../../models/store.ts';
import { networkLayers, parameterCount, type ModelJson, type NetworkSpec } from '../../../vgg/index.ts';
import { bestOf, NORM_EPSILON, type TrainingNetwork } from './network.ts';

/** What a model says of itself beside its network. */
export type ModelFacts = Omit<ModelJson, 'sha256' | keyof NetworkSpec>;

/** Where an exported model goes, and which numbers it has. */
export interface ExportOptions {
  /** Folder of models. */
  to: string;
  /** Class names by index. */
  labels: readonly string[];
  /** Type that weights are stored in. */
  dtype: 'F32' | 'F16';
  /** The weights as they are now, or as `keepBest` remembered them. */
  weights: 'now' | 'best';
}

/**
 * Writes the network's inference form as a model's folder, aside first. The network must not learn meanwhile.
 *
 * @returns the folder
 * @throws VggError INVALID_ARGUMENT if the name is taken, a value is not finite or does not fit F16
 */
export function exportModel(
  network: TrainingNetwork,
  facts: ModelFacts,
  { to, labels, dtype, weights }: ExportOptions,
): Promise<string> {
  const spec: NetworkSpec = { ...network.spec, batchNorm: false };
  const release = {
    ...{ layout: 'a trained network', layers: sourceLayers(network, weights), flatten: 'HWC' as const },
    ...{ preprocessing: PLAIN, ignored: [], close: () => Promise.resolve() },
  };
  const tensors = canonicalRelease(release, PLAIN, spec).tensors.map((tensor) => ({ ...tensor, dtype }));
  const { network: row, width, hidden, classes, inputSize } = spec;
  const json = { ...facts, network: row, width, hidden, classes, inputSize };
  return writeModel(to, json, labels, canonicalFile(tensors, parameterCount(spec)));
}

// Training's pixels are RGB levels minus the mean already.
const PLAIN: Preprocessing = { mean: [0, 0, 0], std: [1, 1, 1], channels: 'RGB', kernel: 'linear' };

function sourceLayers({ spec, variables }: TrainingNetwork, weights: 'now' | 'best'): SourceLayer[] {
  const stored = (name: string): StoredTensor => {
    const key = weights === 'best' ? bestOf(name) : name;
    const { shape } = variables.get(key);
    let values: Float32Array | undefined;
    return {
      ...{ name, dtype: 'F32', shape },
      read(start, count) {
        values ??= variables.read(key);
        const part = values.slice(start, start + count);
        // Each number is read once, in order: do not keep a copy of the whole network.
        if (start + count === values.length) values = undefined;
        return Promise.resolve(new Uint8Array(part.buffer));
      },
    };
  };
  return networkLayers(spec)
    .filter((layer) => layer.kind === 'conv')
    .map(({ name, batchNorm }) => ({
      name,
      weight: stored(`${name}.weight`),
      axes: name.startsWith('fc') ? 'IO' : 'HWIO',
      ...(batchNorm
        ? {
            batchNorm: {
              scale: stored(`${name}.scale`),
              shift: stored(`${name}.shift`),
              mean: stored(`${name}.mean`),
              variance: stored(`${name}.variance`),
              epsilon: NORM_EPSILON,
            },
          }
        : { bias: stored(`${name}.bias`) }),
    }));
}
