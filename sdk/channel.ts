// Connections to one service: spread over its addresses, given up when nothing answers, and never reset too often.
//
// A call goes to the address that has the fewest calls: one that stands still keeps those that it has, so it gets no
// more, long before anybody can know that it is lost.
//
// An HTTP/2 server that follows nghttp2 closes a connection (GOAWAY) once a client has reset more
// streams on it than a burst of 1,000 and 33 a second since. Cancelled calls, and calls whose
// deadline passes, are reset streams. So each connection has a budget that stays below that limit,
// each call reserves one reset of it, and what does not fit goes to a fresh connection; the old one
// ends with its last call.

import { Client, connectivityState, type ChannelCredentials, type ClientOptions } from '@grpc/grpc-js';
import { VggError, expected } from '../vgg/errors.ts';
import { Bucket } from './bucket.ts';
import { systemClock, type Clock } from './clock.ts';

const RESET_BURST = 800;
const RESETS_PER_SECOND = 25;

// A bare host is one that @grpc/grpc-js resolves by DNS; other schemes are its own.
const SCHEME = /^(dns|ipv4|ipv6|unix|unix-abstract):/;
const HOST_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s:/,]+):\d{1,5}$/;

/** What a channel is told. */
export interface ChannelOptions {
  credentials: ChannelCredentials;
  /** Largest message that is received, in bytes. */
  maxMessageBytes: number;
  /** Time without a sign of life after which a connection is given up, in milliseconds. */
  silenceMs: number;
  /** Name that the server's certificate must have, where it is not that of the address. */
  serverName?: string;
  clock?: Clock;
}

/** A connection that one call may use, from {@link Channel.lease}. */
export interface Lease {
  readonly client: Client;
  /** Gives it back, once, when the call is over; says whether its stream was reset. */
  release(wasReset: boolean): void;
}

interface Connection {
  readonly client: Client;
  readonly budget: Bucket;
  calls: number;
  /** Stops the wait for a connection that is being made. */
  unwatch: (() => void) | undefined;
}

// How soon a call can be under way: at once, or nobody knows better; when the connection that is being made is there,
// and a host that is gone says nothing; some time from now, as the last attempt failed.
const GOOD = 0;
const CONNECTING = 1;
const FAILED = 2;

/** Connections to the addresses of one service. */
export class Channel {
  readonly #targets: Target[];
  #next = 0;
  #closed = false;

  /**
   * @param addresses `HOST:PORT`, several between commas, or a target of gRPC such as `dns:///HOST:PORT`
   * @param field name of the option, for errors
   */
  constructor(addresses: string, field: string, options: ChannelOptions) {
    this.#targets = parseAddresses(addresses, field).map((each) => new Target(each, options));
  }

  /** Connections that are open or being opened. */
  get connections(): number {
    return this.#targets.reduce((sum, target) => sum + target.size, 0);
  }

  /**
   * A connection for one call: to the address with the fewest calls, in turns; to one that has no connection only if
   * none has.
   *
   * @throws VggError UNAVAILABLE after close
   */
  lease(): Lease {
    if (this.#closed) throw new VggError('UNAVAILABLE', 'The client is closed');
    const turn = this.#next++ % this.#targets.length;
    const order = [...this.#targets.slice(turn), ...this.#targets.slice(0, turn)].map((target) => ({
      target,
      standing: target.standing(),
    }));
    const best = Math.min(...order.map(({ standing }) => standing));
    const able = order.filter(({ standing }) => standing === best).map(({ target }) => target);
    const [first, ...others] = able;
    if (!first) throw new VggError('UNAVAILABLE', 'No address');
    return others.reduce((least, each) => (each.calls < least.calls ? each : least), first).lease();
  }

  /** Closes all connections; calls in flight end with an error. */
  close(): void {
    this.#closed = true;
    for (const target of this.#targets) target.close();
  }
}

/** Connections to one address. */
class Target {
  readonly #address: string;
  readonly #options: ChannelOptions;
  readonly #connections = new Set<Connection>();
  #current: Connection | undefined;
  #connectingSince: number | undefined;

