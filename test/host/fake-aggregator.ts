// A server of the project's own contract with handlers that a test chooses, and a plain client.
// Knows the host, not the aggregator.

import { Metadata, credentials, makeClientConstructor, type ChannelOptions } from '@grpc/grpc-js';
import type { Registry } from 'prom-client';
import type {
  AggregatorServiceClient,
  AggregatorServiceHandlers,
} from '../../proto/generated/vgg/v1/AggregatorService.ts';
import type { ClassifyResponse__Output } from '../../proto/generated/vgg/v1/ClassifyResponse.ts';
import { aggregatorService } from '../../proto/definitions.ts';
import { implement, type Handlers } from '../../services/host/handlers.ts';
import { createLogger } from '../../services/host/log.ts';
import { startServer, type RunningServer, type ServeOptions } from '../../services/host/serve.ts';

export type AggregatorHandlers = Handlers<AggregatorServiceHandlers>;

const plain: AggregatorHandlers = {
  Classify: (request) => ({ answer: { models: request.models, views: request.photo.length } }),
  async *ClassifyStream() {
    for (let views = 1; views <= 3; views++) {
      await Promise.resolve();
      yield { viewsDone: views, viewsTotal: 3 };
    }
  },
  async Average(requests) {
    let count = 0;
    for await (const { posterior } of requests) if (posterior) count++;
    return { count };
  },
};

/** A logger that keeps its lines. */
export function logged() {
  const lines: string[] = [];
  const log = createLogger('fake', 'debug', { write: (line) => void lines.push(line) });
  return { lines, log };
}

/** Serves; what a test does not choose answers in the plainest way. */
export async function serveFake(
  handlers: Partial<AggregatorHandlers> = {},
  options: Partial<ServeOptions> & { registry?: Registry } = {},
): Promise<RunningServer> {
  const service = implement<AggregatorServiceHandlers>(aggregatorService, { ...plain, ...handlers });
  return startServer({ name: 'fake', services: [service], log: logged().log, ...options });
}

const Client = makeClientConstructor(aggregatorService, 'AggregatorService');

/** A client with nothing of the SDK. */
export function plainClient(
  address: string,
  options: ChannelOptions = {},
  creds = credentials.createInsecure(),
): AggregatorServiceClient {
  return new Client(address, creds, {
    'grpc.use_local_subchannel_pool': 1,
    ...options,
  }) as unknown as AggregatorServiceClient;
}

/** One unary call as a promise. */
export function classify(
  client: AggregatorServiceClient,
  request: { photo?: Buffer; models?: string[] } = {},
  options: { deadline?: number; metadata?: Metadata } = {},
): Promise<ClassifyResponse__Output> {
  return new Promise((resolve, reject) => {
    const { metadata = new Metadata(), ...rest } = options;
    client.Classify({ photo: Buffer.alloc(3), ...request }, metadata, rest, (error, response) => {
      if (error) reject(error);
      else if (response) resolve(response);
    });
  });
}

/** A promise and its resolver, for tests that decide when something happens. */
export function gate<Value = void>() {
  let open: (value: Value) => void = () => {};
  const passed = new Promise<Value>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}
