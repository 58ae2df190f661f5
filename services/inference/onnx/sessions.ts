// The worker's work: models as onnxruntime sessions, batches in, scores out.
// Runs on whatever thread calls it and blocks it while it computes. Does not know threads or messages' fate.

import { closeSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { VggError } from '../../../vgg/errors.ts';
import { TOTAL_STRIDE } from '../../../vgg/networks.ts';
import { cutBatch } from '../worker/crops.ts';
import type { OnPhase } from '../engine.ts';
import type { Cut, CutScores, ModelSource, ScoreRequest, Speeds } from '../worker/messages.ts';
import { scoresOfMaps, type OwnScoreMap } from '../worker/score-maps.ts';
import type { Sessions } from '../worker/thread.ts';
import { measureSpeeds, phase, warmUp } from '../worker/warm-up.ts';
import { readTensor, weightsFile } from '../worker/weights-file.ts';
import { PROVIDERS } from './cuda.ts';
import type { OnnxDevice } from './engine.ts';
import { PIXELS, ROWS, SCORES, writeBody, writeHead } from './graph.ts';
import { SharedNetwork } from './shared-network.ts';

interface Loaded {
  source: ModelSource;
  /** Pixels of views → what fc6 reads. */
  body: InferenceSession;
  /** What fc6 reads → class scores: in either form of the body the same, and the weights once. */
  head: InferenceSession;
  shared: SharedNetwork;
}

/** All loaded models of one worker. */
export class OnnxSessions implements Sessions {
  readonly #threads: number;
  readonly #device: OnnxDevice;
  readonly #loaded = new Map<number, Loaded>();

  constructor(threads: number, device: OnnxDevice) {
    this.#threads = threads;
    this.#device = device;
  }

  async load(source: ModelSource, onPhase?: OnPhase): Promise<Speeds | undefined> {
    this.#loaded.set(source.key, await phase('load', onPhase, () => this.#open(source)));
    try {
      await phase('warm_up', onPhase, () => warmUp(this, source));
      // On a GPU nobody has measured whether sharing pays: there it is done where it is asked for.
      if (this.#device === 'gpu') return undefined;
      return await phase('measure', onPhase, () => measureSpeeds(this, source));
    } catch (error) {
      await this.unload(source.key);
      throw error;
    }
  }

  async score({ key, shared, cuts }: ScoreRequest): Promise<CutScores[]> {
    const loaded = this.#get(key);
    const { height = 0, width = 0 } = cuts[0]?.view ?? {};
    try {
      const maps = await (shared ? loaded.shared.score(cuts) : ownMaps(loaded, cuts, height, width));
      return scoresOfMaps(cuts, maps);
    } catch (cause) {
      throw outOfMemory(
        cause,
        `a batch of ${String(cuts.length)} views of ${String(width)}×${String(height)}`,
      );
    }
  }

  async unload(key: number): Promise<void> {
    const loaded = this.#loaded.get(key);
    this.#loaded.delete(key);
    await loaded?.body.release();
    await loaded?.head.release();
    await loaded?.shared.release();
  }

  async close(): Promise<void> {
    for (const key of [...this.#loaded.keys()]) await this.unload(key);
  }

  #get(key: number): Loaded {
    const loaded = this.#loaded.get(key);
    if (!loaded) throw new VggError('UNAVAILABLE', 'Expected a loaded model but it was unloaded');
    return loaded;
  }

  async #open(source: ModelSource): Promise<Loaded> {
    // onnxruntime refuses a link that leaves the folder it is told of.
    const weights = weightsFile(source);
    const graph = { ...source, weightsFile: basename(weights) };
    const options = this.#options(dirname(weights));
    const file = openSync(weights, 'r');
    const opened: { release(): Promise<void> }[] = [];
    const open = async <Session extends { release(): Promise<void> }>(opening: Promise<Session>) => {
      const session = await opening;
      opened.push(session);
      return session;
    };
    try {
      const body = await open(InferenceSession.create(writeBody(graph), options));
      const head = await open(InferenceSession.create(writeHead(graph), options));
      const shared = await open(
        SharedNetwork.open({
          ...{ source, options: this.#options() },
          weights: (name) => readTensor(source, file, name),
          head: (rows) => headScores(head, rows),
        }),
      );
      return { source, body, head, shared };
    } catch (cause) {
      for (const session of opened) await session.release();
      if (cause instanceof VggError) throw cause;
      if (isOutOfMemory(cause)) throw outOfMemory(cause, `model ${source.name}`);
      throw new VggError(
        'INVALID_ARGUMENT',
        `Expected weights that onnxruntime loads but it refused those of ${source.name}`,
        {
          cause,
        },
      );
    } finally {
      closeSync(file);
    }
  }

  #options(weightsFolder?: string): InferenceSession.SessionOptions {
    return {
      executionProviders: [...PROVIDERS[this.#device]],
      intraOpNumThreads: this.#threads,
      // The arena keeps the memory of the largest batch so far. Without it every batch asks the kernel
      // for fresh pages, which costs D a seventh of its time in batches of 8.
      enableCpuMemArena: true,
      // A pattern would plan memory per shape, and hold half as much again.
      enableMemPattern: false,
      logSeverityLevel: 3,
      extra: {
        session: {
          // A graph has no file, so its weights are looked for here: mapped, never copied to disk.
          ...(weightsFolder !== undefined && { model_external_initializers_file_folder_path: weightsFolder }),
          // Each session has its own threads, which spin for a while after a run: in the way of the next session's.
          force_spinning_stop: '1',
          // Weights stay out of the arena, whose blocks are larger than what is put into them.
          use_device_allocator_for_initializers: '1',
        },
      },
    };
  }
}

// Each view by itself, as a batch.
async function ownMaps(
  { source: { spec }, body, head }: Loaded,
  cuts: readonly Cut[],
  height: number,
  width: number,
): Promise<OwnScoreMap[]> {
  const pixels = new Tensor('uint8', cutBatch(cuts, height, width), [cuts.length, height, width, 3]);
  const outputs = await body.run({ [PIXELS]: pixels });
  const scores = await headScores(head, outputs[ROWS] as Tensor);
  const [rows, columns] = [height, width].map(
    (side) => Math.floor(side / TOTAL_STRIDE) - spec.inputSize / TOTAL_STRIDE + 1,
  ) as [number, number];
  const { classes } = spec;
  const length = rows * columns * classes;
  return cuts.map((_, i) => {
    return { height: rows, width: columns, classes, values: scores.slice(i * length, (i + 1) * length) };
  });
}

async function headScores(head: InferenceSession, rows: Tensor): Promise<Float32Array<ArrayBuffer>> {
  const outputs = await head.run({ [ROWS]: rows });
  return new Float32Array((outputs[SCORES] as Tensor).data as Float32Array);
}

function isOutOfMemory(error: unknown): boolean {
  return /bad_alloc|CUDA_OUT_OF_MEMORY|CUBLAS_STATUS_ALLOC|fail\w* to allocate|cannot allocate|out of memory/i.test(
    String(error),
  );
}

function outOfMemory(cause: unknown, what: string): VggError {
  return isOutOfMemory(cause)
    ? new VggError('RESOURCE_EXHAUSTED', `Expected memory for ${what} but there is not enough`, { cause })
    : new VggError('INTERNAL', `Expected scores for ${what} but onnxruntime failed`, { cause });
}
