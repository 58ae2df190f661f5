// Other libraries as sides: each gets a network and finished crops, tries the few ways that it has, and then takes its
// turns in the quickest. Knows what is asked of peers; not how they compute.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeNetworkFiles } from '../peers/network-files.ts';
import { pythonPeer, startPeer, type Peer } from '../peers/peer.ts';
import type { OpenModel } from '../../models/store.ts';
import { realiseCrops } from '../../services/preprocess/realise.ts';
import { meanColour, networkLayers } from '../../vgg/index.ts';
import type { View } from '../../vgg/views.ts';
import { largestDifference } from './results.ts';
import type { Work } from './works.ts';

/** What the peers are, with the packages that bring them. */
export const PEERS = {
  onnxruntime: 'onnxruntime',
  openvino: 'openvino',
  ncnn: 'ncnn',
  mnn: 'MNN',
  pytorch: 'torch',
} as const;

/** See {@link PEERS}. */
export type PeerName = keyof typeof PEERS;

/** A view of a work. */
export interface Crop {
  work: Work;
  view: View;
}

/** What peers have in common. */
export interface Task {
  /** Holds the network's files and the crops. */
  folder: string;
  model: OpenModel;
  crops: readonly Crop[];
  /** NAIVE's, in the order of the crops. */
  posteriors: readonly Float32Array[];
  threads: number;
  /** `gpu` or `cpu`: where it is to compute. */
  device: string;
}

/** A peer that is ready to take its turns. */
export interface CropsPeer {
  name: PeerName;
  version: string;
  way: string;
  batch: number;
  /** Largest difference of its posteriors from the task's. */
  difference: number;
  /** Scores all crops. @returns milliseconds */
  time(): Promise<number>;
  end(): Promise<void>;
}

/** Writes what peers read. */
export function writeTask({ folder, model, crops }: Task): void {
  writeNetworkFiles(model, folder);
  const mean = meanColour(model.json.mean);
  const values = crops.map(({ work: { plane }, view }) => {
    const rgb8 = Buffer.from(plane.rgb8.buffer);
    return realiseCrops({ ...plane, rgb8 }, [view], mean).values;
  });
  writeFileSync(join(folder, 'crops.f32'), Buffer.concat(values));
}

/** @returns why it is not there, if it is not */
export async function startCropsPeer(
  python: string,
  name: PeerName,
  task: Task,
): Promise<CropsPeer | { missing: string }> {
  const peer = await startPeer(pythonPeer(python, `crops_${name}.py`), task.threads);
  if ('missing' in peer) return peer;
  try {
    return await readyPeer(peer, name, task);
  } catch (error) {
    await peer.end();
    return { missing: (error as Error).message };
  }
}

/** What is asked of a peer first, and its answer. */
interface Loaded {
  ways: string[];
  batches: number[];
}

/** What is asked then. */
interface Scored {
  ms: number;
  /** [crops, classes] float32, in base64. */
  posteriors: string;
}

/** A peer that has chosen how it scores crops, and has scored them once. */
export async function readyPeer(peer: Peer, name: PeerName, task: Task): Promise<CropsPeer> {
  const { folder, model, crops, threads, device } = task;
  const side = model.spec.inputSize;
  const { ways, batches } = (await peer.ask('load', {
    ...{ folder, side, threads, device },
    layers: networkLayers(model.spec),
  })) as Loaded;
  const score = async (way: string, batch: number, count: number) =>
    (await peer.ask('score', { way, batch, count })) as Scored;
  // Crops that each way is tried with: a batch of the largest size at least.
  const tried = Math.max(8, ...batches);
  let best = { way: '', batch: 0, ms: Infinity };
  for (const way of ways) {
    for (const batch of batches) {
      await score(way, batch, batch);
      const tries = [await score(way, batch, tried), await score(way, batch, tried)];
      const ms = Math.min(...tries.map((each) => each.ms));
      if (ms < best.ms) best = { way, batch, ms };
    }
  }
  const { way, batch } = best;
  const { posteriors } = await score(way, batch, crops.length);
  const rows = posteriorRows(posteriors, model.spec.classes);
  return {
    ...{ name, version: peer.version, way, batch },
    difference: largestDifference(rows, task.posteriors),
    time: async () => (await score(way, batch, crops.length)).ms,
    end: () => peer.end(),
  };
}

/** [rows × classes] float32 in base64 as rows. */
export function posteriorRows(base64: string, classes: number): Float32Array[] {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  const values = new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
  return Array.from({ length: Math.ceil(values.length / classes) }, (_, row) =>
    values.slice(row * classes, (row + 1) * classes),
  );
}
