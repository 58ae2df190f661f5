// Ctrl-C and SIGTERM as an AbortSignal: the first ends the command in good order, the second at once.

import { VggError } from '../vgg/errors.ts';

/** Exit status of a command that was interrupted. */
export const INTERRUPTED = 130;

/** A signal that is aborted when the person at the terminal wants the command to end. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED);
      controller.abort(new VggError('CANCELLED', 'Interrupted'));
    });
  }
  return controller.signal;
}
