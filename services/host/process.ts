// The life of a process that serves: signals end it in good order. Only process entries use this.

import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createLogger, type Logger } from './log.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** What can be drained: a server, or several behind one function. */
export interface Drainable {
  drain(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Drains on SIGTERM and SIGINT, then ends the process: status 0, or 1 if draining failed.
 * A second signal ends it at once.
 */
export function endOnSignals(server: Drainable, log: Logger, host: NodeJS.Process = process): void {
  let ending = false;
  for (const signal of SIGNALS) {
    host.on(signal, () => {
      log.info({ signal }, 'signal received');
      const end = ending ? server.close() : server.drain();
      ending = true;
      end.then(
        () => host.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'drain failed');
          host.exit(1);
        },
      );
    });
  }
}

/**
 * Runs a process entry, if this module is what Node was started with: starts, and ends on signals. What is
 * wrong at the start is said in one line, and the exit status is 1; what nobody caught later is logged, and
 * ends the process. A signal before the start is over ends it at once, status 128 and the signal's number: the
 * first process of a container has no other way to be ended by it.
 *
 * @param moduleUrl the caller's import.meta.url
 */
export async function runIfMain(
  moduleUrl: string,
  name: string,
  main: () => Promise<Drainable>,
): Promise<void> {
  if (process.argv[1] === undefined || realpathSync(process.argv[1]) !== fileURLToPath(moduleUrl)) return;
  const log = createLogger(name);
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught error');
    process.exit(1);
  });
  const early = (signal: NodeJS.Signals) => {
    log.info({ signal }, 'signal received before the start was over');
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.on(signal, early);
  try {
    const server = await main();
    endOnSignals(server, log);
    // In this order: a signal that has come but was not told of yet is lost when nobody listens for a moment.
    for (const signal of SIGNALS) process.off(signal, early);
  } catch (error) {
    log.fatal({ err: error }, error instanceof Error ? error.message : 'start failed');
    process.exitCode = 1;
  }
}
