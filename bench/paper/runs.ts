// The trials of a seed, trained and evaluated by the `vgg` command, each step once: what is there already is kept,
// what was interrupted goes on. Knows folders and commands; not what is compared.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../proto/package-root.ts';
import { readOutcomes, type Rows } from './outcomes.ts';
import {
  SITTINGS,
  TRIALS,
  trialRecipe,
  trialTestScales,
  type Choices,
  type Sitting,
  type Trial,
} from './trials.ts';

/** A line of a training log, as far as it matters here. */
export interface Epoch {
  epoch: number;
  loss: number;
  validation: { top1: number; top5: number } | null;
  seconds: number;
}

/** What a seed gave. */
export interface SeedResults {
  seed: number;
  /** Of each trial that is trained: its log. */
  logs: ReadonlyMap<string, Epoch[]>;
  /** Of each sitting that is evaluated. */
  rows: Rows;
}

/** Trains and evaluates what a seed lacks. */
export async function runSeed(photos: string, work: string, choices: Choices): Promise<void> {
  const at = foldersOf(work, choices);
  await mkdir(at.models, { recursive: true });
  for (const trial of TRIALS) await trainTrial(trial, photos, at, choices);
  for (const sitting of SITTINGS) await evaluateSitting(sitting, photos, at);
}

/** What there is of a seed, finished or not. */
export async function readSeed(work: string, choices: Choices): Promise<SeedResults> {
  const at = foldersOf(work, choices);
  const logs = new Map<string, Epoch[]>();
  for (const { name } of TRIALS) {
    if (!existsSync(join(at.models, name))) continue;
    const log = await readFile(join(at.run(name), 'log.jsonl'), 'utf8');
    logs.set(
      name,
      log
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Epoch),
    );
  }
  const rows: Rows = new Map();
  for (const { name } of SITTINGS) {
    if (!existsSync(join(at.sitting(name), 'report.json'))) continue;
    for (const [key, ranks] of await readOutcomes(join(at.sitting(name), 'journal.jsonl')))
      rows.set(key, ranks);
  }
  return { seed: choices.seed, logs, rows };
}

type Folders = ReturnType<typeof foldersOf>;

// Another budget is another folder: nothing of one is taken for the other's.
function foldersOf(work: string, { epochs, seed }: Choices) {
  const root = join(work, `${String(epochs)}-epochs`, `seed-${String(seed)}`);
  return {
    models: join(root, 'models'),
    run: (trial: string) => join(root, 'runs', trial),
    sitting: (name: string) => join(root, 'evaluations', name),
  };
}

async function trainTrial(trial: Trial, photos: string, at: Folders, choices: Choices): Promise<void> {
  if (existsSync(join(at.models, trial.name))) return;
  console.error(`Seed ${String(choices.seed)}: training ${trial.name}`);
  const run = at.run(trial.name);
  await mkdir(run, { recursive: true });
  const recipe = `${run}.json`;
  await writeFile(recipe, JSON.stringify(trialRecipe(trial, choices, at.models)));
  const options = ['--recipe', recipe, '--run', run, '--to', at.models, '--name', trial.name, '--resume'];
  await vgg('train', photos, ...options);
}

async function evaluateSitting(sitting: Sitting, photos: string, at: Folders): Promise<void> {
  const output = at.sitting(sitting.name);
  if (existsSync(join(output, 'report.json'))) return;
  console.error(`Evaluating ${sitting.trials.join(', ')}`);
  const [first = ''] = sitting.trials;
  const trial = TRIALS.find(({ name }) => name === first);
  if (!trial) throw new Error(`No trial ${first}`);
  const { one, three } = trialTestScales(trial);
  await vgg(
    ...['evaluate', photos, '--ground-truth', join(at.run(first), 'held-out.csv')],
    ...['--models', at.models, '--model', sitting.trials.join(',')],
    ...['--protocols', sitting.protocols.join(','), '--scales', `${one.join(',')};${three.join(',')}`],
    // The paper's grid, to the pixel.
    ...['--align', '1', ...(sitting.fuse ? ['--fuse'] : [])],
    ...['--output', output, '--resume'],
  );
}

// Its progress is shown, its tables are not.
async function vgg(...args: string[]): Promise<void> {
  const command = join(packageRoot, 'dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  // A terminal's Ctrl-C reaches the child too, which saves; it is waited for.
  const onInterrupt = () => undefined;
  const onTerminate = () => child.kill('SIGTERM');
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate);
  const [status] = (await once(child, 'exit')) as [number | null];
  process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate);
  if (status !== 0) {
    console.error(
      `vgg ${args[0] ?? ''} ended with status ${String(status)}; the same command goes on from here`,
    );
    process.exit(status ?? 1);
  }
}
