// The first pass of a model, which nobody waits for. Knows what a broken model gives.

import { VggError } from '../../../vgg/errors.ts';
import type { Cut, ModelSource } from './messages.ts';
import type { Sessions } from './thread.ts';

/**
 * Scores one crop of a made-up photo: the first request is then as quick as the second, and broken weights are
 * found before anybody asks.
 *
 * @throws VggError INVALID_ARGUMENT if a class score is not finite
 */
export async function warmUp(sessions: Sessions, { key, name, spec }: ModelSource): Promise<void> {
  const side = spec.inputSize;
  const rgb8 = new Uint8Array(new SharedArrayBuffer(side * side * 3));
  for (let i = 0; i < rgb8.length; i++) rgb8[i] = (i * 7919) % 251;
  const size = { width: side, height: side };
  const cut: Cut = {
    plane: { ...size, rgb8 },
    view: { ...size, index: 0, plane: 0, x: 0, y: 0, mirrored: false, weight: 1 },
    ...{ softmaxFirst: false, scoreMap: true },
  };
  const [scores] = await sessions.score({ kind: 'score', key, shared: false, cuts: [cut] });
  const values = scores?.scoreMap?.values ?? new Float32Array([NaN]);
  if (!values.every(Number.isFinite)) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected finite class scores but ${name} gives ${String(values.find((value) => !Number.isFinite(value)))}: its weights are broken`,
    );
  }
}
