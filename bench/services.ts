// The services as processes of their own, for benches and tests: started, their metrics read, ended in every way.
// Knows how a service is started and what it logs; does not know what is measured.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../proto/package-root.ts';
import { mourn } from './reaper.ts';

/** A service that runs. */
export interface ServiceProcess {
  readonly name: ServiceName;
  readonly pid: number;
  /** Where its rpcs are: HOST:PORT; of the gateway its URL. */
  address: string;
  /** What it logged, a line each; the last thousand. */
  readonly logged: readonly string[];
  /** Resolves when it has ended: with its exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** The sum of a metric's samples, of a name and a part of their labels. */
  metric(name: string, labels?: string): Promise<number>;
  /** Sends a signal, and waits for nothing. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it in good order; resolves with its exit status. */
  stop(): Promise<number | NodeJS.Signals>;
  /** Ends it at once, as a machine that is lost. */
  kill(): Promise<void>;
}

/** Services whose process entry is services/NAME/main. */
export type ServiceName = 'preprocess' | 'inference' | 'aggregator' | 'gateway';

/** How a process is started, beside its variables. */
export interface StartOptions {
  /** Options of Node.js itself. */
  nodeOptions?: readonly string[];
  /** Cores that it may use, as taskset lists them; all of them if not given. */
  cpus?: string;
  /** Another entry than the service's own, which must log as it does: a file in dist/, and its arguments. */
  entry?: { file: string; args: readonly string[] };
}

const MOST_LINES = 1000;

/**
 * Starts a service; it is ready when this resolves.
 *
 * @param env its variables; a port that is not given is any free one
 * @throws Error with what it logged if it does not start
 */
export async function startService(
  name: ServiceName,
  env: Record<string, string>,
  { nodeOptions = [], cpus, entry }: StartOptions = {},
): Promise<ServiceProcess> {
  const prefix = `VGG_${name.toUpperCase()}_`;
  const ports = { [`${prefix}PORT`]: '0', ...(name !== 'gateway' && { [`${prefix}METRICS_PORT`]: '0' }) };
  const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith('VGG_'));
  const { file, args } = entry ?? { file: `services/${name}/main.js`, args: [] };
  const pinned = cpus === undefined ? [] : ['taskset', '--cpu-list', cpus];
  const [command = '', ...rest] = [
    ...pinned,
    ...[process.execPath, ...nodeOptions, join(packageRoot, 'dist', file), ...args],
  ];
  const child = spawn(command, rest, {
    env: Object.fromEntries([...inherited, ...Object.entries({ ...ports, ...env })]),
    stdio: ['ignore', 'ignore', 'pipe'],
    // Ctrl-C is this process's: it ends them in its own order.
    detached: true,
  });
  await Promise.race([
    once(child, 'spawn'),
    once(child, 'error').then(([error]) => Promise.reject(error as Error)),
  ]);
  const pid = child.pid ?? 0;
  const forget = mourn(pid);
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => {
      forget();
      resolve(code ?? signal ?? 1);
    });
  });
  const lines = createInterface(child.stderr);
  const logged: string[] = [];
  const { address, metricsAddress } = await new Promise<Listening>((resolve, reject) => {
    let where: Listening | undefined;
    // The gateway is as ready as those behind it, who may be down by purpose.
    let ready = name === 'gateway';
    lines.on('line', (line) => {
      logged.push(line);
      if (logged.length > MOST_LINES) logged.shift();
      where ??= readListening(line);
      ready ||= line.includes('"msg":"ready"');
      if (where && ready) resolve(where);
    });
    lines.once('close', () => {
      reject(new Error(`${name} does not start:\n${logged.join('\n')}`));
    });
  });
  const signal = (which: NodeJS.Signals) => {
    child.kill(which);
  };
  return {
    name,
    pid,
    address,
    logged,
    ended,
    async metric(metric, labels = '') {
      const text = await (await fetch(`${metricsAddress}/metrics`)).text();
      let sum = 0;
      for (const line of text.split('\n')) {
        const [, sample, own = '', value] = /^(\w+)(\{.*\})? (\S+)/.exec(line) ?? [];
        if (sample === metric && own.includes(labels)) sum += Number(value);
      }
      return sum;
    },
    signal,
    stop() {
      signal('SIGTERM');
      return ended;
    },
    async kill() {
      signal('SIGKILL');
      await ended;
    },
  };
}

interface Listening {
  address: string;
  /** A URL. */
  metricsAddress: string;
}

// What a service says of itself once it listens; nothing in any other line.
function readListening(line: string): Listening | undefined {
  let fields: { msg?: string; address?: string; metricsAddress?: string };
  try {
    fields = JSON.parse(line) as typeof fields;
  } catch {
    return undefined; // Node.js's own, which is no JSON.
  }
  const { msg = '', address = '', metricsAddress = '' } = fields;
  if (msg === 'listening') return { address, metricsAddress: `http://${metricsAddress}` };
  const [, url] = /^listening at (https?:\S+)$/.exec(msg) ?? [];
  return url === undefined ? undefined : { address: url, metricsAddress: url };
}
