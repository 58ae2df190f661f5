// The stages of shared networks as onnxruntime sessions, strip by strip into buffers that are there. Knows tensors
// and buffers; which strips there are the network knows, what a stage computes its graph.

import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ConvLayer, LrnLayer, PoolLayer } from '../../../vgg/networks.ts';
import {
  stripsOf,
  type GatheredStep,
  type Reads,
  type Stages,
  type TiledStep,
} from '../worker/shared-network.ts';
import type { StageWeights } from '../worker/tiles.ts';
import {
  BIAS,
  largestStage,
  lrnStage,
  NEXT,
  productStage,
  READS,
  rowsStage,
  STATE,
  tileStage,
  WEIGHTS,
} from './stages.ts';

/** Stage graphs as sessions, for all models of a worker. */
export class StageSessions {
  readonly #options: InferenceSession.SessionOptions;
  readonly #sessions = new Map<string, Promise<InferenceSession>>();

  constructor(options: InferenceSession.SessionOptions) {
    this.#options = options;
  }

  /** The session of a graph, which is written on first use. */
  get(name: string, write: () => Uint8Array): Promise<InferenceSession> {
    let session = this.#sessions.get(name);
    if (!session) {
      session = InferenceSession.create(write(), this.#options);
      this.#sessions.set(name, session);
      // What failed for want of memory may do next time.
      session.catch(() => this.#sessions.delete(name));
    }
    return session;
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await (await session).release();
    this.#sessions.clear();
  }
}

/** One model's stages. */
export class OnnxStages implements Stages<Tensor> {
  readonly #sessions: StageSessions;
  readonly #head: (rows: Tensor) => Promise<Float32Array>;
  readonly #learned = new Map<string, Record<string, Tensor>>();
  // A step reads one and writes the other.
  readonly #buffers = [new Float32Array(), new Float32Array()];
  #turn = 0;

  /** @param head fc6 to fc8: what fc6 reads → class scores */
  constructor(sessions: StageSessions, head: (rows: Tensor) => Promise<Float32Array>) {
    this.#sessions = sessions;
    this.#head = head;
  }

  learn({ name }: ConvLayer, { values, shape }: StageWeights, bias: Float32Array): void {
    this.#learned.set(name, {
      [WEIGHTS]: new Tensor('float32', values, shape),
      [BIAS]: new Tensor('float32', bias, [bias.length]),
    });
  }

  pixels(values: Float32Array): Tensor {
    this.#turn = 0;
    return new Tensor('float32', values, [values.length / 3, 3]);
  }

  async tiles(
    state: Tensor,
    { layer, outputs, pooled, inputs, strips, positions }: TiledStep,
  ): Promise<Tensor> {
    const { kernel } = layer;
    const part = this.#next(positions, layer.outChannels);
    const name = `tiles ${String(inputs)} ${String(kernel)} ${String(pooled)}`;
    const session = await this.#sessions.get(name, () => tileStage(inputs - kernel + 1, kernel, pooled));
    for (const { tiles, reads, first } of strips) {
      const list = new Tensor('int32', reads, [inputs * inputs, tiles]);
      await session.run(
        { [STATE]: state, [READS]: list, ...this.#learned.get(layer.name) },
        { [NEXT]: part(first, outputs * outputs * tiles) },
      );
    }
    return part(0, positions);
  }

  async product(state: Tensor, step: GatheredStep<ConvLayer>): Promise<Tensor> {
    const { name, outChannels } = step.layer;
    const session = await this.#sessions.get('product', productStage);
    return this.#gathered(session, { [STATE]: state, ...this.#learned.get(name) }, step, outChannels);
  }

  async largest(state: Tensor, step: GatheredStep<PoolLayer>): Promise<Tensor> {
    const session = await this.#sessions.get('largest', largestStage);
    return this.#gathered(session, { [STATE]: state }, step, channelsOf(state));
  }

  async normalise(state: Tensor, layer: LrnLayer, positions: number): Promise<Tensor> {
    const channels = channelsOf(state);
    const part = this.#next(positions, channels);
    const session = await this.#sessions.get(JSON.stringify(layer), () => lrnStage(layer));
    for (const [first, some] of stripsOf(positions - 1)) {
      const own = rowsOf(state.data as Float32Array, channels, 1 + first, some);
      await session.run({ [STATE]: own }, { [NEXT]: part(1 + first, some) });
    }
    return part(0, positions);
  }

  async head(state: Tensor, { count, reads }: Reads): Promise<Float32Array> {
    const session = await this.#sessions.get('rows', rowsStage);
    const list = new Tensor('int32', reads, [count, reads.length / count]);
    const output = await session.run({ [STATE]: state, [READS]: list });
    return this.#head(output[NEXT] as Tensor);
  }

  async #gathered(
    session: InferenceSession,
    inputs: Record<string, Tensor>,
    { places, positions, strips }: GatheredStep<unknown>,
    channels: number,
  ): Promise<Tensor> {
    const part = this.#next(positions, channels);
    for (const { first, count, reads } of strips) {
      const list = new Tensor('int32', reads, [count, places]);
      await session.run({ ...inputs, [READS]: list }, { [NEXT]: part(first, count) });
    }
    return part(0, positions);
  }

  // The next state, in a buffer that is as large as any job so far needed it.
  #next(positions: number, channels: number): Part {
    const length = positions * channels;
    let buffer = this.#buffers[this.#turn] ?? new Float32Array();
    if (buffer.length < length) this.#buffers[this.#turn] = buffer = new Float32Array(length);
    this.#turn = 1 - this.#turn;
    buffer.fill(0, 0, channels);
    return (first, count) => rowsOf(buffer, channels, first, count);
  }
}

// [first, first + count) of a matrix's rows, without a copy.
type Part = (first: number, count: number) => Tensor;

function rowsOf(matrix: Float32Array, channels: number, first: number, count: number): Tensor {
  const rows = matrix.subarray(first * channels, (first + count) * channels);
  return new Tensor('float32', rows, [count, channels]);
}

function channelsOf(state: Tensor): number {
  return state.dims[1] ?? 0;
}
