// Ctrl-C and SIGTERM as an AbortSignal: the first ends the command in good order, the second at once.

import { VggError } from '../vgg/errors.ts';

/** Exit status of a command that was interrupted. */
export const INTERRUPTED = 130;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** A signal that is aborted when the person at the terminal wants the command to end. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (controller.signal.aborted) endNow(name);
      controller.abort(new VggError('CANCELLED', 'Interrupted'));
    });
  }
  return controller.signal;
}

// By the signal itself: to leave while an engine computes would abort with a word of its library's. Only the first
// process of a container is not ended so.
function endNow(name: NodeJS.Signals): never {
  for (const each of SIGNALS) process.removeAllListeners(each);
  process.kill(process.pid, name);
  process.exit(INTERRUPTED);
}
