#!/usr/bin/env node
// vgg: the command line. Each command is a file beside this one; what goes wrong is one line on standard error.

import { asVggError } from '../vgg/errors.ts';
import { INTERRUPTED } from './interrupt.ts';
import { say } from './terminal.ts';

// A reader that has seen enough (head) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// Libraries' deprecations are for those who write programs, not for those who run them.
if (!process.traceDeprecation) process.noDeprecation = true;

// A probe runs every few seconds: it loads nothing of the other commands.
const program = async () =>
  process.argv[2] === 'probe'
    ? (await import('./probe.ts')).probeAlone()
    : (await import('./program.ts')).createProgram();

try {
  await (await program()).parseAsync();
} catch (thrown) {
  const error = asVggError(thrown);
  // What nobody foresaw is shown whole: it is ours to mend.
  say(
    error.code === 'INTERNAL' && error.cause instanceof Error
      ? (error.cause.stack ?? error.message)
      : error.message,
  );
  process.exitCode = error.code === 'CANCELLED' ? INTERRUPTED : 1;
}
