// vgg loadtest as a process of its own: run to its end, or interrupted. Knows no server.

import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../proto/package-root.ts';

const MAIN = join(packageRoot, 'dist/cli/main.js');

/** How a command ended, and what it printed. */
export interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs it to its end; no key but that of `env` is known to it. */
export function runLoadtest(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, 'loadtest', ...args],
      { maxBuffer: 1 << 28, env: { ...process.env, VGG_API_KEY: undefined, ...env } },
      (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr });
      },
    );
  });
}

// So long a step runs before it is interrupted.
const STEP_MS = 2000;

/**
 * Runs it, and interrupts it as Ctrl-C does.
 *
 * @param ready when; otherwise two seconds after it has said that its first step begins
 */
export async function interrupted(args: readonly string[], ready?: Promise<unknown>): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, 'loadtest', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = { stdout: '', stderr: '' };
  const stepped = new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      printed.stderr += chunk.toString();
      if (printed.stderr.includes('step 1')) setTimeout(resolve, STEP_MS);
    });
  });
  child.stdout.on('data', (chunk: Buffer) => {
    printed.stdout += chunk.toString();
  });
  const closed = new Promise<number>((resolve) =>
    child.once('close', (code) => {
      resolve(code ?? 1);
    }),
  );
  await Promise.race([ready ?? stepped, closed]);
  child.kill('SIGINT');
  return { status: await closed, ...printed };
}
