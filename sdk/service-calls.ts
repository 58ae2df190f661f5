// Calls of one service, with retries: an attempt that failed in passing is made again, unless
// anything has been delivered. Knows methods by their definition only.

import type { MethodDefinition } from '@grpc/grpc-js';
import { attemptOf, type CallOptions } from './call-options.ts';
import type { VggError } from '../vgg/errors.ts';
import type { Channel } from './channel.ts';
import type { Clock } from './clock.ts';
import { sleep } from './clock.ts';
import { Replay } from './replay.ts';
import { Retrier, type RetryPolicy } from './retry.ts';
import {
  abortedError,
  bidirectional,
  clientStream,
  serverStream,
  unary,
  type Attempt,
  type PoliteEnd,
} from './transport.ts';

/** What holds for all calls of a service. */
export interface CallsOptions {
  policy: RetryPolicy;
  /** Time for a call that says nothing of it, in milliseconds. */
  deadlineMs: number;
  clock: Clock;
  /** Told of each failure after which there will be another attempt. */
  onRetry: (error: VggError) => void;
}

/** Calls of one service. */
export class ServiceCalls {
  readonly #channel: Channel;
  readonly #retrier: Retrier;
  readonly #deadlineMs: number;
  readonly #clock: Clock;
  readonly #onRetry: (error: VggError) => void;

  constructor(channel: Channel, { policy, deadlineMs, clock, onRetry }: CallsOptions) {
    this.#channel = channel;
    this.#retrier = new Retrier(policy, clock);
    this.#deadlineMs = deadlineMs;
    this.#clock = clock;
    this.#onRetry = onRetry;
  }

  /** One request, one response. */
  async unary<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    const attempt = this.#attempt(options);
    return this.#again(() => unary(this.#channel, method, request, attempt), attempt);
  }

  /** Many requests, one response. */
  async clientStream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    requests: AsyncIterable<Request>,
    options: CallOptions,
  ): Promise<Response> {
    const attempt = this.#attempt(options);
    const replay = new Replay(requests);
    try {
      return await this.#again(() => clientStream(this.#channel, method, replay.read(), attempt), attempt);
    } finally {
      replay.close();
    }
  }

  /** One request, many responses. */
  serverStream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options: CallOptions,
  ): AsyncGenerator<Response, void> {
    const attempt = this.#attempt(options);
    return this.#stream(() => serverStream(this.#channel, method, request, attempt), attempt);
  }

  /** Many requests, many responses; `polite` ends it when its reader leaves. */
  async *bidirectional<Request, Response>(
    method: MethodDefinition<Request, Response>,
    requests: AsyncIterable<Request>,
    options: CallOptions,
    polite: PoliteEnd<Request>,
  ): AsyncGenerator<Response, void> {
    const attempt = this.#attempt(options);
    const replay = new Replay(requests);
    const start = () => bidirectional(this.#channel, method, replay.read(), attempt, polite);
    try {
      for await (const response of this.#stream(start, attempt)) {
        replay.forget();
        yield response;
      }
    } finally {
      replay.close();
    }
  }

  #attempt(options: CallOptions): Attempt {
    return attemptOf(options, this.#deadlineMs, this.#clock);
  }

  async #again<Result>(start: () => Promise<Result>, { deadline, signal }: Attempt): Promise<Result> {
    try {
      return await this.#retrier.run(start, deadline, signal, this.#onRetry);
    } catch (error) {
      if (signal?.aborted === true) throw abortedError(signal);
      throw error;
    }
  }

  async *#stream<Response>(
    start: () => AsyncGenerator<Response, void>,
    { deadline, signal }: Attempt,
  ): AsyncGenerator<Response, void> {
    for (let tried = 1; ; tried++) {
      let delivered = false;
      try {
        for await (const response of start()) {
          delivered = true;
          yield response;
        }
        this.#retrier.succeeded();
        return;
      } catch (error) {
        const waitMs = delivered ? undefined : this.#retrier.waitMs(error, tried, deadline);
        if (waitMs === undefined) throw error;
        this.#onRetry(error as VggError);
        await sleep(waitMs, this.#clock, signal).catch((reason: unknown) => {
          throw signal?.aborted === true ? abortedError(signal) : reason;
        });
      }
    }
  }
}
