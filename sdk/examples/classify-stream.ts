// What is in a photo, as far as is known yet? Stops as soon as one class is sure enough.
// node dist/sdk/examples/classify-stream.js PHOTO [HOST:PORT]

import { createClient } from '../index.ts';

const [photo = 'photo.jpg', aggregator = '127.0.0.1:50051'] = process.argv.slice(2);
const SURE = 0.99;
const client = createClient({ aggregator });
try {
  for await (const { viewsDone, viewsTotal, answer } of client.classifyStream(photo)) {
    const [first] = answer.predictions;
    if (!first) continue;
    console.log(`${String(viewsDone)} of ${String(viewsTotal)} views:`, first.score.toFixed(4), first.label);
    // Leaving the loop cancels what is not computed yet.
    if (first.score > SURE && viewsDone >= 10) break;
  }
} finally {
  client.close();
}
