#!/usr/bin/env node
// vgg: the command line. Each command is a file beside this one; what goes wrong is one line on standard error.

import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../proto/package-root.ts';
import { asVggError } from '../vgg/errors.ts';
import { addClassify } from './classify.ts';
import { addConfig } from './config.ts';
import { addDoctor } from './doctor.ts';
import { addEvaluate } from './evaluate.ts';
import { INTERRUPTED } from './interrupt.ts';
import { addModels } from './models.ts';
import { addPrepare } from './prepare.ts';
import { addServe } from './serve.ts';
import { addTrain } from './train.ts';
import { say } from './terminal.ts';

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  version: string;
};

const program = new Command('vgg')
  .description('What is in this photo? VGG networks, evaluated exactly as the paper evaluates them.')
  .version(version)
  .showHelpAfterError('(vgg COMMAND --help tells more)')
  .addHelpText('after', '\nStart here:\n  vgg classify photo.jpg\n  vgg serve');
for (const add of [addClassify, addEvaluate, addPrepare, addServe, addModels, addTrain, addConfig, addDoctor])
  add(program);

// A reader that has seen enough (head) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await program.parseAsync();
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
