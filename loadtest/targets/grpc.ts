// An aggregator, asked over gRPC by the project's own client. Knows the client; not what is measured.
//
// Load comes from many clients, each with a connection of its own. One connection would be a bottleneck that they do
// not have: what a server takes in at a time is bounded for each (64 KiB by default, less than half a photo).

import {
  answerJson,
  createClient,
  type Answer,
  type ClassifyOptions,
  type TlsOptions,
} from '../../sdk/index.ts';
import { VggError } from '../../vgg/errors.ts';
import { until, type Clock } from '../clock.ts';
import type { Ask, LoadRequest, Target } from '../request.ts';

/** How an aggregator is asked. */
export interface GrpcOptions {
  /** HOST:PORT, several between commas, or a target of gRPC. */
  address: string;
  tls?: TlsOptions | boolean | undefined;
  /** Time for an answer, in milliseconds. */
  deadlineMs: number;
  /** Requests take turns on so many connections, ≥ 1; 8 if not given. */
  connections?: number | undefined;
  /** Attempts for a request; 1: it is never tried again, as a load test should not. */
  attempts: number;
  /** Sent as gRPC metadata. */
  metadata?: Readonly<Record<string, string>> | undefined;
  ask?: Ask;
  clock: Clock;
}

const CONNECTIONS = 8;

/** An aggregator as a target. @throws VggError INVALID_ARGUMENT naming the option at fault */
export function grpcTarget(options: GrpcOptions): Target {
  const { address, tls, deadlineMs, connections = CONNECTIONS, attempts, metadata, ask, clock } = options;
  const create = () =>
    createClient({ aggregator: address, tls, deadlineMs, retry: attempts > 1 && { attempts } });
  const first = create();
  const clients = [first, ...Array.from({ length: connections - 1 }, create)];
  let turn = 0;
  return {
    async send(request, signal) {
      const client = clients[turn++ % clients.length] ?? first;
      const { photo, slowBytesPerSecond } = request;
      const call = callOf(request, { ...ask, metadata, signal });
      if (slowBytesPerSecond === undefined)
        return answerJson(photo.name, await client.classify(photo.bytes, call));
      let answer: Answer | undefined;
      for await (const running of client.classifyStream(photo.bytes, call)) {
        ({ answer } = running);
        // What comes meanwhile waits in the connection, and then in the server.
        const bytes = JSON.stringify(answerJson('', answer)).length;
        await until(clock.now() + (1000 * bytes) / slowBytesPerSecond, clock, signal);
      }
      if (!answer) throw new VggError('INTERNAL', 'The server sent no answer');
      return answerJson(photo.name, answer);
    },
    close() {
      for (const client of clients) client.close();
      return Promise.resolve();
    },
  };
}

function callOf({ kind: { protocol, model } }: LoadRequest, common: ClassifyOptions): ClassifyOptions {
  return { ...common, protocol, ...(model !== '' && { models: model }) };
}
