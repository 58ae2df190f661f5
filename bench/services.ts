// The services as processes of their own, for benches: started at free ports, their metrics read.
// Knows how a service is started and what it logs; does not know what is measured.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../proto/package-root.ts';

/** A service that runs. */
export interface ServiceProcess {
  /** Where its rpcs are; of the gateway, its URL. */
  address: string;
  pid: number;
  /** The sum of a metric's samples, of a name and a part of their labels. */
  metric(name: string, labels?: string): Promise<number>;
  /** Ends it in good order. */
  stop(): Promise<void>;
  /** Ends it at once, as a machine that is lost. */
  kill(): Promise<void>;
}

/** Services whose process entry is services/NAME/main. */
export type ServiceName = 'preprocess' | 'inference' | 'aggregator' | 'gateway';

/** Another entry than the service's own, which must log as it does. */
export interface ServiceEntry {
  /** A file in dist/. */
  file: string;
  args: readonly string[];
}

/**
 * Starts a service; it is ready when this resolves.
 *
 * @param env its variables, without VGG_ in front
 * @throws Error with what it logged if it does not start
 */
export async function startService(
  name: ServiceName,
  env: Record<string, string>,
  { file, args }: ServiceEntry = { file: `services/${name}/main.js`, args: [] },
): Promise<ServiceProcess> {
  const prefix = `VGG_${name.toUpperCase()}_`;
  const ports = { [`${prefix}PORT`]: '0', ...(name !== 'gateway' && { [`${prefix}METRICS_PORT`]: '0' }) };
  const variables = Object.entries({ ...ports, ...env });
  const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith('VGG_'));
  const child = spawn(process.execPath, [join(packageRoot, 'dist', file), ...args], {
    env: Object.fromEntries([...inherited, ...variables]),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface(child.stderr);
  const logged: string[] = [];
  const { address, metricsAddress } = await new Promise<{ address: string; metricsAddress: string }>(
    (resolve, reject) => {
      lines.on('line', (line) => {
        logged.push(line);
        const fields = JSON.parse(line) as { msg?: string; address: string; metricsAddress: string };
        if (fields.msg === 'listening') resolve(fields);
      });
      lines.once('close', () => {
        reject(new Error(`${name} does not start:\n${logged.join('\n')}`));
      });
    },
  );
  return {
    address,
    pid: child.pid ?? 0,
    async metric(metric, labels = '') {
      const text = await (await fetch(`http://${metricsAddress}/metrics`)).text();
      let sum = 0;
      for (const line of text.split('\n')) {
        const [, sample, own = '', value] = /^(\w+)(\{.*\})? (\S+)/.exec(line) ?? [];
        if (sample === metric && own.includes(labels)) sum += Number(value);
      }
      return sum;
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
