// A process that may take no more memory: it refuses or dies, as under a container's limit.

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { ServiceName } from '../../../bench/services.ts';
import type { Fault } from '../fault.ts';

const BEHIND: ServiceName[] = ['preprocess', 'inference', 'aggregator'];
const MIB = 1024 ** 2;
const MORE_MIB = 1;

/** One replica may take hardly more than it has. */
export const memories: Fault[] = BEHIND.map((name) => ({
  name: `memory-${name}`,
  what: `one ${name} process may take ${String(MORE_MIB)} MiB more than it has (RLIMIT_DATA); it is started again when it has died`,
  holds: 'it dies rather than answer wrongly; its calls are made again at the other one; all are answered',
  topology: 'direct',
  missing: () =>
    process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0
      ? undefined
      : 'prlimit (util-linux), which limits memory, is not installed',
  async run({ cluster, either, inject, tell, wait, pace, violated }) {
    const replica = either(name);
    const { pid, ended } = replica.process;
    const limit = (await dataBytes(pid)) + MORE_MIB * MIB;
    inject(`${name} ${String(replica.place)}, at ${String(Math.round(limit / MIB))} MiB`);
    const limited = spawnSync('prlimit', ['--pid', String(pid), `--data=${String(limit)}`]);
    if (limited.status !== 0) violated(`prlimit: ${limited.stderr.toString()}`);
    const how = await Promise.race([ended, wait(pace.holdMs * 2)]);
    tell(how === undefined ? 'it lives on within its limit' : `it ended with ${String(how)}`);
    if (how === undefined) await replica.process.kill();
    await cluster.restart(replica);
  },
}));

// Private memory that the process may write, which is what the limit counts.
async function dataBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmData:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
