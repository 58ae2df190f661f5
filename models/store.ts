// Models on disk: folders of model.json, weights.safetensors and labels.txt.
// Knows files, not engines: weights stay where they are until somebody reads them.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  VggError,
  checkModelJson,
  checkModelName,
  checkWeights,
  expected,
  formatLabels,
  formatModelJson,
  parseLabels,
  parseModelJson,
  parseSafetensors,
  safetensorsHeaderBytes,
  type ModelJson,
  type NetworkSpec,
  type TensorEntry,
} from '../vgg/index.ts';

/** The files of a model's folder. */
export const MODEL_FILES = {
  json: 'model.json',
  weights: 'weights.safetensors',
  labels: 'labels.txt',
} as const;

/** A model whose files were read and checked, except for its weights' values. */
export interface OpenModel {
  name: string;
  json: ModelJson;
  spec: NetworkSpec;
  /** Class names by index. */
  labels: string[];
  weightsPath: string;
  tensors: TensorEntry[];
}

/** Names of the models in a folder of models, sorted: its subfolders that have a model.json. */
export async function listModels(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw new VggError('INVALID_ARGUMENT', `Expected a folder of models but cannot read ${directory}`, {
      cause,
    });
  });
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.isFile() || entry.name.startsWith('.')) continue;
    if (await isFile(join(directory, entry.name, MODEL_FILES.json))) names.push(entry.name);
  }
  return names.sort();
}

/**
 * Opens a model: reads model.json, labels and the weights' header and checks them against the network.
 *
 * @param directory the model's own folder
 * @param options.verify also compare the weights' SHA-256 with model.json (reads the whole file)
 * @throws VggError NOT_FOUND if there is no model; INVALID_ARGUMENT naming what is wrong with it
 */
export async function openModel(directory: string, { verify = false } = {}): Promise<OpenModel> {
  const weightsPath = join(directory, MODEL_FILES.weights);
  const json = parseModelJson(await readText(directory, MODEL_FILES.json));
  if (json.name !== basename(directory))
    throw expected(`name ${basename(directory)}, the folder's`, json.name, 'name');
  const labels = parseLabels(await readText(directory, MODEL_FILES.labels), json.classes);
  const tensors = await readTensors(weightsPath);
  const spec = specOf(json);
  checkWeights(spec, tensors);
  if (verify) {
    const sha256 = await sha256OfFile(weightsPath);
    if (sha256 !== json.sha256)
      throw expected(`weights with SHA-256 ${json.sha256}`, sha256, MODEL_FILES.weights);
  }
  return { name: json.name, json, spec, labels, weightsPath, tensors };
}

/** The tensors of a weights file, from its header alone. */
export async function readTensors(weightsPath: string): Promise<TensorEntry[]> {
  let file: FileHandle | undefined;
  try {
    file = await open(weightsPath, 'r');
    const stats = await file.stat();
    if (!stats.isFile()) throw expected('a safetensors file', 'a folder', weightsPath);
    const start = Buffer.alloc(8);
    const { bytesRead } = await file.read(start, 0, 8, 0);
    const header = Buffer.alloc(safetensorsHeaderBytes(start.subarray(0, bytesRead), stats.size));
    await file.read(header, 0, header.length, 8);
    return parseSafetensors(header, stats.size);
  } catch (cause) {
    if (cause instanceof VggError) throw cause;
    throw new VggError('NOT_FOUND', `Expected a weights file but cannot read ${weightsPath}`, { cause });
  } finally {
    await file?.close();
  }
}

/**
 * Writes a model's folder: aside first, then renamed, so that an interruption leaves nothing half-written.
 *
 * @param parent folder of models; the model's own folder is made in it
 * @param weights chunks of the weights file, in order
 * @returns the new folder; json's sha256 is computed here
 * @throws VggError INVALID_ARGUMENT if the model exists or a chunk's sum does not fit the network
 */
export async function writeModel(
  parent: string,
  facts: Omit<ModelJson, 'sha256'>,
  labels: readonly string[],
  weights: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<string> {
  const json = checkModelJson({ ...facts, sha256: '0'.repeat(64) });
  const target = await checkNameFree(parent, json.name);
  const aside = join(parent, `.${json.name}.${String(process.pid)}.partial`);
  await mkdir(aside, { recursive: true });
  try {
    const weightsPath = join(aside, MODEL_FILES.weights);
    const hash = createHash('sha256');
    const file = await open(weightsPath, 'wx');
    try {
      for await (const chunk of weights) {
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    checkWeights(specOf(json), await readTensors(weightsPath));
    const text = formatLabels(labels);
    parseLabels(text, json.classes);
    await writeFile(join(aside, MODEL_FILES.labels), text);
    await writeFile(join(aside, MODEL_FILES.json), formatModelJson({ ...json, sha256: hash.digest('hex') }));
    await rename(aside, target);
    return target;
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

/**
 * The folder that a new model would have.
 *
 * @throws VggError INVALID_ARGUMENT if the name is no name, or a model has it
 */
export async function checkNameFree(parent: string, name: string): Promise<string> {
  checkModelName(name);
  const target = join(parent, name);
  if (await stat(target).catch(() => undefined)) throw expected('a name that is not taken', name, 'name');
  return target;
}

/** SHA-256 of a file, lower-case hexadecimal. @param onBytes told of each piece's length */
export async function sha256OfFile(path: string, onBytes?: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    onBytes?.((chunk as Buffer).length);
  }
  return hash.digest('hex');
}

/** A model.json's network. */
export function specOf({ network, width, hidden, classes, inputSize }: ModelJson): NetworkSpec {
  return { network, width, hidden, classes, inputSize };
}

async function readText(directory: string, file: string): Promise<string> {
  try {
    return await readFile(join(directory, file), 'utf8');
  } catch (cause) {
    throw new VggError('NOT_FOUND', `Expected a model in ${directory} but cannot read its ${file}`, {
      cause,
    });
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
