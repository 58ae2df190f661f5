// The models that are loaded, by name. Knows the store and the engine's load, not how views are scored.

import { join } from 'node:path';
import { listModels, openModel } from '../../models/store.ts';
import { wireName } from '../../proto/evaluation.ts';
import type { Model } from '../../proto/generated/vgg/v1/Model.ts';
import { VggError, expected } from '../../vgg/errors.ts';
import { macs, parameterCount } from '../../vgg/networks.ts';
import { meanColour } from '../../vgg/pack.ts';
import type { Engine, EngineModel, LoadPhase } from './engine.ts';

/** Which models to load, and from where. */
export interface ModelSelection {
  /** Folder of models. */
  directory: string;
  /** Names to load; empty: all. */
  names: readonly string[];
  /** Name of the default model; empty: the only one, or the first by name. */
  defaultName: string;
  /** Compare each weights file with its SHA-256 before it is used. */
  verify: boolean;
}

/** What loading goes by, and whom it tells. */
export interface LoadEvents {
  /** Models that are on their way into the folder, verified when they are there: each is waited for. */
  arrivals?: ReadonlyMap<string, Promise<unknown>>;
  /** Told how many milliseconds a phase of a model took. */
  onPhase?: (model: string, phase: LoadPhase | 'verify', ms: number) => void;
  /** Told when a model answers, and how many milliseconds after it was there. */
  onLoaded?: (model: string, ms: number) => void;
}

// Whoever asks before models are loaded may ask again then.
const RETRY_MS = 1000;

/** Loaded models, the default one first; none until they are loaded. */
export class Models {
  #models = new Map<string, EngineModel>();
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Loads models one after the other; until all are, none answers.
   *
   * @throws VggError if one of them cannot be loaded; those loaded before are freed
   */
  async load(selection: ModelSelection, events: LoadEvents = {}): Promise<void> {
    const { directory } = selection;
    const { arrivals } = events;
    const names = arrivals ? selection.names : await namesIn(selection);
    const [first] = names;
    if (first === undefined) throw expected('at least one model', 'none', directory);
    const defaultName = selection.defaultName || first;
    if (!names.includes(defaultName)) throw unknownModel(defaultName, names);
    const loaded = new Map<string, EngineModel>();
    try {
      for (const name of [defaultName, ...names.filter((each) => each !== defaultName)]) {
        await arrivals?.get(name);
        const verify = selection.verify && !arrivals;
        loaded.set(name, await this.#loadOne(join(directory, name), name, verify, events));
      }
    } catch (error) {
      for (const model of loaded.values()) await model.unload();
      throw error;
    }
    this.#models = loaded;
  }

  /** Whether models are loaded. */
  get loaded(): boolean {
    return this.#models.size > 0;
  }

  /** Names, the default one first. @throws VggError UNAVAILABLE until models are loaded */
  get names(): string[] {
    if (!this.loaded) {
      throw new VggError('UNAVAILABLE', 'The models are being loaded', { retryAfterMs: RETRY_MS });
    }
    return [...this.#models.keys()];
  }

  /**
   * A model by name; the default one for an empty name.
   *
   * @throws VggError NOT_FOUND naming what there is; UNAVAILABLE until models are loaded
   */
  get(name: string): EngineModel {
    const { names } = this;
    const model = this.#models.get(name || (names[0] ?? ''));
    if (!model) throw unknownModel(name, names);
    return model;
  }

  /** A model's description, as the wire has it. */
  describe(name: string): Model {
    const { model } = this.get(name);
    const { json, spec, labels } = model;
    return {
      name: model.name,
      network: spec.network,
      width: spec.width,
      hidden: spec.hidden,
      classes: spec.classes,
      inputSize: spec.inputSize,
      mean: meanColour(json.mean),
      scales: json.scales,
      kernel: wireName('KERNEL_', json.kernel),
      labels,
      parameters: parameterCount(spec),
      macs: macs(spec, spec.inputSize, spec.inputSize),
      sha256: json.sha256,
      provenance: json.provenance,
      licence: json.licence,
      isDefault: model.name === this.names[0],
      engine: this.#engine.name,
    };
  }

  async #loadOne(
    folder: string,
    name: string,
    verify: boolean,
    { onPhase, onLoaded }: LoadEvents,
  ): Promise<EngineModel> {
    const began = performance.now();
    const opened = await openModel(folder, { verify });
    if (verify) onPhase?.(name, 'verify', performance.now() - began);
    const model = await this.#engine.load(opened, (phase, ms) => onPhase?.(name, phase, ms));
    onLoaded?.(name, performance.now() - began);
    return model;
  }
}

async function namesIn({ directory, names }: ModelSelection): Promise<readonly string[]> {
  const available = await listModels(directory);
  for (const name of names) {
    if (!available.includes(name)) throw unknownModel(name, available);
  }
  return names.length > 0 ? names : available;
}

function unknownModel(name: string, known: readonly string[]): VggError {
  return expected(`a model of ${known.join(', ') || 'an empty folder'}`, name, 'model', 'NOT_FOUND');
}
