// What a run is made on, without naming anybody's machine.

import { availableParallelism, cpus, loadavg } from 'node:os';
import { spawnSync } from 'node:child_process';
import type { EngineFacts } from '../../services/inference/engine.ts';
import type { Machine } from './results.ts';

/** @param before how many processes wanted a core when the run began: {@link load} */
export function machineOf({ library, version, threads, device }: EngineFacts, before: number): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    threads,
    node: process.version,
    engine: `${library} ${version}`,
    ...(device === 'gpu' && { gpu: gpuName() }),
    load: [before, load()],
  };
}

// What the driver's own tool calls the machine's first GPU.
function gpuName(): string {
  const { stdout } = spawnSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], {
    encoding: 'utf8',
  });
  return (stdout as string | null)?.split('\n')[0]?.trim() || 'a GPU without a name';
}

/** Processes that want a core, a mean over the last minute. */
export function load(): number {
  return Number((loadavg()[0] ?? NaN).toFixed(1));
}

/** This command as others can give it: paths of this machine become what they are. */
export function commandOf(script: string, args: readonly string[]): string {
  const shown = args.map((arg, i) => (args[i - 1] === '--python' && arg.includes('/') ? 'PYTHON' : arg));
  return ['node', `dist/bench/${script}`, ...shown].join(' ');
}
