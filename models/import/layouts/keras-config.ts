// Keras's model_config: the layers of a saved model as JSON, in their order.
// Knows which layers and settings make a VGG; a file of weights alone has no model_config.

import { VggError, expected } from '../../../vgg/index.ts';

/** A layer of a model_config. */
export interface LayerConfig {
  name: string;
  /** Class, such as Conv2D. */
  kind: string;
  settings: Readonly<Record<string, unknown>>;
}

// Classes that a VGG is made of or that do nothing at inference, Keras 1's names included.
const KINDS = new Set([
  ...['InputLayer', 'Conv2D', 'Convolution2D', 'BatchNormalization', 'Activation', 'ReLU', 'MaxPooling2D', 'Flatten'],
  ...['Dense', 'Softmax', 'ZeroPadding2D', 'Dropout', 'SpatialDropout2D', 'GaussianNoise', 'GaussianDropout'],
  ...['RandomFlip', 'RandomRotation', 'RandomZoom', 'RandomTranslation', 'RandomContrast', 'RandomBrightness'],
]);
const CONTAINERS = new Set(['Functional', 'Model', 'Sequential']);
const MAX_NESTING = 8;

/**
 * The layers of a model_config, those of nested models in place.
 *
 * @throws VggError INVALID_ARGUMENT if it is no model, or if a layer is none of a VGG's or set otherwise
 */
export function layersOfConfig(json: string): LayerConfig[] {
  let model: unknown;
  try {
    model = JSON.parse(json);
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', 'Expected model_config to be JSON', { cause });
  }
  const layers = [...nestedLayers(model, 0)];
  // Which layers there are says more than how one is set.
  for (const layer of layers) checkKind(layer);
  for (const [i, layer] of layers.entries()) checkSettings(layer, layers[i - 1], layers.slice(i + 1));
  return layers;
}

function* nestedLayers(value: unknown, depth: number): Generator<LayerConfig> {
  const layer = record(value);
  const { class_name: kind = '', config } = layer;
  if (typeof kind !== 'string' || !CONTAINERS.has(kind)) {
    const settings = record(config);
    const name = settings['name'] ?? layer['name'];
    if (typeof kind !== 'string' || typeof name !== 'string') {
      throw expected('layers with a class and a name in model_config', value, 'model_config');
    }
    yield { name, kind, settings };
    return;
  }
  if (depth === MAX_NESTING) throw expected('models nested less deeply', depth, 'model_config');
  // Keras 1 has a Sequential's layers in place of its config.
  const layers = Array.isArray(config) ? config : record(config)['layers'];
  if (!Array.isArray(layers)) throw expected(`the layers of a ${kind}`, layers, 'model_config');
  for (const each of layers) yield* nestedLayers(each, depth + 1);
}

function checkKind({ name, kind }: LayerConfig): void {
  if (!KINDS.has(kind)) {
    throw expected('convolutions, max-pooling and dense layers alone, as a VGG has', `${name} (${kind})`, name);
  }
}

function checkSettings(
  { name, kind, settings }: LayerConfig,
  before: LayerConfig | undefined,
  after: readonly LayerConfig[],
): void {
  const check = (setting: string, ...right: unknown[]) => {
    const came = settings[setting];
    if (came === undefined || came === null || right.some((each) => same(came, each))) return;
    const wanted = right.map((each) => String(each)).join(' or ');
    throw expected(`${setting} ${wanted}, as a VGG has,`, came, name);
  };
  check('data_format', 'channels_last');
  if (kind === 'Conv2D') {
    check('strides', 1);
    check('dilation_rate', 1);
    check('groups', 1);
    check('padding', 'same', ...(before?.kind === 'ZeroPadding2D' ? ['valid'] : []));
    check('activation', 'relu', 'linear');
    if (settings['activation'] === 'relu' && after[0]?.kind === 'BatchNormalization') {
      throw expected('batch normalisation before the ReLU', 'it after the ReLU', after[0].name);
    }
  } else if (kind === 'MaxPooling2D') {
    check('pool_size', 2);
    check('strides', 2);
  } else if (kind === 'Dense') {
    const last = !after.some((each) => each.kind === 'Dense');
    check('activation', ...(last ? ['softmax', 'linear'] : ['relu', 'linear']));
  } else if (kind === 'Activation') {
    check('activation', 'relu', 'softmax', 'linear');
  }
}

// Whether a setting is a number, or a list of it, one for each axis.
function same(came: unknown, right: unknown): boolean {
  return Array.isArray(came) ? came.every((each) => each === right) : came === right;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
