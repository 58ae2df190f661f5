// The models that are loaded, by name. Knows the store and the engine's load, not how views are scored.

import { join } from 'node:path';
import { listModels, openModel } from '../../models/store.ts';
import { wireName } from '../../proto/evaluation.ts';
import type { Model } from '../../proto/generated/vgg/v1/Model.ts';
import { VggError, expected } from '../../vgg/errors.ts';
import { macs, parameterCount } from '../../vgg/networks.ts';
import { meanColour } from '../../vgg/pack.ts';
import type { Engine, EngineModel } from './engine.ts';

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

/** Loaded models, the default one first. */
export class Models {
  readonly #models: Map<string, EngineModel>;
  readonly #engine: Engine;

  private constructor(engine: Engine, models: Map<string, EngineModel>) {
    this.#engine = engine;
    this.#models = models;
  }

  /**
   * Loads models one after the other.
   *
   * @throws VggError if one of them cannot be loaded; those loaded before are freed
   */
  static async load(
    engine: Engine,
    selection: ModelSelection,
    onLoaded?: (name: string, ms: number) => void,
  ): Promise<Models> {
    const available = await listModels(selection.directory);
    const names = selection.names.length > 0 ? [...selection.names] : available;
    for (const name of names) {
      if (!available.includes(name)) throw unknownModel(name, available);
    }
    if (names.length === 0) throw expected('at least one model', 'none', selection.directory);
    const defaultName = selection.defaultName || names[0] || '';
    if (!names.includes(defaultName)) throw unknownModel(defaultName, names);
    const loaded = new Map<string, EngineModel>();
    try {
      for (const name of [defaultName, ...names.filter((each) => each !== defaultName)]) {
        const started = performance.now();
        const model = await openModel(join(selection.directory, name), { verify: selection.verify });
        loaded.set(name, await engine.load(model));
        onLoaded?.(name, performance.now() - started);
      }
    } catch (error) {
      for (const model of loaded.values()) await model.unload();
      throw error;
    }
    return new Models(engine, loaded);
  }

  /** Names, the default one first. */
  get names(): string[] {
    return [...this.#models.keys()];
  }

  /** A model by name; the default one for an empty name. @throws VggError NOT_FOUND naming what there is */
  get(name: string): EngineModel {
    const model = this.#models.get(name || (this.names[0] ?? ''));
    if (!model) throw unknownModel(name, this.names);
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
}

function unknownModel(name: string, known: readonly string[]): VggError {
  return expected(`a model of ${known.join(', ') || 'an empty folder'}`, name, 'model', 'NOT_FOUND');
}
