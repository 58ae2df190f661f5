// The service as its clients meet it: over gRPC, on a socket.

import { once } from 'node:events';
import { credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageDefinition } from '../../proto/definitions.ts';
import type { PrepareRequest } from '../../proto/generated/vgg/v1/PrepareRequest.ts';
import type { PrepareResponse__Output } from '../../proto/generated/vgg/v1/PrepareResponse.ts';
import type { PreprocessServiceClient } from '../../proto/generated/vgg/v1/PreprocessService.ts';
import { fromStatus } from '../../proto/status.ts';
import type { RunningServer } from '../../services/host/serve.ts';
import { readConfig } from '../../services/preprocess/config.ts';
import { startPreprocess } from '../../services/preprocess/main.ts';
import { CROP_BYTES } from '../../services/preprocess/service.ts';
import { MEAN, plain, textured } from './photos.ts';

const photo = await textured(300, 240).jpeg().toBuffer();
let server: RunningServer;
let client: PreprocessServiceClient;

beforeAll(async () => {
  const env = { VGG_LOG_LEVEL: 'silent', VGG_PREPROCESS_PORT: '0', VGG_PREPROCESS_DECODES: '1' };
  server = await startPreprocess(
    readConfig({ ...env, VGG_PREPROCESS_QUEUE: '1', VGG_PREPROCESS_METRICS_PORT: '0' }),
  );
  client = connect(server.address);
});

afterAll(async () => {
  client.close();
  await server.close();
});

function connect(address: string): PreprocessServiceClient {
  const { vgg } = loadPackageDefinition(packageDefinition) as unknown as {
    vgg: {
      v1: { PreprocessService: new (...args: unknown[]) => PreprocessServiceClient };
    };
  };
  const options = { 'grpc.max_receive_message_length': -1 };
  return new vgg.v1.PreprocessService(address, credentials.createInsecure(), options);
}

function request(over: PrepareRequest = {}): PrepareRequest {
  const evaluation = { protocol: 'PROTOCOL_TEN_CROP', scales: [64, 96], kernel: 'KERNEL_LINEAR' } as const;
  return { photo, mean: MEAN, inputSize: 64, evaluation: { ...evaluation, scales: [64, 96] }, ...over };
}

async function prepare(over: PrepareRequest = {}): Promise<PrepareResponse__Output[]> {
  const messages = [];
  for await (const each of client.Prepare(request(over))) messages.push(each as PrepareResponse__Output);
  return messages;
}

async function refused(over: PrepareRequest) {
  const error = await prepare(over).then(
    () => undefined,
    (thrown: unknown) => thrown as ServiceError,
  );
  if (!error) throw new Error('Expected an error');
  return fromStatus(error);
}

async function metric(line: string): Promise<number> {
  const text = await server.registry.metrics();
  return Number(
    text
      .split('\n')
      .find((each) => each.startsWith(`${line} `))
      ?.slice(line.length + 1),
  );
}

test('one message per plane, in order, with its views', async () => {
  const messages = await prepare();
  expect(messages.map(({ prepared }) => prepared?.plane?.index)).toEqual([0, 1]);
  expect(messages.flatMap(({ prepared }) => prepared?.views.map(({ index }) => index))).toEqual([
    ...Array(20).keys(),
  ]);
  for (const { prepared, pixels, planes, views, prepareMs } of messages) {
    const { width = 0, height = 0, rgb8, mean, square } = prepared?.plane ?? {};
    expect(rgb8?.length).toBe(width * height * 3);
    expect(mean).toEqual(MEAN);
    expect([pixels, square, planes, views]).toEqual([null, null, 2, 20]);
    expect(prepareMs).toBeGreaterThan(0);
  }
});

test('the square of a resized plane is told', async () => {
  const evaluation = { protocol: 'PROTOCOL_GOOGLENET_144', scales: [96] } as const;
  const messages = await prepare({ evaluation: { ...evaluation, scales: [96] } });
  expect(messages.map(({ prepared }) => prepared?.plane?.square)).toEqual(
    [null, 0, 12, 24].map((x) => (x === null ? x : { x, y: 0, width: 96, height: 96 })),
  );
});

describe('finished numbers', () => {
  test('float32 planes are the planes minus the mean', async () => {
    const [plain] = await prepare();
    const [whole] = await prepare({ realise: 'REALISE_FLOAT32_PLANES' });
    expect(whole?.prepared?.plane?.rgb8).toHaveLength(0);
    expect(whole?.prepared?.views).toEqual(plain?.prepared?.views);
    const rgb8 = plain?.prepared?.plane?.rgb8 ?? Buffer.alloc(0);
    expect(whole?.pixels?.shape).toEqual([64, 80, 3]);
    const { values } = whole?.pixels ?? { values: Buffer.alloc(0) };
    expect(values.length).toBe(rgb8.length * 4);
    expect(values.readFloatLE(8)).toBe(Math.fround((rgb8[2] ?? 0) - MEAN.blue));
  });

  test('float32 crops come in view order, a few in a message', async () => {
    const planes = await prepare();
    const evaluation = { ...request().evaluation, protocol: 'PROTOCOL_MULTI_CROP', grid: 11 } as const;
    const many = await prepare({ realise: 'REALISE_FLOAT32_CROPS', evaluation });
    expect(many.length).toBeGreaterThan(2);
    expect(many.flatMap(({ prepared }) => prepared?.views.map(({ index }) => index))).toEqual([
      ...Array(2 * 242).keys(),
    ]);
    for (const { prepared, pixels } of many) {
      expect(pixels?.values.length).toBeLessThanOrEqual(CROP_BYTES);
      expect(pixels?.shape).toEqual([prepared?.views.length, 64, 64, 3]);
      expect(pixels?.values.length).toBe((prepared?.views.length ?? 0) * 64 * 64 * 12);
    }
    const rgb8 = planes[0]?.prepared?.plane?.rgb8;
    expect(many[0]?.pixels?.values.readFloatLE(0)).toBe(Math.fround((rgb8?.[0] ?? 0) - MEAN.red));
  });
});

