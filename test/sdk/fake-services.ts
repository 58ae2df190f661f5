// Fake services of the contract, one server each, and a client of them. Knows the SDK and the host.

import { aggregatorService, inferenceService, preprocessService } from '../../proto/definitions.ts';
import type { AggregatorServiceHandlers } from '../../proto/generated/vgg/v1/AggregatorService.ts';
import type { InferenceServiceHandlers } from '../../proto/generated/vgg/v1/InferenceService.ts';
import type { PreprocessServiceHandlers } from '../../proto/generated/vgg/v1/PreprocessService.ts';
import { createClient, type ClientOptions, type VggClient } from '../../sdk/index.ts';
import type { Clock } from '../../sdk/clock.ts';
import { implement, type Handlers } from '../../services/host/handlers.ts';
import { createLogger } from '../../services/host/log.ts';
import { startServer, type RunningServer, type ServeOptions } from '../../services/host/serve.ts';
import { VggError } from '../../vgg/errors.ts';

/** Handlers that a test chooses; the others refuse. */
export interface FakeHandlers {
  aggregator?: Partial<Handlers<AggregatorServiceHandlers>>;
  preprocess?: Partial<Handlers<PreprocessServiceHandlers>>;
  inference?: Partial<Handlers<InferenceServiceHandlers>>;
}

const refuse = () => {
  throw new VggError('INTERNAL', 'Not part of this test');
};

/** One server with all three services. */
export async function serveFakes(
  { aggregator, preprocess, inference }: FakeHandlers,
  options: Partial<ServeOptions> = {},
): Promise<RunningServer> {
  return startServer({
    name: 'fake',
    log: createLogger('fake', 'silent'),
    services: [
      implement<AggregatorServiceHandlers>(aggregatorService, {
        Classify: refuse,
        ClassifyStream: refuse,
        Average: refuse,
        ...aggregator,
      }),
      implement<PreprocessServiceHandlers>(preprocessService, { Prepare: refuse, ...preprocess }),
      implement<InferenceServiceHandlers>(inferenceService, {
        Score: refuse,
        ListModels: refuse,
        GetModel: refuse,
        ...inference,
      }),
    ],
    ...options,
  });
}

/** A client of all three services at one address. */
export function clientOf(
  { address }: Pick<RunningServer, 'address'>,
  options: Partial<ClientOptions> = {},
  clock?: Clock,
): VggClient {
  const all = { aggregator: address, preprocess: address, inference: address, ...options };
  return clock ? createClient(all, clock) : createClient(all);
}

/** Everything that an async iterable gives. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
