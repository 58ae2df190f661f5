// The Open Inference Protocol over the same scoring: a batch of images in, posteriors out, for
// clients of KServe and Triton. Each image is one view: the whole of it, not mirrored.

import { openInferenceService } from '../../proto/definitions.ts';
import type { GRPCInferenceServiceHandlers } from '../../proto/generated/inference/GRPCInferenceService.ts';
import type { ModelInferRequest__Output } from '../../proto/generated/inference/ModelInferRequest.ts';
import type { ModelInferResponse } from '../../proto/generated/inference/ModelInferResponse.ts';
import type { _inference_ModelInferRequest_InferInputTensor__Output as InputTensor } from '../../proto/generated/inference/ModelInferRequest.ts';
import { bytesOf } from '../../proto/tensors.ts';
import { expected } from '../../vgg/errors.ts';
import { topK } from '../../vgg/scores.ts';
import { implement, type CallContext, type Implementation } from '../host/handlers.ts';
import type { EngineHealth, ViewScores } from './engine.ts';
import type { Models } from './models.ts';
import type { Scoring } from './scoring.ts';

/** The one input: UINT8 [n, height, width, 3], RGB, each side ≥ inputSize; the mean is subtracted here. */
export const INPUT = 'rgb8';
/** FP32 [n, classes]. */
export const POSTERIOR = 'posterior';
/** FP32 [n, height/32 − k, width/32 − k, classes]: class scores before any softmax. */
export const SCORE_MAP = 'score_map';

const VERSION = '1';

/** What the rpcs stand on. */
export interface OpenInferenceDependencies {
  models: Models;
  scoring: Scoring;
  health: () => EngineHealth;
  /** Version of the package. */
  version: string;
}

/** The Open Inference Protocol, ready to be served. */
export function createOpenInferenceService(dependencies: OpenInferenceDependencies): Implementation {
  const { models, health, version } = dependencies;
  return implement<GRPCInferenceServiceHandlers>(openInferenceService, {
    ServerLive: () => ({ live: true }),
    ServerReady: () => ({ ready: models.loaded && health().ready }),
    ModelReady: ({ name, version: modelVersion }) => {
      checkVersion(modelVersion);
      models.get(name);
      return { ready: health().ready };
    },
    ServerMetadata: () => ({ name: 'vgg-serve', version, extensions: ['classification'] }),
    ModelMetadata: ({ name, version: modelVersion }) => {
      checkVersion(modelVersion);
      const model = models.describe(name);
      const classes = model.classes ?? 0;
      return {
        name: model.name ?? '',
        versions: [VERSION],
        platform: `vgg_serve_${model.engine ?? ''}`,
        inputs: [{ name: INPUT, datatype: 'UINT8', shape: [-1, -1, -1, 3] }],
        outputs: [
          { name: POSTERIOR, datatype: 'FP32', shape: [-1, classes] },
          { name: SCORE_MAP, datatype: 'FP32', shape: [-1, -1, -1, classes] },
        ],
        properties: {
          network: model.network ?? '',
          input_size: String(model.inputSize),
          mean: JSON.stringify([model.mean?.red, model.mean?.green, model.mean?.blue]),
        },
      };
    },
    ModelInfer: (request, context) => infer(request, context, dependencies),
  });
}

async function infer(
  request: ModelInferRequest__Output,
  { signal, deadline }: Pick<CallContext, 'signal' | 'deadline'>,
  { models, scoring }: OpenInferenceDependencies,
): Promise<ModelInferResponse> {
  checkVersion(request.modelVersion);
  const model = models.get(request.modelName);
  const images = readImages(request);
  const wanted = readOutputs(request);
  const priority = request.parameters['priority'];
  const call = scoring.open({
    model,
    wanted: {
      scoreOrder: 'MEAN_THEN_SOFTMAX',
      scoreMaps: wanted.some(({ name }) => name === SCORE_MAP),
      share: 'auto',
    },
    rank: (priority?.int64Param ?? priority?.uint64Param ?? 0) > 0 ? 1 : 0,
    deadline,
    signal,
    reserve: images.pixels.length,
  });
  try {
    const { width, height } = images;
    for (const [index, rgb8] of images.pixels.entries()) {
      const view = { index, plane: index, x: 0, y: 0, width, height, mirrored: false, weight: 1 };
      call.add({ width, height, rgb8, mean: undefined }, [view]);
    }
    call.end();
    const scores: ViewScores[] = [];
    for await (const scored of call.job) for (const each of scored.scores.scores) scores[each.view] = each;
    return respond(request, wanted, scores, model.model.labels, model.model.name);
  } finally {
    call.release();
  }
}

