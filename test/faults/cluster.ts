// Eight processes: two replicas of each service, at ports that they have again after a restart. Knows how they are
// joined; not what is done to them.

import { createServer } from 'node:net';
import {
  startService,
  type ServiceName,
  type ServiceProcess,
  type StartOptions,
} from '../../bench/services.ts';
import { Proxy } from './proxy.ts';

/** In the order of starting: each after those that it calls. */
export const SERVICES: readonly ServiceName[] = ['preprocess', 'inference', 'aggregator', 'gateway'];

const MOST_COMPLAINTS = 3;

/** How the processes of a cluster are joined. */
export interface ClusterOptions {
  /** Whether a {@link Proxy} stands before each replica but the gateways. */
  proxied?: boolean;
  /** Time without a sign of life after which a service takes another one for lost, in milliseconds. */
  silenceMs?: number | undefined;
  /** Time for an answer, in milliseconds. */
  deadlineMs: number;
  /** Variables of a replica beside those that join it to others. */
  env?: (name: ServiceName, place: number) => Record<string, string>;
  nodeOptions?: readonly string[];
  /** Where others find a service, of its replicas' ports; both listen at one port, at 127.0.0.1 and 127.0.0.2. */
  nameOf?: (name: ServiceName, port: number) => string;
}

/** One of two processes of a service. */
export interface Replica {
  readonly name: ServiceName;
  readonly place: number;
  readonly host: string;
  readonly port: number;
  readonly proxy: Proxy | undefined;
  process: ServiceProcess;
}

/** Eight processes. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #replicas: Replica[] = [];

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Resolves when all are ready; if one does not start, the others are ended. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    try {
      for (const name of SERVICES) {
        const shared = options.nameOf ? await freePort(['127.0.0.1', '127.0.0.2']) : undefined;
        const places = await Promise.allSettled([0, 1].map((place) => cluster.#add(name, place, shared)));
        for (const each of places) if (each.status === 'rejected') throw each.reason;
      }
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Every replica. */
  get replicas(): readonly Replica[] {
    return this.#replicas;
  }

  /** The two of a service. */
  of(name: ServiceName): Replica[] {
    return this.#replicas.filter((each) => each.name === name).sort((a, b) => a.place - b.place);
  }

  /** Starts a replica that has ended, at the port that it had; resolves when it is ready. */
  async restart(
    replica: Replica,
    { env = {}, ...options }: StartOptions & { env?: Record<string, string> } = {},
  ): Promise<void> {
    const nodeOptions = [...(this.#options.nodeOptions ?? []), ...(options.nodeOptions ?? [])];
    replica.process = await startService(replica.name, { ...this.#env(replica), ...env }, { nodeOptions });
  }

  /** The sum of a metric over the replicas of a service that run. */
  async sum(name: ServiceName, metric: string, labels?: string): Promise<number> {
    const values = this.of(name).map(({ process }) => process.metric(metric, labels).catch(() => 0));
    return (await Promise.all(values)).reduce((a, b) => a + b, 0);
  }

  /** What the processes that run logged as errors of their own, the latest of each. */
  get complaints(): string[] {
    return this.#replicas.flatMap(({ name, place, process }) =>
      process.logged
        .filter((line) => line.includes('"level":"error"'))
        .slice(-MOST_COMPLAINTS)
        .map((line) => `${name} ${String(place)}: ${line}`),
    );
  }

  /** Ends all of them, in whatever state they are. */
  async stop(): Promise<void> {
    await Promise.all(this.#replicas.map(({ process }) => process.kill()));
    for (const { proxy } of this.#replicas) await proxy?.close();
  }

  async #add(name: ServiceName, place: number, shared: number | undefined): Promise<void> {
    const host = shared === undefined ? '127.0.0.1' : `127.0.0.${String(1 + place)}`;
    const port = shared ?? (await freePort([host]));
    const proxied = this.#options.proxied === true && name !== 'gateway';
    const proxy = proxied ? await Proxy.start(host, port) : undefined;
    const { nodeOptions = [] } = this.#options;
    const at = { name, place, host, port, proxy };
    const process = await startService(name, this.#env(at), { nodeOptions });
    this.#replicas.push({ ...at, process });
  }

  // How a replica finds the others, and is found.
  #env({ name, place, host, port }: Omit<Replica, 'process'>): Record<string, string> {
    const prefix = `VGG_${name.toUpperCase()}_`;
    const { silenceMs, deadlineMs, env } = this.#options;
    const upstream: ServiceName[] =
      name === 'aggregator'
        ? ['preprocess', 'inference']
        : name === 'gateway'
          ? ['aggregator', 'inference']
          : [];
    const addresses: Record<string, string> = Object.fromEntries(
      upstream.map((each) => [prefix + each.toUpperCase(), this.#address(each)]),
    );
    return {
      [`${prefix}HOST`]: host,
      [`${prefix}PORT`]: String(port),
      ...addresses,
      ...(upstream.length > 0 &&
        silenceMs !== undefined && { [`${prefix}UPSTREAM_SILENCE`]: `${String(silenceMs)}ms` }),
      // One thread and no sharing: eight processes fit on two cores, and replicas agree to the last bit.
      // Room for all requests at one of two, a hundred and more at once, of 30 views each.
      ...(name === 'preprocess' && { VGG_PREPROCESS_QUEUE: '256' }),
      ...(name === 'inference' && {
        VGG_INFERENCE_THREADS: '1',
        VGG_INFERENCE_SHARING: 'never',
        VGG_INFERENCE_QUEUE: '8192',
      }),
      ...(name === 'gateway' && {
        VGG_GATEWAY_ANSWER_CACHE: '0',
        VGG_GATEWAY_DEADLINE: `${String(deadlineMs)}ms`,
      }),
      ...env?.(name, place),
    };
  }

  #address(name: ServiceName): string {
    const replicas = this.of(name);
    const { nameOf } = this.#options;
    if (nameOf) return nameOf(name, replicas[0]?.port ?? 0);
    return replicas.map(({ proxy, host, port }) => proxy?.address ?? `${host}:${String(port)}`).join(',');
  }
}

// Below the ports that systems give to outgoing connections: one of those must not take a replica's place.
const FIRST_PORT = 20_000;
const PORTS = 10_000;
const taken = new Set<number>();

// A port that nobody has at any of the hosts.
async function freePort(hosts: readonly string[]): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (taken.has(port)) continue;
    taken.add(port);
    const free = await Promise.all(hosts.map((host) => isFree(host, port)));
    if (free.every(Boolean)) return port;
  }
  throw new Error(`No free port at ${hosts.join(', ')}`);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, host, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
