// The Open Inference Protocol as its clients meet it, over a socket.

import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelInferRequest } from '../../proto/generated/inference/ModelInferRequest.ts';
import type { ModelInferResponse__Output } from '../../proto/generated/inference/ModelInferResponse.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { fromStatus } from '../../proto/status.ts';
import type { RunningServer } from '../../services/host/serve.ts';
import { VIEWS } from '../../services/inference/metrics.ts';
import { goldenNetwork, goldenPlane, largestDifference } from './engine-conformance/fixtures.ts';
import { connect, floats, metric, modelFolder, SIDE, startService, tinyName } from './serving.ts';

let folder: string;
let server: RunningServer;
let clients: ReturnType<typeof connect>;
beforeAll(async () => {
  folder = await modelFolder();
  server = await startService(folder, { VGG_INFERENCE_LOAD: `${tinyName},golden-a` });
  clients = connect(server.address);
});
afterAll(async () => {
  clients.close();
  await server.close();
  await rm(folder, { recursive: true });
});

const call = <Request, Response>(
  method: (request: Request, done: (error: ServiceError | null, response?: Response) => void) => unknown,
  request: Request,
): Promise<Response> =>
  promisify<Request, Response>((input, done) => {
    method.call(clients.open, input, (error, response) => {
      done(error ? fromStatus(error) : null, response as Response);
    });
  })(request);

const infer = (request: ModelInferRequest) =>
  call<ModelInferRequest, ModelInferResponse__Output>(
    (input, done) => clients.open.ModelInfer(input, done),
    request,
  );

const image = (seed: number, height = SIDE, width = SIDE) =>
  Buffer.from(Array.from({ length: height * width * 3 }, (_, i) => ((i + 1) * 7919 * seed) % 251));

function request(over: ModelInferRequest = {}, tensor: object = {}): ModelInferRequest {
  return {
    modelName: tinyName,
    inputs: [{ name: 'rgb8', datatype: 'UINT8', shape: [2, SIDE, SIDE, 3], ...tensor }],
    rawInputContents: [Buffer.concat([image(1), image(2)])],
    ...over,
  };
}

const rows = (response: ModelInferResponse__Output, output = 0) => {
  const values = floats(response.rawOutputContents[output] ?? new Uint8Array());
  const classes = Number(response.outputs[output]?.shape.at(-1));
  return Array.from({ length: values.length / classes }, (_, i) =>
    values.subarray(i * classes, (i + 1) * classes),
  );
};

