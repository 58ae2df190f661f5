// The image library, set up once for this process: which loaders may run, and how many threads.
// Knows sharp and libvips' class names; nothing of photos.

import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import sharp from 'sharp';

// libvips' abstract loader classes; AVIF is read by the HEIF one, whose build here has AV1 alone.
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Heif', 'Tiff', 'Nsgif'].map((name) => `VipsForeignLoad${name}`);

// Threads inherit this from who starts them.
const SET_UP = 'vgg-serve: image loaders are set up';

// For a moment everything is blocked, for all threads: a second time would fail the photos that others decode then.
if (getEnvironmentData(SET_UP) !== true) {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: LOADERS });
  // Each photo is seen once: a cache would only hold other people's photos in memory.
  sharp.cache(false);
  // Photos are decoded side by side; more threads for one photo made none of them faster.
  sharp.concurrency(1);
  setEnvironmentData(SET_UP, true);
}

export { sharp };
