// vgg bulk: what is in all of these photos? The commands and their help; what they do is beside this file, in bulk/.

import { Option, type Command } from 'commander';
import { RETRIES } from '../infra/bulk/shard.ts';
import { addJobOptions, addWorkOptions } from './bulk/flags.ts';
import { run } from './bulk/run.ts';
import { listTodo, makeManifest, partsOf, verify, workOnShards } from './bulk/tasks.ts';
import { INTERRUPTED } from './interrupt.ts';
import { integer, named } from './options.ts';

// Names of so many shards fit the overrides of an ECS task.
const MOST_TASK_SHARDS = 500;

/** Adds the commands. */
export function addBulk(program: Command): void {
  const bulk = program
    .command('bulk')
    .description('say what is in all photos of a folder or a bucket: once each, resumable')
    .addHelpText('after', HELP);
  addWorkOptions(addJobOptions(bulk.command('run', { isDefault: true })))
    .argument('<source>', 'photos: a folder, with folders in it, or s3://BUCKET/PREFIX')
    .description('the whole of a job: manifest, estimate, answers, reckoning; "run" may be left out')
    .option('--resume', 'go on with the job that is there; without one, begin')
    .option('--estimate', 'print how long it would take, and what it would cost; begin nothing')
    .option('--yes', 'begin without asking')
    .option('--instance <type>', 'what answers runs on such a machine: the estimate has its cost')
    .option('--instances <n>', 'so many of them', (text) => integer(text, '--instances', 1, 100_000), 1)
    .option('--spot', 'at the spot price')
    .option('--seed <n>', 'of the sample', (text) => integer(text, '--seed', 0, 2 ** 32 - 1), 1)
    .option('--json', 'print the summary as one JSON object')
    .addHelpText('after', RUN_HELP)
    .action(run);
  addJobOptions(bulk.command('manifest'))
    .argument('<source>', 'photos: a folder, with folders in it, or s3://BUCKET/PREFIX')
    .description('make a job, and ask nobody about a photo')
    .option('--models <dir>', 'folder of the models that will answer: the job keeps the sums of their weights')
    .action(makeManifest);
  bulk
    .command('todo')
    .argument('<job>', 'where the job is')
    .description('write todo.json, the shards that are not done in batches, and print how many shards they are')
    .option('--machines <n>', 'at least a batch for each', (text) => integer(text, '--machines', 1, 100_000), 1)
    .option(
      '--task-shards <n>',
      'most shards of a batch',
      (text) => integer(text, '--task-shards', 1, MOST_TASK_SHARDS),
      20,
    )
    .addOption(
      new Option('--retry <which>', `shards count as not done with photos set aside: ${RETRIES.join(', ')}`)
        .default('retryable')
        .argParser((text) => named(RETRIES, text.toLowerCase(), '--retry')),
    )
    .action(listTodo);
  addWorkOptions(bulk.command('shard'))
    .argument('<job>', 'where the job is')
    .description('work on some shards of a job')
    .option('--parts <list>', 'their names, 00000,00001 or a JSON list (default: all)', partsOf)
    .action(workOnShards);
  bulk
    .command('verify')
    .argument('<job>', 'where the job is')
    .description('hold every row against the manifest; write failures.jsonl and summary.json')
    .option('--json', 'print the summary as one JSON object')
    .action(verify);
}

const HELP = `
  vgg bulk photos --out results
  vgg bulk s3://photos/2026 --out s3://answers/2026 --server localhost:50051 --format parquet
  vgg bulk photos --out results --resume`;

const RUN_HELP = `
The manifest, every photo with its size and etag in one order, is made once and
cut into shards. A shard's results appear whole, under a name of their own, or
not at all: whatever is killed, and whenever, each photo ends up with exactly
one row, and only shards that were in work are asked about again.

  DEST/job.json           what was asked
  DEST/manifest/          the photos, a file a shard
  DEST/results/           one row a photo, a file a shard
  DEST/failures.jsonl     photos that were set aside, and why
  DEST/summary.json       counts

A photo that cannot be answered is set aside: its row has the error instead of
predictions. So is one that kills its worker, after --attempts times. What may
pass (a time-out) is asked about again with --resume; what will not (no image)
is not, unless --retry all.

Before it begins, some photos are measured and the time is told; --yes begins
without asking, and is needed where there is no terminal. Ctrl-C finishes the
photos in hand and keeps them; a second one ends at once.

Examples:
  vgg bulk photos --out results --workers 2
  vgg bulk photos --out results --estimate --instance g6.xlarge
  vgg bulk s3://photos/2026 --out s3://answers/2026 --server localhost:50051 \\
    --workers 4 --format parquet --yes

Exit status: 0 if every photo was answered, 1 if not, ${String(INTERRUPTED)} if interrupted.`;
