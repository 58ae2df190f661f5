// The worker's work: models as onnxruntime sessions, batches in, scores out.
// Runs on whatever thread calls it and blocks it while it computes. Does not know threads or messages' fate.

import { basename, dirname } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { VggError } from '../../../vgg/errors.ts';
import { cutBatch } from '../worker/crops.ts';
import { MEAN_THEN_SOFTMAX, PIXELS, SCORE_MAP, SOFTMAX_THEN_MEAN, writeGraph } from './graph.ts';
import type { CutScores, ModelSource, ScoreRequest } from '../worker/messages.ts';
import type { Sessions } from '../worker/thread.ts';
import { warmUp } from '../worker/warm-up.ts';
import { weightsFile } from '../worker/weights-file.ts';

interface Loaded {
  source: ModelSource;
  session: InferenceSession;
}

/** All loaded models of one worker. */
export class OnnxSessions implements Sessions {
  readonly #threads: number;
  readonly #loaded = new Map<number, Loaded>();

  constructor(threads: number) {
    this.#threads = threads;
  }

  async load(source: ModelSource): Promise<void> {
    const session = await this.#open(source);
    this.#loaded.set(source.key, { source, session });
    try {
      await warmUp(this, source);
    } catch (error) {
      await this.unload(source.key);
      throw error;
    }
  }

  async score({ key, height, width, cuts }: ScoreRequest): Promise<CutScores[]> {
    const { source, session } = this.#get(key);
    const pixels = new Tensor('uint8', cutBatch(cuts, height, width), [cuts.length, height, width, 3]);
    let outputs: InferenceSession.OnnxValueMapType;
    try {
      outputs = await session.run({ [PIXELS]: pixels });
    } catch (cause) {
      throw outOfMemory(
        cause,
        `a batch of ${String(cuts.length)} views of ${String(width)}×${String(height)}`,
      );
    }
    const map = outputs[SCORE_MAP] as Tensor;
    const [, rows = 0, columns = 0] = map.dims;
    const { classes } = source.spec;
    return cuts.map((cut, index) => {
      const name = cut.softmaxFirst ? SOFTMAX_THEN_MEAN : MEAN_THEN_SOFTMAX;
      const posterior = rowOf(outputs[name] as Tensor, index, classes);
      if (!cut.scoreMap) return { posterior };
      const values = rowOf(map, index, rows * columns * classes);
      return { posterior, scoreMap: { height: rows, width: columns, classes, values } };
    });
  }

  async unload(key: number): Promise<void> {
    const loaded = this.#loaded.get(key);
    this.#loaded.delete(key);
    await loaded?.session.release();
  }

  async close(): Promise<void> {
    for (const key of [...this.#loaded.keys()]) await this.unload(key);
  }

  #get(key: number): Loaded {
    const loaded = this.#loaded.get(key);
    if (!loaded) throw new VggError('UNAVAILABLE', 'Expected a loaded model but it was unloaded');
    return loaded;
  }

  async #open(source: ModelSource): Promise<InferenceSession> {
    // onnxruntime refuses a link that leaves the folder it is told of.
    const weights = weightsFile(source);
    const graph = writeGraph({ ...source, weightsFile: basename(weights) });
    try {
      return await InferenceSession.create(graph, {
        executionProviders: ['cpu'],
        intraOpNumThreads: this.#threads,
        // The arena keeps the memory of the largest batch so far. Without it every batch asks the kernel
        // for fresh pages, which costs D a seventh of its time in batches of 8.
        enableCpuMemArena: true,
        // A pattern would plan memory per shape, and hold half as much again.
        enableMemPattern: false,
        logSeverityLevel: 3,
        extra: {
          session: {
            // The graph has no file, so its weights are looked for here: mapped, never copied to disk.
            model_external_initializers_file_folder_path: dirname(weights),
            // Weights stay out of the arena, whose blocks are larger than what is put into them.
            use_device_allocator_for_initializers: '1',
          },
        },
      });
    } catch (cause) {
      if (isOutOfMemory(cause)) throw outOfMemory(cause, `model ${source.name}`);
      throw new VggError(
        'INVALID_ARGUMENT',
        `Expected weights that onnxruntime loads but it refused those of ${source.name}`,
        {
          cause,
        },
      );
    }
  }
}

function rowOf(tensor: Tensor, index: number, length: number): Float32Array<ArrayBuffer> {
  return new Float32Array(tensor.data as Float32Array).slice(index * length, (index + 1) * length);
}

function isOutOfMemory(error: unknown): boolean {
  return /bad_alloc|fail\w* to allocate|cannot allocate|out of memory/i.test(String(error));
}

function outOfMemory(cause: unknown, what: string): VggError {
  return isOutOfMemory(cause)
    ? new VggError('RESOURCE_EXHAUSTED', `Expected memory for ${what} but there is not enough`, { cause })
    : new VggError('INTERNAL', `Expected scores for ${what} but onnxruntime failed`, { cause });
}