  constructor(address: string, options: ChannelOptions) {
    this.#address = address;
    this.#options = options;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** Calls that are under way. */
  get calls(): number {
    let calls = 0;
    for (const connection of this.#connections) calls += connection.calls;
    return calls;
  }

  /** How soon a call would be under way: the less the sooner. A connection that was not made in time is given up. */
  standing(): number {
    switch (this.#current?.client.getChannel().getConnectivityState(false)) {
      case connectivityState.CONNECTING: {
        const now = this.#clock.now();
        this.#connectingSince ??= now;
        if (now - this.#connectingSince < this.#options.silenceMs) return CONNECTING;
        this.#giveUp(this.#current);
        return GOOD;
      }
      case connectivityState.TRANSIENT_FAILURE:
        return FAILED;
      case connectivityState.IDLE:
      case connectivityState.READY:
      case connectivityState.SHUTDOWN:
      case undefined:
        this.#connectingSince = undefined;
        return GOOD;
    }
  }

  get #clock(): Clock {
    return this.#options.clock ?? systemClock;
  }

  lease(): Lease {
    const connection = this.#withBudget();
    connection.calls++;
    this.#watch(connection);
    let held = true;
    return {
      client: connection.client,
      release: (wasReset) => {
        if (!held) return;
        held = false;
        connection.calls--;
        if (connection.calls === 0) this.#unwatch(connection);
        if (wasReset) connection.budget.spend();
        if (connection.calls === 0 && connection !== this.#current) this.#end(connection);
      },
    };
  }

  close(): void {
    for (const connection of this.#connections) this.#end(connection);
  }

  // Every call in flight may yet be reset, so each needs a token of its own.
  #withBudget(): Connection {
    const current = this.#current;
    if (current && current.budget.tokens - current.calls >= 1) return current;
    const connection: Connection = {
      client: new Client(this.#address, this.#options.credentials, clientOptions(this.#options)),
      budget: new Bucket(RESET_BURST, RESETS_PER_SECOND, this.#clock),
      calls: 0,
      unwatch: undefined,
    };
    this.#connections.add(connection);
    this.#current = connection;
    if (current?.calls === 0) this.#end(current);
    return connection;
  }

  // gRPC waits for ever for a host that takes a connection and then says nothing: so does a call that waits for it.
  #watch(connection: Connection): void {
    if (connection.unwatch) return;
    const state = () => connection.client.getChannel().getConnectivityState(false);
    if (state() === connectivityState.READY) return;
    connection.unwatch = this.#clock.after(this.#options.silenceMs, () => {
      connection.unwatch = undefined;
      if (state() === connectivityState.CONNECTING) this.#giveUp(connection);
    });
  }

  #unwatch(connection: Connection): void {
    connection.unwatch?.();
    connection.unwatch = undefined;
  }

  // What waits for it fails, and is tried again on a new one.
  #giveUp(connection: Connection): void {
    if (connection === this.#current) {
      this.#current = undefined;
      this.#connectingSince = undefined;
    }
    this.#end(connection);
  }

  #end(connection: Connection): void {
    this.#unwatch(connection);
    this.#connections.delete(connection);
    connection.client.close();
  }
}

function clientOptions({ maxMessageBytes, silenceMs, serverName }: ChannelOptions): ClientOptions {
  return {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': -1,
    // Channels of one process share connections unless told not to; then a fresh one would not be.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    'grpc.service_config_disable_resolution': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5000,
    // Half the time until it is asked for a sign of life, half for the answer.
    'grpc.keepalive_time_ms': Math.ceil(silenceMs / 2),
    'grpc.keepalive_timeout_ms': Math.ceil(silenceMs / 2),
    'grpc.enable_channelz': 0,
    ...(serverName !== undefined && {
      'grpc.ssl_target_name_override': serverName,
      'grpc.default_authority': serverName,
    }),
  };
}

function parseAddresses(addresses: string, field: string): string[] {
  if (typeof addresses !== 'string') throw expected('addresses HOST:PORT', addresses, field);
  if (SCHEME.test(addresses)) return [addresses];
  const parts = addresses.split(',').map((each) => each.trim());
  for (const part of parts) {
    if (!HOST_PORT.test(part)) {
      throw expected('HOST:PORT, several between commas, or a gRPC target', part, field);
    }
  }
  return parts;
}
