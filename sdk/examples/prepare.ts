// What does the network see of a photo? Planes and views, each plane as soon as it is ready.
// node dist/sdk/examples/prepare.js PHOTO [HOST:PORT]

import { createClient } from '../index.ts';

const [photo = 'photo.jpg', preprocess = '127.0.0.1:50052'] = process.argv.slice(2);
const client = createClient({ preprocess });
try {
  const planes = client.prepare(photo, {
    protocol: 'MULTI_CROP',
    scales: [256, 384, 512],
    mean: { red: 123.68, green: 116.78, blue: 103.94 },
    inputSize: 224,
  });
  for await (const { plane, views, prepareMs } of planes) {
    const size = `${String(plane.width)}×${String(plane.height)}`;
    console.log(`${size} with ${String(views.length)} views after ${prepareMs.toFixed(0)} ms`);
  }
} finally {
  client.close();
}
