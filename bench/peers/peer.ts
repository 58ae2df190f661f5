// Another library in a process of its own, which stays alive and answers a line with a line. Knows processes and
// lines; not what is asked. The other side is lines.py.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../proto/package-root.ts';

/** A peer that answers. */
export interface Peer {
  /** Of its library. */
  readonly version: string;
  /**
   * Asks, and waits for the answer; one question at a time.
   *
   * @param what the name of what is to be done
   * @throws Error with what the peer says if it cannot, or with the last that it printed if it died
   */
  ask(what: string, fields?: object): Promise<object>;
  /** Ends it. */
  end(): Promise<void>;
}

/** A peer that is not there, and why. */
export interface Missing {
  readonly missing: string;
}

/** The command that runs one of the scripts beside this file. */
export function pythonPeer(python: string, script: string): string[] {
  return [python, join(packageRoot, 'bench', 'peers', script)];
}

/** Starts a peer; it is ready when this resolves. @param threads that it may compute with */
export async function startPeer(command: readonly string[], threads: number): Promise<Peer | Missing> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env: environment(threads) });
  const failure = failureOf(child);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async () => {
    const line = await lines.next();
    if (line.done === true) throw new Error(await failure);
    return parseAnswer(line.value);
  };
  let version: string;
  try {
    const hello = await answer();
    if (typeof hello['missing'] === 'string') return { missing: hello['missing'] };
    version = String(hello['version']);
  } catch (error) {
    child.kill();
    return { missing: (error as Error).message };
  }
  return {
    version,
    async ask(what, fields = {}) {
      child.stdin.write(`${JSON.stringify({ do: what, ...fields })}\n`);
      return answer();
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

/**
 * An answer: a JSON object on one line.
 *
 * @throws Error if it is none, or if it says that something failed
 */
export function parseAnswer(line: string): Record<string, unknown> {
  let answer: unknown;
  try {
    answer = JSON.parse(line);
  } catch {
    answer = undefined;
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    throw new Error(`Expected an object in JSON but received "${line.slice(0, 80)}"`);
  const fields = answer as Record<string, unknown>;
  if (typeof fields['error'] === 'string') throw new Error(fields['error']);
  return fields;
}

// Libraries that wait for their own threads by spinning come to nothing where others want the cores too.
// OPENBLAS_CORETYPE, where somebody has set it, may name older cores than these.
function environment(threads: number): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => name !== 'OPENBLAS_CORETYPE');
  return {
    ...Object.fromEntries(inherited),
    OMP_NUM_THREADS: String(threads),
    OMP_WAIT_POLICY: 'passive',
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

// Why its output ended: how it began to fail or, if it never ran, what the system says.
async function failureOf(child: ChildProcessWithoutNullStreams): Promise<string> {
  let printed = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-4000);
  });
  // Nobody reads what is written to a process that has died.
  child.stdin.on('error', () => undefined);
  try {
    await once(child, 'close');
  } catch (error) {
    return (error as Error).message;
  }
  const last = printed.trim().split('\n').at(-1);
  return last || `ended with status ${String(child.exitCode ?? child.signalCode)}`;
}
