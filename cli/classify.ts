// vgg classify: what is in these photos?

import type { Command } from 'commander';
import { answerJson, createClient, type Answer, type VggClient } from '../sdk/index.ts';
import { VggError, asVggError } from '../vgg/errors.ts';
import { INTERRUPTED, interruptSignal } from './interrupt.ts';
import { modelsFolder } from './models-folder.ts';
import {
  addEvaluationOptions,
  evaluationOf,
  integer,
  kebab,
  shareOption,
  stopOption,
  type EvaluationFlags,
} from './options.ts';
import { startStack } from './stack.ts';
import { bar, print, progress, say } from './terminal.ts';

interface ClassifyFlags extends EvaluationFlags {
  model?: string[];
  models?: string;
  top: number;
  posterior?: boolean;
  scoreMaps?: boolean;
  views?: boolean;
  json?: boolean;
  server?: string;
  timeout: number;
}

/** Adds the command. */
export function addClassify(program: Command): void {
  const command = program
    .command('classify')
    .argument('<photo...>', 'JPEG, PNG, WebP, AVIF, TIFF or GIF files')
    .description('say what is in photos')
    .option(
      '--model <name>',
      'model; given several times, the answers are averaged (default: the default model)',
      (name: string, before: string[] | undefined) => [...(before ?? []), ...name.split(',')],
    )
    .option('--models <dir>', 'folder of models (default: $VGG_MODELS, or the one in the package)');
  addEvaluationOptions(command)
    .addOption(shareOption())
    .addOption(stopOption())
    .option('--top <n>', 'predictions to show', (text) => integer(text, '--top', 1, 1_000_000), 5)
    .option('--posterior', 'with --json: the probabilities of all classes')
    .option('--views', "with --json: each view's rectangle, weight and posterior")
    .option('--score-maps', "with --json: each dense view's class score map, shape [height, width, classes]")
    .option('--json', 'print one JSON object a line and photo')
    .option('--server <host:port>', 'ask this aggregator instead of computing in this process')
    .option('--timeout <seconds>', 'time for one photo', (text) => integer(text, '--timeout', 1, 86_400), 600)
    .addHelpText(
      'after',
      `
Examples:
  vgg classify cat.jpg
  vgg classify *.jpg --protocol dense --json
  vgg classify cat.jpg --server localhost:50051 --model d --model e

Exit status: 0 if every photo was answered, 1 if not, ${String(INTERRUPTED)} if interrupted.`,
    )
    .action(run);
}

async function run(photos: string[], flags: ClassifyFlags): Promise<void> {
  const signal = interruptSignal();
  const { client, close } = await connect(flags);
  const shown = progress(photos.length > 1 ? photos.length : 0, 'photos');
  let failed = 0;
  try {
    for (const [done, photo] of photos.entries()) {
      shown.update(done, photo);
      try {
        const answer = await client.classify(photo, {
          ...evaluationOf(flags),
          ...(flags.model && { models: flags.model }),
          top: flags.top,
          posterior: flags.posterior,
          viewScores: flags.views ?? flags.scoreMaps,
          scoreMaps: flags.scoreMaps,
          deadlineMs: flags.timeout * 1000,
          signal,
        });
        if (flags.json) print(JSON.stringify(answerJson(photo, answer)));
        else printAnswer(photo, answer);
      } catch (error) {
        if (signal.aborted) throw error;
        failed++;
        say(`${photo}: ${asVggError(error).message}`);
      }
    }
  } finally {
    shown.stop();
    await close();
  }
  if (failed > 0) process.exitCode = 1;
}

// A client of the named server, or of services in this process.
async function connect(flags: ClassifyFlags): Promise<{ client: VggClient; close: () => Promise<void> }> {
  const deadlineMs = flags.timeout * 1000;
  if (flags.server !== undefined) {
    if (flags.models !== undefined) {
      throw new VggError(
        'INVALID_ARGUMENT',
        'Expected --models or --server but received both: a server has models of its own',
      );
    }
    const client = createClient({ aggregator: flags.server, deadlineMs });
    return {
      client,
      close: () => {
        client.close();
        return Promise.resolve();
      },
    };
  }
  const stack = await startStack({
    models: modelsFolder(flags.models),
    load: flags.model ?? [],
    logLevel: 'silent',
  });
  const client = createClient({ aggregator: stack.aggregator.address, deadlineMs });
  return {
    client,
    close: async () => {
      client.close();
      await stack.close();
    },
  };
}

function printAnswer(
  photo: string,
  { models, networks, protocol, scales, views, viewsTotal = views, predictions, timing }: Answer,
): void {
  print(photo);
  for (const { label, score } of predictions) {
    print(`  ${(score * 100).toFixed(1).padStart(5)} %  ${bar(score, 20)}  ${label}`);
  }
  const seconds = (timing.totalMs / 1000).toFixed(2);
  const network = networks.join(' + ');
  const taken = views < viewsTotal ? `${String(views)} of ${String(viewsTotal)}` : String(views);
  print(
    `  ${models.join(' + ')} (network ${network}), ${kebab(protocol)} at ${scales.join(', ')}: ${taken} view${viewsTotal === 1 ? '' : 's'} in ${seconds} s`,
  );
}
