// A task of preprocess: the slots that serve, a decoding, then planes two at a time, each on a thread of its own.
// Knows sizes; no pixels.

import { Slots } from '../../services/preprocess/slots.ts';
import type { Random } from '../../vgg/random.ts';
import type { Cores } from './cores.ts';
import type { LoopOverhead, PixelCost } from './costs.ts';
import { Task } from './fleet.ts';
import type { PlannedPhoto } from './plans.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What a task is made of. */
export interface PreprocessTaskOptions {
  time: VirtualTime;
  cores: Cores;
  overhead: LoopOverhead;
  /** Chance of the loop's pauses. */
  pauses: Random;
  pixels: PixelCost;
  decodes: number;
  waiting: number;
}

// As services/preprocess/prepare.ts has it.
const RESIZED_AT_ONCE = 2;

/** See the file. */
export class PreprocessTask extends Task {
  readonly #options: PreprocessTaskOptions;
  readonly #slots: Slots;

  constructor(options: PreprocessTaskOptions) {
    super(options.cores, options.overhead, options.pauses, options.time.now());
    this.#options = options;
    const { decodes: running, waiting, time } = options;
    this.#slots = new Slots({ running, waiting, now: time.now });
  }

  /**
   * Makes a photo's planes once a slot is free.
   *
   * @param onPlane told of each plane, by its index, when it is made
   * @param onFailed told why there are none
   */
  prepare(
    photo: PlannedPhoto,
    signal: AbortSignal,
    onPlane: (index: number) => void,
    onFailed: (error: unknown) => void,
  ): void {
    const { time } = this.#options;
    time.touched();
    this.#slots.run(() => this.#make(photo, signal, onPlane), signal).catch(onFailed);
  }

  #make(photo: PlannedPhoto, signal: AbortSignal, onPlane: (index: number) => void): Promise<void> {
    const { time, cores, pixels } = this.#options;
    const { decode, resize } = pixels;
    return new Promise((resolve) => {
      let next = 0;
      let running = 0;
      const over = () => {
        time.touched();
        resolve();
      };
      const more = () => {
        while (!signal.aborted && running < RESIZED_AT_ONCE && next < photo.planes.length) {
          const index = next++;
          running++;
          const { megapixels = 0 } = photo.planes[index] ?? {};
          cores.run(resize.call + resize.megapixel * megapixels, 1, () => {
            running--;
            if (!signal.aborted) onPlane(index);
            more();
          });
        }
        if (running === 0) over();
      };
      cores.run(decode.call + decode.megapixel * photo.megapixels, 1, more);
    });
  }
}
