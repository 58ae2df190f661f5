// The models that are evaluated: on disk, or behind a server, which is asked. Knows their facts; runs none.

import sharp from 'sharp';
import type { Kernel, VggClient } from '../../sdk/index.ts';
import { VggError, expected } from '../../vgg/errors.ts';
import { openNamed } from '../models-folder.ts';

/** What has to be known of a model. */
export interface ModelFacts {
  name: string;
  /** Row of the paper's Table 1. */
  network: string;
  /** Class names by index. */
  labels: readonly string[];
  inputSize: number;
  /** Default scales, in pixels. */
  scales: number[];
  kernel?: Kernel;
  identity: ModelIdentity;
}

/** By which a model is known again: the sum of its weights, or what it says of one picture. */
export type ModelIdentity = { sha256: string } | { posterior: number[] };

/** Facts of models in a folder of models; of the first one for no names. */
export async function localModels(folder: string, names: readonly string[]): Promise<ModelFacts[]> {
  const opened = [await openNamed(folder, names[0])];
  for (const name of names.slice(1)) opened.push(await openNamed(folder, name));
  return sameClasses(
    opened.map(({ name, json, spec, labels }) => ({
      name,
      network: json.network,
      labels,
      inputSize: spec.inputSize,
      scales: json.scales,
      kernel: json.kernel,
      identity: { sha256: json.sha256 },
    })),
  );
}

/**
 * Facts of a server's models: of the default one for no names. An aggregator lists no models, so each is asked
 * about a picture: the answer has the names of all classes, the default scales, and a crop's size.
 */
export async function serverModels(
  client: VggClient,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ModelFacts[]> {
  const picture = await testPicture();
  const asked = names.length > 0 ? names.map((name) => [name]) : [[]];
  const models = asked.map(async (models): Promise<ModelFacts> => {
    const answer = await client.classify(picture, {
      ...{ models, protocol: 'CENTER_CROP', top: 2 ** 20, posterior: true, viewScores: true, signal },
    });
    const [view] = answer.viewScores ?? [];
    if (!view || !answer.posterior) throw new VggError('INTERNAL', 'The server sent no scores');
    const labels: string[] = [];
    for (const { classIndex, label } of answer.predictions) labels[classIndex] = label;
    return {
      name: answer.models[0] ?? '',
      network: answer.networks[0] ?? '',
      labels,
      inputSize: view.view.width,
      scales: answer.scales,
      identity: { posterior: Array.from(answer.posterior, (value) => Number(value.toPrecision(6))) },
    };
  });
  return sameClasses(await Promise.all(models));
}

/** Whether two identities are of one model. Engines differ by up to 1e-4, models by far more. */
export function sameModel(a: ModelIdentity, b: ModelIdentity): boolean {
  if ('sha256' in a) return 'sha256' in b && a.sha256 === b.sha256;
  return (
    'posterior' in b &&
    a.posterior.length === b.posterior.length &&
    a.posterior.every((value, i) => Math.abs(value - (b.posterior[i] ?? NaN)) <= 1e-3)
  );
}

// Averages, and one truth for all, need the same classes in the same order.
function sameClasses(models: ModelFacts[]): ModelFacts[] {
  const [first] = models;
  for (const [i, { name, labels }] of models.entries()) {
    if (models.findIndex((each) => each.name === name) !== i)
      throw expected('each model once', name, '--model');
    if (first && labels.join('\n') !== first.labels.join('\n')) {
      throw expected(`models with the classes of ${first.name}`, name, '--model');
    }
  }
  return models;
}

// Waves of different lengths in each colour: every model says something else of it.
async function testPicture(): Promise<Uint8Array> {
  const side = 256;
  const pixels = Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const [x, y, channel] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side), i % 3];
    return Math.round(127.5 * (1 + Math.sin((x * (channel + 2)) / 9) * Math.cos((y * (5 - channel)) / 13)));
  });
  return await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
}