describe('server and models', () => {
  test('live, ready, and what the server is', async () => {
    expect(await call((input, done) => clients.open.ServerLive(input, done), {})).toEqual({ live: true });
    expect(await call((input, done) => clients.open.ServerReady(input, done), {})).toEqual({ ready: true });
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(await call((input, done) => clients.open.ServerMetadata(input, done), {})).toEqual({
      name: 'vgg-serve',
      version,
      extensions: ['classification'],
    });
  });

  test('a model by name, by version 1, by default; no other', async () => {
    const ready = (input: object) => call((each: object, done) => clients.open.ModelReady(each, done), input);
    for (const input of [{ name: 'golden-a' }, { name: 'golden-a', version: '1' }, {}]) {
      expect(await ready(input)).toEqual({ ready: true });
    }
    await expect(ready({ name: 'golden-a', version: '2' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'Expected version 1 but received 2 (version)',
    });
    await expect(ready({ name: 'resnet' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `Expected a model of ${tinyName}, golden-a but received resnet (model)`,
    });
  });

  test('metadata: names, types and shapes of tensors', async () => {
    const input = { name: 'golden-a' };
    expect(await call((each: object, done) => clients.open.ModelMetadata(each, done), input)).toEqual({
      name: 'golden-a',
      versions: ['1'],
      platform: 'vgg_serve_onnx',
      inputs: [{ name: 'rgb8', datatype: 'UINT8', shape: [-1, -1, -1, 3] }],
      outputs: [
        { name: 'posterior', datatype: 'FP32', shape: [-1, 10] },
        { name: 'score_map', datatype: 'FP32', shape: [-1, -1, -1, 10] },
      ],
      properties: { network: 'A', input_size: '224', mean: '[123.68,116.78,103.94]' },
    });
  });
});

describe('inference', () => {
  test("the golden centre crop and dense view: another implementation's answers to 1e-4", async () => {
    const { golden } = await goldenNetwork('A');
    const { width, height, rgb8 } = await goldenPlane();
    const side = golden.input;
    const crop = Buffer.alloc(side * side * 3);
    for (let row = 0; row < side; row++) {
      const from = (((height - side) / 2 + row) * width + (width - side) / 2) * 3;
      crop.set(rgb8.subarray(from, from + side * 3), row * side * 3);
    }
    const ask = (h: number, w: number, bytes: Uint8Array) =>
      infer(
        request({ modelName: 'golden-a', id: 'mine', rawInputContents: [bytes] }, { shape: [1, h, w, 3] }),
      );
    const answer = await ask(side, side, crop);
    expect(answer).toMatchObject({
      ...{ modelName: 'golden-a', modelVersion: '1', id: 'mine' },
      outputs: [{ name: 'posterior', datatype: 'FP32', shape: [1, 10] }],
    });
    expect(largestDifference(rows(answer)[0] ?? [], golden.center_crop)).toBeLessThan(1e-4);
    const dense = await ask(height, width, Uint8Array.from(rgb8));
    expect(largestDifference(rows(dense)[0] ?? [], golden.dense_unmirrored)).toBeLessThan(1e-4);
  });

  test('images of a batch in their order; raw bytes and uint_contents alike', async () => {
    const before = await metric(server, VIEWS);
    const both = rows(await infer(request()));
    expect(await metric(server, VIEWS)).toBe(before + 2);
    const contents = { uintContents: [...image(2), ...image(1)] };
    const typed = rows(await infer(request({ rawInputContents: [] }, { contents })));
    expect(both).toHaveLength(2);
    expect(largestDifference(both[0] ?? [], both[1] ?? [])).toBeGreaterThan(1e-3);
    expect(typed[1]).toEqual(both[0]);
    expect(typed[0]).toEqual(both[1]);
  });

  test('score maps and posteriors, in the order in which they are asked for', async () => {
    const shape = [1, 64, 96, 3];
    const outputs = [{ name: 'score_map' }, { name: 'posterior' }];
    const answer = await infer(request({ rawInputContents: [image(3, 64, 96)], outputs }, { shape }));
    expect(answer.outputs.map((each) => [each.name, each.datatype, each.shape])).toEqual([
      ['score_map', 'FP32', [1, 2, 3, 5]],
      ['posterior', 'FP32', [1, 5]],
    ]);
    const map = rows(answer, 0);
    const mean = [0, 1, 2, 3, 4].map((i) => map.reduce((sum, each) => sum + (each[i] ?? NaN) / 6, 0));
    const exponents = mean.map(Math.exp);
    const total = exponents.reduce((a, b) => a + b);
    const softmax = exponents.map((each) => each / total);
    expect(largestDifference(rows(answer, 1)[0] ?? [], softmax)).toBeLessThan(1e-5);
  });

  test('the classification extension: "value:index:label", most probable first', async () => {
    const posteriors = rows(await infer(request()));
    const outputs = [{ name: 'posterior', parameters: { classification: { int64Param: 2 } } }];
    const answer = await infer(request({ outputs }));
    expect(answer.outputs).toMatchObject([{ name: 'posterior', datatype: 'BYTES', shape: [2, 2] }]);
    const bytes = Buffer.from(answer.rawOutputContents[0] ?? []);
    const texts: string[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = bytes.readUInt32LE(at);
      texts.push(bytes.toString('utf8', at + 4, at + 4 + length));
      at += 4 + length;
    }
    const wanted = posteriors.flatMap((posterior) =>
      [...posterior]
        .map((score, index) => ({ score, index }))
        .sort((a, b) => b.score - a.score)
        .slice(0, 2)
        .map(({ score, index }) => `${score.toFixed(6)}:${String(index)}:class ${String(index)}`),
    );
    expect(texts).toEqual(wanted);
  });
});

describe('what is refused', () => {
  const two = [Buffer.concat([image(1), image(2)])];
  test.each<[string, ModelInferRequest, string]>([
    ['no input', request({ inputs: [] }), 'Expected one input but received 0 (inputs)'],
    [
      'an input of another name',
      request({}, { name: 'pixels' }),
      'Expected input rgb8 but received pixels (inputs[0].name)',
    ],
    [
      'another type',
      request({}, { datatype: 'FP32' }),
      'Expected datatype UINT8 but received FP32 (inputs[0].datatype)',
    ],
    [
      'channels first',
      request({}, { shape: [2, 3, SIDE, SIDE] }),
      'Expected shape [n, height, width, 3] but received [2,3,32,32] (inputs[0].shape)',
    ],
    [
      'one image without a batch',
      request({}, { shape: [SIDE, SIDE, 3] }),
      'Expected shape [n, height, width, 3] but received [32,32,3] (inputs[0].shape)',
    ],
    [
      'no image',
      request({}, { shape: [0, SIDE, SIDE, 3] }),
      'Expected shape [n, height, width, 3] but received [0,32,32,3] (inputs[0].shape)',
    ],
    [
      'bytes for one image more',
      request({}, { shape: [3, SIDE, SIDE, 3] }),
      'Expected 9216 bytes for shape [3, 32, 32, 3] but received 6144 (inputs[0])',
    ],
    [
      'no bytes',
      request({ rawInputContents: [] }),
      'Expected 6144 bytes for shape [2, 32, 32, 3] but received 0 (inputs[0])',
    ],
    [
      'bytes of a second input',
      request({ rawInputContents: [...two, ...two] }),
      'Expected one raw input but received 2 (raw_input_contents)',
    ],
    [
      'a level beyond a byte',
      request({ rawInputContents: [] }, { contents: { uintContents: [0, 256] } }),
      'Expected values from 0 to 255 but received 256 (inputs[0].contents)',
    ],
    [
      'an image smaller than a crop',
      request({ rawInputContents: [image(1, 31, 32)] }, { shape: [1, 31, 32, 3] }),
      'Expected height ≥ 32 but received 31 (views[0].height)',
    ],
    [
      'an unknown output',
      request({ outputs: [{ name: 'logits' }] }),
      'Expected output posterior or score_map but received logits (outputs[0].name)',
    ],
    [
      'classes of a score map',
      request({ outputs: [{ name: 'score_map', parameters: { classification: { int64Param: 3 } } }] }),
      'Expected classification of posterior but received score_map (outputs[0].parameters.classification)',
    ],
  ])('%s', async (_name, wrong, message) => {
    await expect(infer(wrong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message });
  });

  test('more images than a call may have, an unknown model, another version', async () => {
    const many = { shape: [513, SIDE, SIDE, 3] };
    const bytes = [Buffer.alloc(513 * SIDE * SIDE * 3)];
    await expect(infer(request({ rawInputContents: bytes }, many))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'Expected 1 to 512 views in a call but received 513 (views)',
    });
    await expect(infer(request({ modelName: 'resnet' }))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(infer(request({ modelVersion: '2' }))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
