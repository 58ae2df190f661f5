// A process that serves queues over both transports: HTTP as the gateway does, gRPC as the aggregator does. It says
// where it listens on standard output, and ends with its parent.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { steadyClock } from '../../loadtest/clock.ts';
import { serveFake } from '../host/fake-aggregator.ts';
import { ANSWER, Queue, timeOf } from './queue.ts';

// Each model and transport has a queue of its own.
const queues = new Map<string, Queue>();

function queueOf(transport: string, model: string): Queue {
  const name = `${transport} ${model}`;
  const queue = queues.get(name) ?? new Queue(steadyClock);
  queues.set(name, queue);
  return queue;
}

const http = createServer((request, response) => {
  if (request.method !== 'POST') {
    response.statusCode = 404;
    response.end();
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { searchParams } = new URL(request.url ?? '', 'http://queue');
    const queue = queueOf('http', searchParams.get('model') ?? '');
    void queue.serve(timeOf(Buffer.concat(chunks))).then((views) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...ANSWER, views }));
    });
  });
});
http.listen(0, '127.0.0.1');
await once(http, 'listening');

const grpc = await serveFake({
  async Classify({ photo, models: [model = ''] }) {
    const views = await queueOf('grpc', model).serve(timeOf(photo));
    return { answer: { models: ['queue'], views, protocol: 'PROTOCOL_CENTER_CROP' } };
  },
});

process.stdout.write(
  `${JSON.stringify({ http: `http://127.0.0.1:${String((http.address() as AddressInfo).port)}`, grpc: grpc.address })}\n`,
);
process.stdin.resume().on('end', () => process.exit(0));