interface Images {
  width: number;
  height: number;
  /** height × width × 3 bytes each. */
  pixels: Uint8Array[];
}

function readImages({ inputs, rawInputContents }: ModelInferRequest__Output): Images {
  const [input] = inputs;
  if (!input || inputs.length !== 1) throw expected('one input', inputs.length, 'inputs');
  if (input.name !== INPUT) throw expected(`input ${INPUT}`, input.name, 'inputs[0].name');
  if (input.datatype !== 'UINT8') throw expected('datatype UINT8', input.datatype, 'inputs[0].datatype');
  const [count = 0, height = 0, width = 0, channels] = input.shape;
  if (input.shape.length !== 4 || channels !== 3 || count < 1 || height < 1 || width < 1) {
    throw expected('shape [n, height, width, 3]', input.shape, 'inputs[0].shape');
  }
  if (rawInputContents.length > 1) {
    throw expected('one raw input', rawInputContents.length, 'raw_input_contents');
  }
  const bytes = rawInputContents[0] ?? contentsOf(input);
  const size = height * width * 3;
  if (bytes.length !== count * size) {
    throw expected(
      `${String(count * size)} bytes for shape [${input.shape.join(', ')}]`,
      bytes.length,
      'inputs[0]',
    );
  }
  return {
    width,
    height,
    pixels: Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size)),
  };
}

function contentsOf({ contents }: InputTensor): Uint8Array {
  const values = contents?.uintContents ?? [];
  const wrong = values.find((value) => value > 255);
  // Bytes would take it modulo 256, and the answer be wrong in silence.
  if (wrong !== undefined) throw expected('values from 0 to 255', wrong, 'inputs[0].contents');
  return Uint8Array.from(values);
}

interface WantedOutput {
  name: string;
  /** Classes to name, where the classification extension is asked for. */
  classification?: number;
}

function readOutputs({ outputs }: ModelInferRequest__Output): WantedOutput[] {
  if (outputs.length === 0) return [{ name: POSTERIOR }];
  return outputs.map(({ name, parameters }, i) => {
    if (name !== POSTERIOR && name !== SCORE_MAP) {
      throw expected(`output ${POSTERIOR} or ${SCORE_MAP}`, name, `outputs[${String(i)}].name`);
    }
    const classification = parameters['classification']?.int64Param ?? 0;
    if (classification > 0 && name !== POSTERIOR) {
      throw expected(
        `classification of ${POSTERIOR}`,
        name,
        `outputs[${String(i)}].parameters.classification`,
      );
    }
    return classification > 0 ? { name, classification } : { name };
  });
}

function respond(
  { id }: ModelInferRequest__Output,
  wanted: readonly WantedOutput[],
  scores: readonly ViewScores[],
  labels: readonly string[],
  modelName: string,
): ModelInferResponse {
  const tensors = wanted.map(({ name, classification }) => {
    if (classification !== undefined) return { name, ...classified(scores, classification, labels) };
    const values = scores.map(({ posterior, scoreMap }) =>
      name === POSTERIOR ? posterior : scoreMap?.values,
    );
    const [first] = scores;
    const shape =
      name === POSTERIOR || !first?.scoreMap
        ? [scores.length, first?.posterior.length ?? 0]
        : [scores.length, first.scoreMap.height, first.scoreMap.width, first.scoreMap.classes];
    return {
      name,
      datatype: 'FP32',
      shape,
      raw: Buffer.concat(values.map((each) => bytesOf(each ?? new Float32Array()))),
    };
  });
  return {
    modelName,
    modelVersion: VERSION,
    id,
    outputs: tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    rawOutputContents: tensors.map(({ raw }) => raw),
  };
}

// Triton's extension: BYTES elements "value:index:label", each after its length.
function classified(scores: readonly ViewScores[], k: number, labels: readonly string[]) {
  const elements = scores.flatMap(({ posterior }) =>
    topK(posterior, k, labels).map(({ score, classIndex, label }) => {
      const text = Buffer.from(`${score.toFixed(6)}:${String(classIndex)}:${label}`);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return Buffer.concat([length, text]);
    }),
  );
  return {
    datatype: 'BYTES',
    shape: [scores.length, elements.length / Math.max(1, scores.length)],
    raw: Buffer.concat(elements),
  };
}

function checkVersion(version: string): void {
  if (version !== '' && version !== VERSION)
    throw expected(`version ${VERSION}`, version, 'version', 'NOT_FOUND');
}
