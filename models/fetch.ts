// Models from where they are published into a folder of models: several at once, each verified, none in memory.
// Knows which files a model has and in which order they may appear; download.ts knows how one comes.

import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkModelName,
  expected,
  parameterCount,
  parseLabels,
  parseModelJson,
  type ModelJson,
} from '../vgg/index.ts';
import { download, type DownloadOptions } from './download.ts';
import { SYSTEM_CLOCK, pause, type Clock } from './download/clock.ts';
import { withLock } from './download/partial.ts';
import type { ModelsSource } from './fetch/source.ts';
import { MODEL_FILES, specOf } from './store.ts';

/** How models are fetched. */
export interface FetchOptions {
  source: ModelsSource;
  /** Folder of models; made if it is not there. */
  directory: string;
  /** Models that come at a time; 4 by default. */
  atOnce?: number;
  signal?: AbortSignal;
  /** Told the length of each piece that comes. */
  onBytes?: (bytes: number) => void;
  /** Told why an attempt at a file failed, and after how many milliseconds there will be another. */
  onRetry?: (why: string, waitMs: number) => void;
  clock?: Clock;
}

/** A model that has come and is what its model.json says. */
export interface FetchedModel {
  /** Milliseconds that its files took to come, and that the SHA-256 of its weights took. */
  fetchMs: number;
  verifyMs: number;
  /** Bytes of weights that came now; 0 if they were there already. */
  transferred: number;
}

const AT_ONCE = 4;
const WAIT_MS = 1000;
const MEBI = 2 ** 20;

/**
 * Begins to fetch models, in the order of their names. Whoever else fetches the same model into the same folder is
 * waited for. What has come is kept when this ends early, and gone on from the next time; weights that are there and
 * right are not asked for again. The first model that fails ends the others.
 *
 * @returns what becomes of each: VggErrors are those of download.ts, or say what is wrong with the model
 */
export function fetchModels(
  names: readonly string[],
  options: FetchOptions,
): Map<string, Promise<FetchedModel>> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  const turn = turns(options.atOnce ?? AT_ONCE);
  const fetching = (name: string) =>
    turn(() => {
      signal.throwIfAborted();
      return fetchModel(name, { ...options, signal });
    });
  return new Map(
    names.map((name) => {
      const fetched = fetching(name);
      fetched.catch((error: unknown) => {
        failed.abort(error);
      });
      return [name, fetched];
    }),
  );
}

async function fetchModel(
  name: string,
  options: FetchOptions & { signal: AbortSignal },
): Promise<FetchedModel> {
  const { source, directory, signal, clock = SYSTEM_CLOCK } = options;
  checkModelName(name);
  const folder = join(directory, name);
  const common = {
    ...{ signal, clock, patient: true },
    ...(options.onBytes && { onBytes: options.onBytes }),
    ...(options.onRetry && { onRetry: options.onRetry }),
  };
  const get = (file: string, target: string, what: Pick<DownloadOptions, 'digest' | 'maxBytes'>) => {
    const url = source.file(name, file);
    const { locate } = source;
    return download(url, target, { ...common, ...what, ...(locate && { locate: () => locate(url) }) });
  };
  const began = clock.now();
  const wait = () => pause(clock, WAIT_MS, signal);
  return await withLock(folder, wait, async () => {
    // A folder is a model once it has a model.json, so that file comes first and gets its name last.
    const aside = join(folder, `.${MODEL_FILES.json}`);
    await get(MODEL_FILES.json, aside, { digest: 'unstated', maxBytes: MEBI });
    const json = parseModelJson(await readFile(aside, 'utf8'));
    if (json.name !== name)
      throw expected(`name ${name}, the model's at ${shown(source, name)}`, json.name, 'name');
    const labels = join(folder, MODEL_FILES.labels);
    await get(MODEL_FILES.labels, labels, { digest: 'unstated', maxBytes: 64 * MEBI });
    parseLabels(await readFile(labels, 'utf8'), json.classes);
    const { transferred, verifyMs } = await get(MODEL_FILES.weights, join(folder, MODEL_FILES.weights), {
      digest: { algorithm: 'sha256', hex: json.sha256 },
      maxBytes: mostBytes(json),
    });
    await rename(aside, join(folder, MODEL_FILES.json));
    return { fetchMs: clock.now() - began - verifyMs, verifyMs, transferred };
  });
}

// Four bytes a number; what a file has beside its numbers is little.
function mostBytes(json: ModelJson): number {
  return 4 * parameterCount(specOf(json)) + MEBI;
}

function shown(source: ModelsSource, name: string): string {
  return source.file(name, MODEL_FILES.json).href;
}

// Runs so much work at a time, in the order of asking.
function turns(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    while (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      return await work();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}