describe('refusals keep their code, message and field', () => {
  test.each<[string, PrepareRequest, string, string, string]>([
    [
      'text',
      { photo: Buffer.from('hello') },
      'UNSUPPORTED_FORMAT',
      'Expected a JPEG, PNG, WebP, AVIF, TIFF or GIF image but received text (photo)',
      'photo',
    ],
    [
      'nothing',
      { photo: Buffer.alloc(0) },
      'INVALID_ARGUMENT',
      'Expected a JPEG, PNG, WebP, AVIF, TIFF or GIF image but received nothing (photo)',
      'photo',
    ],
    [
      'too many bytes',
      { photo: Buffer.concat([photo, Buffer.alloc(20 * 1024 * 1024)]) },
      'TOO_LARGE',
      `Expected a photo of at most 20971520 bytes but received ${String(20971520 + photo.length)} bytes (photo)`,
      'photo',
    ],
    [
      'half a photo',
      { photo: photo.subarray(0, photo.length / 2) },
      'INVALID_ARGUMENT',
      'Expected a whole JPEG image but received a damaged or truncated one (photo)',
      'photo',
    ],
    [
      'NaN',
      { mean: { red: NaN, green: 0, blue: 0 } },
      'INVALID_ARGUMENT',
      'Expected levels from 0 to 255 but received NaN (mean.red)',
      'mean.red',
    ],
    [
      'a small scale',
      { evaluation: { scales: [64, 32] } },
      'INVALID_ARGUMENT',
      'Expected scales ≥ 64 but received 32 (scales[1])',
      'scales[1]',
    ],
  ])('%s', async (_, over, code, message, field) => {
    const before = await metric(`vgg_preprocess_refused_total{code="${code}"}`);
    expect(await refused(over)).toMatchObject({ code, message, fields: [{ field, message }] });
    expect(await metric(`vgg_preprocess_refused_total{code="${code}"}`)).toBe(before + 1);
  });
});

test('what does not fit into the queue is refused, with a time to come back', async () => {
  // One photo is worked on, one waits.
  const large = await textured(4000, 3000).jpeg().toBuffer();
  const calls = Array.from({ length: 4 }, () => prepare({ photo: large }));
  const ends = await Promise.allSettled(calls);
  const errors = ends.flatMap((end) =>
    end.status === 'rejected' ? [fromStatus(end.reason as ServiceError)] : [],
  );
  expect(errors).toHaveLength(2);
  for (const error of errors) {
    expect(error.code).toBe('RESOURCE_EXHAUSTED');
    expect(error.retryAfterMs).toBeGreaterThan(0);
  }
});

test('a client that goes away is worked for no longer', async () => {
  // Slow enough that the cancel comes before its end, however busy the machine is.
  const large = await plain(7000, 7000, 1, 2, 3).png({ compressionLevel: 1 }).toBuffer();
  const decoded = 'vgg_preprocess_step_duration_seconds_count{step="decode"}';
  const resized = 'vgg_preprocess_step_duration_seconds_count{step="resize"}';
  const running = 'vgg_preprocess_running';
  const before = { decoded: await metric(decoded), resized: await metric(resized) };
  const call = client.Prepare(request({ photo: large }));
  call.on('error', () => undefined);
  while ((await metric(running)) === 0) await new Promise(setImmediate);
  call.cancel();
  while ((await metric(running)) !== 0) await new Promise(setImmediate);
  // A decoding that had begun was finished; nothing was made of it.
  expect(await metric(decoded)).toBeLessThanOrEqual(before.decoded + 1);
  expect(await metric(resized)).toBe(before.resized);
});

test('a photo whose deadline passes while it waits is never decoded', async () => {
  const slow = await plain(7000, 7000, 1, 2, 3).png({ compressionLevel: 1 }).toBuffer();
  const decoded = 'vgg_preprocess_step_duration_seconds_count{step="decode"}';
  const before = await metric(decoded);
  const first = prepare({ photo: slow });
  while ((await metric('vgg_preprocess_running')) === 0) await new Promise(setImmediate);
  const waiting = client.Prepare(request(), new Metadata(), { deadline: Date.now() + 30 });
  const [error] = (await once(waiting, 'error')) as [ServiceError];
  expect(fromStatus(error).code).toBe('DEADLINE_EXCEEDED');
  expect(await first).toHaveLength(2);
  expect(await metric(decoded)).toBe(before + 1);
});

test('photos are counted by format and size', async () => {
  const before = await metric('vgg_preprocess_photos_total{format="jpeg"}');
  const sum = await metric('vgg_preprocess_photo_megapixels_sum');
  await prepare();
  expect(await metric('vgg_preprocess_photos_total{format="jpeg"}')).toBe(before + 1);
  expect(await metric('vgg_preprocess_photo_megapixels_sum')).toBeCloseTo(sum + 0.072, 9);
});
