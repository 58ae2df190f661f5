// moto, the emulator of AWS that Python programs are tested with, as a server: an object store that somebody else wrote.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A running emulator. */
export interface Moto {
  endpoint: string;
  close(): Promise<void>;
}

const { VGG_PYTHON: python = 'python3', VGG_AWS_PYTHONPATH: path } = process.env;
const env = { ...process.env, ...(path !== undefined && { PYTHONPATH: path }) };

/**
 * Why there is no emulator here; undefined if there is one.
 *
 * @throws Error if `VGG_AWS_PYTHONPATH` names a folder for it and it is not there
 */
export function motoMissing(): string | undefined {
  const { status } = spawnSync(python, ['-c', 'import moto.server, flask'], { env, stdio: 'ignore' });
  if (status === 0) return undefined;
  if (path === undefined) return `${python} has no moto[server] (also looked for in VGG_AWS_PYTHONPATH)`;
  throw new Error(`Expected moto[server] in VGG_AWS_PYTHONPATH (${path})`);
}

/**
 * Starts it, at any free port.
 *
 * @param more variables of its own, such as `MOTO_PORT`: where it looks for itself
 * @param program how Python is told to start it
 */
export async function startMoto(
  more: NodeJS.ProcessEnv = {},
  program: readonly string[] = ['-m', 'moto.server'],
): Promise<Moto> {
  const child = spawn(python, [...program, '-H', '127.0.0.1', '-p', '0'], {
    env: { ...env, ...more, PYTHONUNBUFFERED: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const endpoint = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        const [found] = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(line) ?? [];
        if (found !== undefined) resolve(found);
      });
    }
    void exited.then(() => {
      reject(new Error('moto ended before it listened'));
    });
  });
  return {
    endpoint,
    async close() {
      child.kill();
      await exited;
    },
  };
}
