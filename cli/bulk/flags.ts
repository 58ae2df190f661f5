// What the commands of `vgg bulk` are told. Knows options; neither photos nor shards.

import { Option, type Command } from 'commander';
import type { Patience } from '../../infra/bulk/asking.ts';
import type { JobRequest, Question } from '../../infra/bulk/job.ts';
import { FORMATS, type Format } from '../../infra/bulk/rows.ts';
import { RETRIES, type Retry } from '../../infra/bulk/shard.ts';
import { expected } from '../../vgg/errors.ts';
import { openNamed } from '../models-folder.ts';
import { addEvaluationOptions, evaluationOf, integer, named, number, stopOption } from '../options.ts';
import type { EvaluationFlags } from '../options.ts';
import { sourceAddress } from './places.ts';

/** What a job is. */
export interface JobFlags extends EvaluationFlags {
  out: string;
  manifest?: string;
  anyName?: boolean;
  model?: string[];
  top: number;
  format: Format;
  shardPhotos?: number;
}

/** Who works on it, and how. */
export interface WorkFlags {
  server: string;
  models?: string;
  workers: number;
  inFlight?: number;
  timeout: number;
  attempts: number;
  patience: number;
  retry: Retry;
  maxFailures: Bound;
}

/** So many, or such a part of all. */
export interface Bound {
  count: number;
  part: number;
}

const MOST = 1_000_000_000;
const whole = (option: string, least: number, most = MOST) => (text: string) => integer(text, option, least, most);

/** Adds what a job is. */
export function addJobOptions(command: Command): Command {
  command
    .requiredOption('--out <dest>', 'where manifest and results go: a folder, or s3://BUCKET/PREFIX')
    .option(
      '--manifest <file>',
      'photos to take, rather than all: JSON Lines {"photo","size","etag"}, CSV photo,size,etag, or a name a line',
    )
    .option('--any-name', 'take every file for a photo, not only .jpg, .png, .webp, .avif, .tiff and .gif')
    .option(
      '--model <name>',
      'model; given several times, the answers are averaged (default: the default model)',
      (name: string, before: string[] | undefined) => [...(before ?? []), ...name.split(',')],
    );
  return addEvaluationOptions(command)
    .addOption(stopOption())
    .option('--top <n>', 'predictions a photo', whole('--top', 1, 1_000_000), 5)
    .addOption(
      new Option('--format <name>', `of the results: ${FORMATS.join(' or ')}`)
        .default('jsonl')
        .argParser((text) => named(FORMATS, text.toLowerCase(), '--format')),
    )
    .option(
      '--shard-photos <n>',
      'photos that are committed at once (default: about a minute of work)',
      whole('--shard-photos', 1, 1_000_000),
    );
}

/** Adds who works on it, and how. */
export function addWorkOptions(command: Command): Command {
  return command
    .option('--server <host:port>', 'aggregator that answers; local: worker processes of this command', 'local')
    .option('--models <dir>', 'folder of models of local workers (default: $VGG_MODELS, or the one in the package)')
    .option(
      '--workers <n>',
      'local: worker processes, each with the models in memory; a server: photos at once, times --in-flight',
      whole('--workers', 1, 1024),
      1,
    )
    .option(
      '--in-flight <n>',
      'photos that a worker has in hand at once (default: 4 local, 16 for a server)',
      whole('--in-flight', 1, 1024),
    )
    .option('--timeout <seconds>', 'time for one photo', whole('--timeout', 1, 86_400), 600)
    .option(
      '--attempts <n>',
      'attempts at a photo whose failures may be its own, and workers that it may kill, before it is set aside',
      whole('--attempts', 1, 100),
      3,
    )
    .option(
      '--patience <seconds>',
      'how long to wait for a server that answers no photo at all',
      whole('--patience', 1, 86_400),
      600,
    )
    .addOption(
      new Option(
        '--retry <which>',
        `photos set aside before that are asked about again: ${RETRIES.join(', ')}`,
      )
        .default('retryable')
        .argParser((text) => named(RETRIES, text.toLowerCase(), '--retry')),
    )
    .addOption(
      new Option('--max-failures <n|p%>', 'stop when more photos than this are set aside; of a part, 10 are always allowed')
        .default({ count: 10, part: 0.1 } satisfies Bound, '10%')
        .argParser(boundOf),
    );
}

/** Most photos of so many that may be set aside. */
export function mostOf({ count, part }: Bound, photos: number): number {
  return Math.max(count, Math.floor(part * photos));
}

/** How patient the work is. */
export function patienceOf({ attempts, patience }: WorkFlags): Patience {
  return { attempts, withoutAnswersMs: patience * 1000 };
}

/**
 * What the job is, but for its shards.
 *
 * @param models folder of local workers' models, whose weights the job then knows; undefined for a server's
 * @throws VggError NOT_FOUND for a model that the folder has not
 */
export async function requestOf(
  source: string,
  flags: JobFlags,
  models: string | undefined,
): Promise<Omit<JobRequest, 'shardPhotos'>> {
  const question: Question = {
    ...(flags.model && { models: flags.model }),
    ...evaluationOf(flags),
    top: flags.top,
  };
  const weights: JobRequest['weights'] = [];
  for (const name of models === undefined ? [] : (flags.model ?? [undefined])) {
    const opened = await openNamed(models ?? '', name);
    weights.push({ model: opened.name, sha256: opened.json.sha256 });
  }
  return { source: sourceAddress(source), format: flags.format, question, weights };
}

function boundOf(text: string): Bound {
  const percent = /^(.+)%$/.exec(text)?.[1];
  if (percent === undefined) return { count: integer(text, '--max-failures', 0, MOST), part: 0 };
  const part = number(percent, '--max-failures') / 100;
  if (!(part >= 0 && part <= 1)) throw expected('0% to 100%', text, '--max-failures');
  return { count: 10, part };
}
