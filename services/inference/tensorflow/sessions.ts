// The worker's work: models as networks on the device, batches in, scores out.
// Runs on whatever thread calls it and blocks it while it computes. Does not know threads or messages' fate.

import { closeSync, openSync } from 'node:fs';
import { VggError } from '../../../vgg/errors.ts';
import type { TensorFlowBinding } from '../../host/tensorflow/library.ts';
import { cutBatch } from '../worker/crops.ts';
import type { OnPhase } from '../engine.ts';
import type { Cut, CutScores, ModelSource, ScoreRequest, Speeds } from '../worker/messages.ts';
import { scoresOfMaps } from '../worker/score-maps.ts';
import type { Sessions } from '../worker/thread.ts';
import { measureSpeeds, phase, warmUp } from '../worker/warm-up.ts';
import { readTensor, weightsFile } from '../worker/weights-file.ts';
import { Network } from './network.ts';
import { Operations, type DeviceTensor, type ElementType } from './operations.ts';
import { SharedNetwork } from './shared-network.ts';

interface Loaded {
  source: ModelSource;
  network: Network;
  /** Made when views are first computed together: its weights are as large as the convolutions' four times over. */
  shared?: SharedNetwork;
}

/** All loaded models of one worker. */
export class TensorFlowSessions implements Sessions {
  readonly #operations: Operations;
  readonly #type: ElementType;
  readonly #gpu: boolean;
  readonly #loaded = new Map<number, Loaded>();

  constructor(binding: TensorFlowBinding, type: ElementType) {
    this.#operations = new Operations(binding);
    this.#type = type;
    this.#gpu = binding.isUsingGpuDevice();
  }

  async load(source: ModelSource, onPhase?: OnPhase): Promise<Speeds | undefined> {
    const network = await phase('load', onPhase, () => this.#open(source));
    this.#loaded.set(source.key, { source, network });
    try {
      await phase('warm_up', onPhase, () => warmUp(this, source));
      // On a GPU nobody has measured whether sharing pays: there it is done where it is asked for.
      if (this.#gpu) return undefined;
      return await phase('measure', onPhase, () => measureSpeeds(this, source));
    } catch (error) {
      await this.unload(source.key);
      throw error;
    }
  }

  score({ key, shared, cuts }: ScoreRequest): Promise<CutScores[]> {
    return promised(() => {
      const { height = 0, width = 0 } = cuts[0]?.view ?? {};
      const loaded = this.#get(key);
      let scores: CutScores[];
      try {
        scores = shared
          ? scoresOfMaps(cuts, this.#sharedOf(loaded).score(cuts))
          : this.#alone(loaded, cuts, height, width);
      } catch (cause) {
        throw failure(cause, `a batch of ${String(cuts.length)} views of ${String(width)}×${String(height)}`);
      }
      if (this.#type === 'float16') checkFinite(scores, loaded.source.name);
      return scores;
    });
  }

  // Each view by itself, as a batch.
  #alone({ source, network }: Loaded, cuts: readonly Cut[], height: number, width: number): CutScores[] {
    const operations = this.#operations;
    const { classes } = source.spec;
    let scores: CutScores[] = [];
    operations.scope(() => {
      const batch = network.score(cutBatch(cuts, height, width), cuts.length, height, width);
      const [, rows = 0, columns = 0] = batch.scoreMap.shape;
      // Only what is wanted comes back from the device, and once.
      const map = once(() => operations.read(batch.scoreMap));
      const means = once(() => operations.read(batch.meanThenSoftmax()));
      const softmaxes = once(() => operations.read(batch.softmaxThenMean()));
      scores = cuts.map((cut, index) => {
        const posterior = rowOf((cut.softmaxFirst ? softmaxes : means)(), index, classes);
        if (!cut.scoreMap) return { posterior };
        const values = rowOf(map(), index, rows * columns * classes);
        return { posterior, scoreMap: { height: rows, width: columns, classes, values } };
      });
      return [];
    });
    return scores;
  }

  unload(key: number): Promise<void> {
    return promised(() => {
      const loaded = this.#loaded.get(key);
      this.#loaded.delete(key);
      loaded?.network.free();
      loaded?.shared?.free();
    });
  }

  async close(): Promise<void> {
    for (const key of [...this.#loaded.keys()]) await this.unload(key);
  }

  #get(key: number): Loaded {
    const loaded = this.#loaded.get(key);
    if (!loaded) throw new VggError('UNAVAILABLE', 'Expected a loaded model but it was unloaded');
    return loaded;
  }

  #open(source: ModelSource): Network {
    const { spec, mean } = source;
    return this.#reading(source, (weights) => {
      return new Network(this.#operations, { spec, mean, type: this.#type, weights });
    });
  }

  #sharedOf(loaded: Loaded): SharedNetwork {
    const { source, network } = loaded;
    loaded.shared ??= this.#reading(source, (weights) => {
      const head = (rows: DeviceTensor) => network.scoreRows(rows);
      return new SharedNetwork({ operations: this.#operations, source, weights, head });
    });
    return loaded.shared;
  }

  // What is made of the numbers of a model's tensors.
  #reading<Made>(source: ModelSource, make: (weights: (name: string) => Float32Array) => Made): Made {
    const file = openSync(weightsFile(source), 'r');
    try {
      return make((name) => readTensor(source, file, name));
    } catch (cause) {
      throw failure(cause, `model ${source.name}`);
    } finally {
      closeSync(file);
    }
  }
}

function checkFinite(scores: readonly CutScores[], model: string): void {
  if (scores.every(({ posterior }) => posterior.every(Number.isFinite))) return;
  throw new VggError(
    'INTERNAL',
    `Expected finite scores but activations of ${model} are beyond float16: set VGG_INFERENCE_PRECISION=float32`,
  );
}

function rowOf(values: Float32Array, index: number, length: number): Float32Array<ArrayBuffer> {
  return new Float32Array(values.subarray(index * length, (index + 1) * length));
}

function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

function promised<Value>(body: () => Value): Promise<Value> {
  return new Promise((resolve) => {
    resolve(body());
  });
}

// The library says what went wrong in words alone.
function failure(cause: unknown, what: string): VggError {
  if (cause instanceof VggError) return cause;
  return /OOM|RESOURCE_EXHAUSTED|Resource exhausted|out of memory|bad_alloc/i.test(String(cause))
    ? new VggError('RESOURCE_EXHAUSTED', `Expected memory for ${what} but there is not enough`, { cause })
    : new VggError('INTERNAL', `Expected scores for ${what} but TensorFlow failed`, { cause });
}
