// An inference service on a socket for tests: small models in a folder, an engine that can be held, a client.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  credentials,
  loadPackageDefinition,
  type CallOptions,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { expect, vi } from 'vitest';
import { randomModel } from '../../bench/random-model.ts';
import { importWeights } from '../../models/import.ts';
import { packageDefinition } from '../../proto/definitions.ts';
import type { GRPCInferenceServiceClient } from '../../proto/generated/inference/GRPCInferenceService.ts';
import type { InferenceServiceClient } from '../../proto/generated/vgg/v1/InferenceService.ts';
import type { ScoreOptions } from '../../proto/generated/vgg/v1/ScoreOptions.ts';
import type { ScoreRequest } from '../../proto/generated/vgg/v1/ScoreRequest.ts';
import type { ScoreResponse__Output } from '../../proto/generated/vgg/v1/ScoreResponse.ts';
import type { View } from '../../proto/generated/vgg/v1/View.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { fromStatus } from '../../proto/status.ts';
import type { RunningServer } from '../../services/host/serve.ts';
import { readConfig } from '../../services/inference/config.ts';
import type { Engine, EngineModel, Wanted } from '../../services/inference/engine.ts';
import { startInference } from '../../services/inference/main.ts';
import { BACKLOG } from '../../services/inference/metrics.ts';
import { startOnnxEngine } from '../../services/inference/onnx/engine.ts';
import type { VggError } from '../../vgg/errors.ts';

/** Side of a crop of the model `tiny`. */
export const SIDE = 32;
/** Columns and rows of {@link plane}. */
export const PLANE = { width: 40, height: 36 };
const TINY = { network: 'A', width: 1 / 32, hidden: 8, classes: 5, inputSize: SIDE } as const;

/** A folder with the models golden-a, golden-d and random ones named by `tinyName`. */
export async function modelFolder(): Promise<string> {
  const to = await mkdtemp(join(tmpdir(), 'vgg-inference-'));
  for (const network of ['A', 'D'] as const) {
    const weights = join(packageRoot, 'test', 'golden', 'networks', network, 'weights.safetensors');
    await importWeights(weights, { network, name: `golden-${network.toLowerCase()}`, to });
  }
  await randomModel(TINY, to);
  return to;
}

/** Name of the random model: A, crops of 32, 5 classes. */
export const tinyName = 'random-a-0_03125-8-5-32';

/** A service with models of the folder; `tiny` alone unless the variables say otherwise. */
export function startService(
  models: string,
  env: Record<string, string> = {},
  engine?: Engine,
): Promise<RunningServer> {
  const variables = {
    ...{ VGG_LOG_LEVEL: 'silent', VGG_INFERENCE_PORT: '0', VGG_INFERENCE_THREADS: '1' },
    ...{ VGG_MODELS: models, VGG_INFERENCE_LOAD: tinyName },
  };
  return startInference(readConfig({ ...variables, ...env }), engine ? { engine } : {});
}

/** An engine whose batches wait while it is held. */
export interface HeldEngine {
  engine: Engine;
  /** Views of each batch that it was given, in order. */
  batches: number[][];
  /** What was wanted of each plane that it planned, in order. */
  planned: Wanted[];
  hold(): void;
  /** Lets all batches go, those to come too. */
  release(): void;
}

/** Puts a gate before an engine. */
export function heldEngine(inner: Engine): HeldEngine {
  const batches: number[][] = [];
  const planned: Wanted[] = [];
  let held = false;
  let waiting: (() => void)[] = [];
  const gated = (model: EngineModel): EngineModel => ({
    model: model.model,
    plan: (plane, views, wanted) => {
      planned.push(wanted);
      return model.plan(plane, views, wanted);
    },
    batchLimit: (unit) => model.batchLimit(unit),
    unload: () => model.unload(),
    async score(batch) {
      batches.push(batch.flatMap(({ views }) => views.map(({ index }) => index)));
      if (held) await new Promise<void>((resolve) => waiting.push(resolve));
      return model.score(batch);
    },
  });
  const engine: Engine = {
    name: inner.name,
    facts: () => inner.facts(),
    load: async (model) => gated(await inner.load(model)),
    health: () => inner.health(),
    close: () => inner.close(),
  };
  return {
    engine,
    batches,
    planned,
    hold() {
      held = true;
    },
    release() {
      held = false;
      const all = waiting;
      waiting = [];
      for (const go of all) go();
    },
  };
}

