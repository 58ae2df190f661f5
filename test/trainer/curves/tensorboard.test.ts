// What TensorBoard would read of a run: its event files, decoded.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { addToTensorBoard } from '../../../services/trainer/curves/tensorboard.ts';
import { scratchFolder } from '../photos/folders.ts';
import { describeComputing } from '../tensorflow.ts';

// The part of tensorflow/core/util/event.proto that holds scalars.
const { root } = protobuf.parse(`syntax = "proto3";
message Event { int64 step = 2; Summary summary = 5; }
message Summary { repeated Value value = 1; }
message Value { string tag = 1; float simple_value = 2; }`);
const event = root.lookupType('Event');

interface Scalar {
  step: number;
  tag: string;
  value: number;
}

// Records: length (8 bytes), its checksum (4), data, checksum (4).
function scalarsOf(folder: string): Scalar[] {
  const scalars: Scalar[] = [];
  for (const name of readdirSync(folder).sort()) {
    expect(name).toMatch(/tfevents/);
    const bytes = readFileSync(join(folder, name));
    for (let at = 0; at < bytes.length;) {
      const length = Number(bytes.readBigUInt64LE(at));
      const read = event.toObject(event.decode(bytes.subarray(at + 12, at + 12 + length)), {
        longs: Number,
      }) as { step: number; summary?: { value: { tag: string; simpleValue: number }[] } };
      for (const { tag, simpleValue } of read.summary?.value ?? [])
        scalars.push({ step: read.step, tag, value: simpleValue });
      at += length + 16;
    }
  }
  return scalars;
}

describeComputing('TensorBoard', (tf) => {
  test('finds every epoch, training and validation apart', () => {
    const folder = scratchFolder();
    const line = { step: 10, loss: 2.5, error: 0.5, learningRate: 0.25, imagesPerSecond: 128 };
    const rest = { waitedShare: 0, seconds: 1 };
    addToTensorBoard(tf, folder, {
      ...{ epoch: 1, ...line, ...rest },
      validation: { loss: 3.25, top1: 0.75, top5: 0.125 },
    });
    const tensors = tf.memory().numTensors;
    addToTensorBoard(tf, folder, { epoch: 2, ...line, loss: 2.25, ...rest, validation: null });
    expect(tf.memory().numTensors).toBe(tensors);
    expect(scalarsOf(join(folder, 'training'))).toEqual([
      { step: 1, tag: 'loss', value: 2.5 },
      { step: 1, tag: 'top-1 error', value: 0.5 },
      { step: 1, tag: 'learning rate', value: 0.25 },
      { step: 1, tag: 'images per second', value: 128 },
      { step: 2, tag: 'loss', value: 2.25 },
      { step: 2, tag: 'top-1 error', value: 0.5 },
      { step: 2, tag: 'learning rate', value: 0.25 },
      { step: 2, tag: 'images per second', value: 128 },
    ]);
    expect(scalarsOf(join(folder, 'validation'))).toEqual([
      { step: 1, tag: 'loss', value: 3.25 },
      { step: 1, tag: 'top-1 error', value: 0.75 },
      { step: 1, tag: 'top-5 error', value: 0.125 },
    ]);
  });
});
