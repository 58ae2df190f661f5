// Connections to one service: spread over its addresses, and never reset too often.
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
}

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
   * A connection for one call: addresses take turns, those that cannot be reached only if all are so.
   *
   * @throws VggError UNAVAILABLE after close
   */
  lease(): Lease {
    if (this.#closed) throw new VggError('UNAVAILABLE', 'The client is closed');
    const turn = this.#next++;
    const order = this.#targets.map((_, i) => this.#targets[(turn + i) % this.#targets.length]);
    const target = order.find((each) => each?.reachable === true) ?? order[0];
    if (!target) throw new VggError('UNAVAILABLE', 'No address');
    return target.lease();
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

  constructor(address: string, options: ChannelOptions) {
    this.#address = address;
    this.#options = options;
  }

  get size(): number {
    return this.#connections.size;
  }

  get reachable(): boolean {
    const state = this.#current?.client.getChannel().getConnectivityState(false);
    return state !== connectivityState.TRANSIENT_FAILURE;
  }

  lease(): Lease {
    const connection = this.#withBudget();
    connection.calls++;
    let held = true;
    return {
      client: connection.client,
      release: (wasReset) => {
        if (!held) return;
        held = false;
        connection.calls--;
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
    const { clock = systemClock } = this.#options;
    const connection: Connection = {
      client: new Client(this.#address, this.#options.credentials, clientOptions(this.#options)),
      budget: new Bucket(RESET_BURST, RESETS_PER_SECOND, clock),
      calls: 0,
    };
    this.#connections.add(connection);
    this.#current = connection;
    if (current?.calls === 0) this.#end(current);
    return connection;
  }

  #end(connection: Connection): void {
    this.#connections.delete(connection);
    connection.client.close();
  }
}

function clientOptions({ maxMessageBytes, serverName }: ChannelOptions): ClientOptions {
  return {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': -1,
    // Channels of one process share connections unless told not to; then a fresh one would not be.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    'grpc.service_config_disable_resolution': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5000,
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
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
