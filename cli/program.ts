// The commands of `vgg` and what each is told, put together. Knows no command's work, and runs nothing.

import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../proto/package-root.ts';
import { addBulk } from './bulk.ts';
import { addClassify } from './classify.ts';
import { addConfig } from './config.ts';
import { addDoctor } from './doctor.ts';
import { addEvaluate } from './evaluate.ts';
import { addLoadTest } from './loadtest.ts';
import { addModels } from './models.ts';
import { addPrepare } from './prepare.ts';
import { addProbe } from './probe.ts';
import { addServe } from './serve.ts';
import { addSimulate } from './simulate.ts';
import { addTrain } from './train.ts';

/** The program, ready to parse a command line or to be described. */
export function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  const program = new Command('vgg')
    .description('What is in this photo? VGG networks, evaluated exactly as the paper evaluates them.')
    .version(version)
    .showHelpAfterError('(vgg COMMAND --help tells more)')
    .addHelpText('after', '\nStart here:\n  vgg classify photo.jpg\n  vgg serve');
  for (const add of [
    addClassify,
    addEvaluate,
    addBulk,
    addPrepare,
    addServe,
    addModels,
    addTrain,
    addLoadTest,
    addSimulate,
    addConfig,
    addDoctor,
    addProbe,
  ])
    add(program);
  return program;
}
