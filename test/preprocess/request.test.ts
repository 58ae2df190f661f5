// Requests as they come over the wire: every field that is wrong is named, zero means unset.

import { describe, expect, test } from 'vitest';
import { preprocessService } from '../../proto/definitions.ts';
import type { Evaluation } from '../../proto/generated/vgg/v1/Evaluation.ts';
import type { PrepareRequest } from '../../proto/generated/vgg/v1/PrepareRequest.ts';
import { readRequest } from '../../services/preprocess/request.ts';
import { MEAN } from './photos.ts';

const { requestSerialize, requestDeserialize } = preprocessService.Prepare;

function read(over: PrepareRequest = {}, evaluation: Evaluation = {}) {
  const request = { mean: MEAN, inputSize: 64, evaluation: { scales: [64], ...evaluation }, ...over };
  return readRequest(requestDeserialize(requestSerialize(request)));
}

test('what is left out is resolved', () => {
  expect(read()).toEqual({
    evaluation: {
      protocol: 'MULTI_CROP',
      scales: [64],
      grid: 5,
      align: 8,
      kernel: 'linear',
      scoreOrder: 'MEAN_THEN_SOFTMAX',
      share: 'AUTO',
      stop: 'NONE',
    },
    mean: MEAN,
    inputSize: 64,
    form: 'RGB8_PLANES',
  });
});

test('what is given is taken', () => {
  const evaluation: Evaluation = {
    protocol: 'PROTOCOL_DENSE_AND_MULTI_CROP',
    scales: [96, 64],
    grid: 16,
    align: 64,
    kernel: 'KERNEL_LANCZOS3',
    scoreOrder: 'SCORE_ORDER_SOFTMAX_THEN_MEAN',
    share: 'SHARE_OFF',
    stop: 'STOP_EXACT',
  };
  expect(
    read({ realise: 'REALISE_FLOAT32_CROPS', mean: { red: 0, green: 255, blue: 0.5 } }, evaluation),
  ).toEqual({
    evaluation: {
      protocol: 'DENSE_AND_MULTI_CROP',
      scales: [96, 64],
      grid: 16,
      align: 64,
      kernel: 'lanczos3',
      scoreOrder: 'SOFTMAX_THEN_MEAN',
      share: 'OFF',
      stop: 'EXACT',
    },
    mean: { red: 0, green: 255, blue: 0.5 },
    inputSize: 64,
    form: 'FLOAT32_CROPS',
  });
});

test('GOOGLENET_144 has scales of its own', () => {
  const { evaluation } = read({ inputSize: 224 }, { protocol: 'PROTOCOL_GOOGLENET_144', scales: [] });
  expect(evaluation.scales).toEqual([256, 288, 320, 352]);
});

describe('what is wrong is named', () => {
  const protocols = 'CENTER_CROP, TEN_CROP, MULTI_CROP, DENSE, DENSE_AND_MULTI_CROP, GOOGLENET_144';
  const size = 'inputSize to be a multiple of 32 from 32 to 1024';
  const mean = (red: number) => ({ mean: { red, green: 1, blue: 1 } });
  test.each<[string, PrepareRequest, Evaluation, string]>([
    ['no mean', { mean: null }, {}, 'a mean of three levels from 0 to 255 but received none (mean)'],
    ['NaN', mean(NaN), {}, 'levels from 0 to 255 but received NaN (mean.red)'],
    ['Infinity', mean(Infinity), {}, 'levels from 0 to 255 but received Infinity (mean.red)'],
    ['-Infinity', mean(-Infinity), {}, 'levels from 0 to 255 but received -Infinity (mean.red)'],
    ['a negative mean', mean(-1), {}, 'levels from 0 to 255 but received -1 (mean.red)'],
    ['a mean over 255', mean(255.1), {}, 'levels from 0 to 255 but received 255.1 (mean.red)'],
    ['no inputSize', { inputSize: 0 }, {}, `${size} but received 0 (inputSize)`],
    ['an odd inputSize', { inputSize: 33 }, {}, `${size} but received 33 (inputSize)`],
    ['a huge inputSize', { inputSize: 4_294_967_264 }, {}, `${size} but received 4294967264 (inputSize)`],
    ['no scales', {}, { scales: [] }, '1 to 4 scales but received none (scales)'],
    ['five scales', {}, { scales: [64, 65, 66, 67, 68] }, 'at most 4 scales but received 5 (scales)'],
    ['a scale below inputSize', {}, { scales: [64, 63] }, 'scales ≥ 64 but received 63 (scales[1])'],
    ['grid 17', {}, { grid: 17 }, 'grid from 1 to 16 but received 17 (grid)'],
    ['align 65', {}, { align: 65 }, 'align from 1 to 64 but received 65 (align)'],
    [
      'a protocol of the future',
      {},
      { protocol: 7 as 6 },
      `protocol to be one of ${protocols} but received 7 (protocol)`,
    ],
    [
      'a kernel of the future',
      {},
      { kernel: -1 as 1 },
      'kernel to be one of nearest, linear, cubic, lanczos3 but received -1 (kernel)',
    ],
    [
      'a score order of the future',
      {},
      { scoreOrder: 99 as 1 },
      'scoreOrder to be one of MEAN_THEN_SOFTMAX, SOFTMAX_THEN_MEAN but received 99 (scoreOrder)',
    ],
    ['a share of the future', {}, { share: 3 as 2 }, 'share to be one of AUTO, OFF but received 3 (share)'],
    ['a stop of the future', {}, { stop: 3 as 2 }, 'stop to be one of NONE, EXACT but received 3 (stop)'],
    [
      'a form of the future',
      { realise: 4 as 3 },
      {},
      'realise to be one of RGB8_PLANES, FLOAT32_PLANES, FLOAT32_CROPS but received 4 (realise)',
    ],
  ])('%s', (_, over, evaluation, message) => {
    expect(() => read(over, evaluation)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: `Expected ${message}` }),
    );
  });

  test('no evaluation at all', () => {
    expect(() => read({ evaluation: null })).toThrow('Expected 1 to 4 scales but received none (scales)');
  });

  test.each([...Array(17).keys()])('grid %i is right', (grid) => {
    expect(read({}, { grid }).evaluation.grid).toBe(grid || 5);
  });
});
