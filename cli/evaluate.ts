// vgg evaluate: the paper's tables for anybody's photos and models.

import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, type VggClient } from '../sdk/index.ts';
import { VggError } from '../vgg/errors.ts';
import { readDataset } from './evaluate/dataset.ts';
import { addEvaluateOptions, journalFile, trainOf, wantedOf, type EvaluateFlags } from './evaluate/flags.ts';
import { Journal, type JournalHeader } from './evaluate/journal.ts';
import { knownPhotos } from './evaluate/known-photos.ts';
import { localModels, serverModels, type ModelFacts } from './evaluate/models.ts';
import { planOf, type Plan, type Wanted } from './evaluate/plan.ts';
import { reportOf, type Report } from './evaluate/report.ts';
import { evaluatePhotos } from './evaluate/run.ts';
import { markdownReport, terminalReport } from './evaluate/tables.ts';
import { Tally } from './evaluate/tally.ts';
import { interruptSignal } from './interrupt.ts';
import { modelsFolder } from './models-folder.ts';
import { startStack } from './stack.ts';
import { columns, print, progress, say } from './terminal.ts';

/** Adds the command. */
export function addEvaluate(program: Command): void {
  addEvaluateOptions(program.command('evaluate')).action(run);
}

async function run(path: string, flags: EvaluateFlags): Promise<void> {
  const signal = interruptSignal();
  if (flags.server !== undefined && flags.models !== undefined) {
    throw new VggError(
      'INVALID_ARGUMENT',
      'Expected --models or --server but received both: a server has models of its own',
    );
  }
  const dataset = await readDataset(path, flags.groundTruth);
  const deadlineMs = flags.timeout * 1000;
  const server =
    flags.server === undefined ? undefined : createClient({ aggregator: flags.server, deadlineMs });
  try {
    const folder = modelsFolder(flags.models);
    const models = server
      ? await serverModels(server, flags.model ?? [], signal)
      : await localModels(folder, flags.model ?? []);
    const { photos, ignoredClasses } = await knownPhotos(dataset, models[0]?.labels ?? [], flags);
    const wanted = wantedOf(flags, models.length);
    const train = trainOf(flags.trainScales, models.length);
    const plan = planOf(models, wanted);
    const existing = flags.resume ? 'resume' : flags.overwrite ? 'replace' : 'refuse';
    const journal = await Journal.open(
      journalFile(path, flags.output),
      headerOf(models, plan, wanted),
      existing,
    );
    const tally = new Tally(plan.rows.length);
    try {
      const bar = shown(photos.length, tally);
      const ask = async (client: VggClient) =>
        await evaluatePhotos(photos, {
          ...{ client, models, plan, journal, tally, deadlineMs, signal, inFlight: flags.inFlight },
          onPhoto: bar.onPhoto,
        }).finally(bar.stop);
      const failures = await (server ? ask(server) : inProcess(folder, models, deadlineMs, ask));
      const { seed, perClassTable: perClass = false } = flags;
      await tell(
        reportOf({
          path,
          imagenet: dataset.imagenet,
          ignoredClasses,
          models,
          plan,
          tally,
          failures,
          seed,
          train,
          perClass,
        }),
        flags,
      );
    } catch (error) {
      say(
        `${String(tally.photos)} of ${String(photos.length)} photos are in ${journal.file}: the same command with --resume goes on`,
      );
      throw error;
    } finally {
      await journal.close();
    }
  } finally {
    server?.close();
  }
}

function headerOf(models: readonly ModelFacts[], { rows }: Plan, wanted: Wanted): JournalHeader {
  // How views are shared is not in it: that changes how quickly answers come, not what they are.
  const { grid = 5, aligns = [], kernel = "the model's", scoreOrder = 'MEAN_THEN_SOFTMAX' } = wanted;
  // One for all rows is an option; otherwise each row has its own.
  const [align] = aligns.length === 1 ? aligns : [];
  return {
    journal: 'vgg evaluate',
    version: 1,
    models: models.map(({ name, identity }) => ({ name, ...identity })),
    options: { grid, ...(align !== undefined && { align }), kernel, scoreOrder },
    rows: rows.map((row) => ({
      models: row.models.flatMap((model) => models[model]?.name ?? []),
      protocol: row.protocol,
      ...(align === undefined && row.align !== undefined && { align: row.align }),
      scales: row.scales.map((scales) => [...scales]),
    })),
  };
}

async function inProcess<Result>(
  models: string,
  facts: readonly ModelFacts[],
  deadlineMs: number,
  work: (client: VggClient) => Promise<Result>,
): Promise<Result> {
  const stack = await startStack({ models, load: facts.map(({ name }) => name), logLevel: 'silent' });
  const client = createClient({ aggregator: stack.aggregator.address, deadlineMs });
  try {
    return await work(client);
  } finally {
    client.close();
    await stack.close();
  }
}

// The progress bar: photos a second, and the error of the first row so far.
function shown(total: number, tally: Tally): { onPhoto: (asked: boolean) => void; stop: () => void } {
  const bar = progress(total, 'photos', process.stderr.isTTY, 12);
  const started = performance.now();
  let [done, fresh] = [0, 0];
  return {
    onPhoto: (asked) => {
      done++;
      if (asked) fresh++;
      const rate = fresh / ((performance.now() - started) / 1000);
      const error = tally.photos > 0 ? (100 * tally.errors(0).top1) / tally.photos : 0;
      bar.update(done, `${rate.toFixed(1)}/s  top-1 ${error.toFixed(1)} %`);
    },
    stop: () => {
      bar.stop();
    },
  };
}

async function tell(report: Report, flags: EvaluateFlags): Promise<void> {
  const { output, markdown } = flags;
  if (flags.json) print(JSON.stringify(report));
  else for (const line of terminalReport(report, columns())) print(line);
  if (output !== undefined && !output.endsWith('.jsonl')) {
    await writeFile(join(output, 'report.json'), `${JSON.stringify(report, null, 1)}\n`);
    await writeFile(join(output, 'report.md'), markdownReport(report));
  }
  if (markdown !== undefined) await writeFile(markdown, markdownReport(report));
  for (const { photo, message } of report.failures) say(`${photo}: ${message}`);
  if (report.failures.length > 0) process.exitCode = 1;
}