interface Clients {
  vgg: { v1: { InferenceService: new (...args: unknown[]) => InferenceServiceClient } };
  inference: { GRPCInferenceService: new (...args: unknown[]) => GRPCInferenceServiceClient };
}

/** Clients of both protocols. */
export function connect(address: string) {
  const { vgg, inference } = loadPackageDefinition(packageDefinition) as unknown as Clients;
  const options = { 'grpc.max_receive_message_length': -1 };
  const own = new vgg.v1.InferenceService(address, credentials.createInsecure(), options);
  const open = new inference.GRPCInferenceService(address, credentials.createInsecure(), options);
  const close = () => {
    own.close();
    open.close();
  };
  return { own, open, close };
}

/** The first message of a call. */
export function options(over: ScoreOptions = {}): ScoreRequest {
  return { options: over };
}

/** A plane of noise and `views` crops of it, numbered from `first`. */
export function plane(views: number | View[] = 1, first = 0, over: object = {}): ScoreRequest {
  const { width, height } = PLANE;
  const rgb8 = Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * 7919) % 251));
  const crops = Array.isArray(views) ? views : Array.from({ length: views }, (_, i) => view(first + i));
  return { prepared: { plane: { index: 0, width, height, rgb8, ...over }, views: crops } };
}

/** A crop of {@link plane}. */
export function view(index: number, over: View = {}): View {
  return { index, plane: 0, x: index % 8, y: 0, width: SIDE, height: SIDE, mirrored: false, ...over };
}

/** A call under way. */
export interface Talk {
  call: ClientDuplexStream<ScoreRequest, ScoreResponse__Output>;
  /** Resolves when the call has ended, however it did. */
  ended: Promise<{ responses: ScoreResponse__Output[]; error: VggError | undefined }>;
}

/** Sends the messages; ends the requests unless `keepOpen`. */
export function talk(
  client: InferenceServiceClient,
  messages: readonly ScoreRequest[],
  { keepOpen = false, ...callOptions }: CallOptions & { keepOpen?: boolean } = {},
): Talk {
  const call = client.Score(callOptions);
  const responses: ScoreResponse__Output[] = [];
  const ended = new Promise<{ responses: ScoreResponse__Output[]; error: VggError | undefined }>(
    (resolve) => {
      call.on('data', (response: ScoreResponse__Output) => responses.push(response));
      call.on('end', () => {
        resolve({ responses, error: undefined });
      });
      call.on('error', (error: ServiceError) => {
        resolve({ responses, error: fromStatus(error) });
      });
    },
  );
  for (const message of messages) call.write(message);
  if (!keepOpen) call.end();
  return { call, ended };
}

/** A service whose engine can be held, and a client of it. */
export interface Serving {
  server: RunningServer;
  client: InferenceServiceClient;
  held: HeldEngine;
}

/** Runs a test with a service of its own. */
export async function serving(
  folder: string,
  body: (serving: Serving) => Promise<void>,
  { env = {}, units = 32 }: { env?: Record<string, string>; units?: number } = {},
): Promise<void> {
  const held = heldEngine(await startOnnxEngine({ threads: 1, bounds: { units } }));
  const server = await startService(folder, env, held.engine);
  const { own, close } = connect(server.address);
  try {
    await body({ server, client: own, held });
  } finally {
    held.release();
    close();
    await server.close();
  }
}

/** Holds the engine, and occupies it with one view: number 900. */
export async function occupy({ client, held }: Serving): Promise<Talk> {
  held.hold();
  const before = held.batches.length;
  const busy = talk(client, [options(), plane(1, 900)]);
  await until(() => {
    expect(held.batches).toHaveLength(before + 1);
  });
  return busy;
}

/** Waits until so many views wait. */
export async function backlog(server: RunningServer, views: number): Promise<void> {
  await until(async () => {
    expect(await metric(server, BACKLOG)).toBe(views);
  });
}

/** The value of a metric's line: its name, with labels if it has some. */
export async function metric(server: RunningServer, line: string): Promise<number> {
  const text = await server.registry.metrics();
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1));
}

/** Waits until a check passes. */
export async function until(check: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(check, { timeout: 30_000, interval: 5 });
}

/** The float32 values of bytes that came. */
export function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
