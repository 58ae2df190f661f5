// A run's curves as TensorBoard reads them: two folders, so that training and validation share a chart. Knows tags;
// TensorFlow writes the files.

import { join } from 'node:path';
import type { TensorFlow } from '../../host/tensorflow/library.ts';
import type { EpochLine } from './log.ts';

/**
 * Adds an epoch: errors are shares, steps are epochs. A run that goes on in another process adds files.
 *
 * @param folder given to `tensorboard --logdir`
 */
export function addToTensorBoard(
  tf: TensorFlow,
  folder: string,
  { epoch, loss, error, validation, learningRate, imagesPerSecond }: EpochLine,
): void {
  const write = (part: string, scalars: Record<string, number>) => {
    // The library keeps one writer a folder.
    const writer = tf.node.summaryFileWriter(join(folder, part));
    for (const [tag, value] of Object.entries(scalars)) writer.scalar(tag, value, epoch);
    writer.flush();
  };
  write('training', {
    ...{ loss, 'top-1 error': error },
    ...{ 'learning rate': learningRate, 'images per second': imagesPerSecond },
  });
  if (validation) {
    const { top1, top5 } = validation;
    write('validation', { loss: validation.loss, 'top-1 error': top1, 'top-5 error': top5 });
  }
}
