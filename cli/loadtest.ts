// vgg loadtest: how much a server can take, and how long its answers take meanwhile.

import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { runLoadTest } from '../loadtest/load-test.ts';
import { metricsObserver } from '../loadtest/observer.ts';
import { csvReport } from '../loadtest/report/csv.ts';
import { htmlReport } from '../loadtest/report/html.ts';
import { terminalReport } from '../loadtest/report/terminal.ts';
import type { LoadTestResult } from '../loadtest/result.ts';
import { secureFetch } from '../loadtest/server-side/secure-fetch.ts';
import { INTERRUPTED, interruptSignal } from './interrupt.ts';
import { advised } from './loadtest/advice.ts';
import { addLoadTestOptions, boundOf, type LoadTestFlags } from './loadtest/flags.ts';
import { questionOf, targetOf, workloadOf } from './loadtest/plan.ts';
import { StepProgress } from './loadtest/progress.ts';
import { columns, print, say } from './terminal.ts';

/** Adds the command. */
export function addLoadTest(program: Command): void {
  addLoadTestOptions(program.command('loadtest')).action(run);
}

async function run(address: string, flags: LoadTestFlags): Promise<void> {
  const question = await questionOf(flags);
  const bound = boundOf(flags);
  const { target, transport, tls } = await targetOf(
    address,
    flags,
    flags.apiKey ?? process.env['VGG_API_KEY'],
  );
  const signal = interruptSignal();
  const progress = new StepProgress();
  const metrics = flags.metrics ?? (transport === 'http' ? [new URL('/metrics', address)] : []);
  const fetch = tls && secureFetch(tls, URL.canParse(address) ? new URL(address) : undefined);
  const server = metrics.length > 0 ? metricsObserver(metrics, say, fetch) : undefined;
  try {
    const result = await runLoadTest({
      ...{ question, bound, target, address, transport, signal, server },
      workload: await workloadOf(flags),
      warmUpSeconds: flags.warmUp,
      seed: flags.seed,
      maxInFlight: flags.maxInFlight,
      patienceMs: flags.timeout * 1000,
      command: commandOf(process.argv.slice(2)),
      startedAt: new Date().toISOString(),
      onStart: (start) => {
        progress.start(start);
      },
      onStep: (step) => {
        progress.end(step);
      },
    });
    await show(result, flags);
    process.exitCode = signal.aborted ? INTERRUPTED : isGood(result) ? 0 : 1;
  } catch (error) {
    throw advised(error, address);
  } finally {
    progress.stop();
    await target.close();
  }
}

// The command line as it was, but for secrets.
function commandOf(argv: readonly string[]): string {
  const shown = argv.map((each, i) =>
    argv[i - 1] === '--api-key' ? '…' : each.replace(/^--api-key=.*/s, '--api-key=…'),
  );
  return [
    'vgg',
    ...shown.map((each) => (/^[\w./:,=@%+-]+$/.test(each) ? each : `'${each.replaceAll("'", `'\\''`)}'`)),
  ].join(' ');
}

// Whether there are answers and, where there is a bound, it was kept, as far as a generator that kept up can tell.
function isGood({ steps, search }: LoadTestResult): boolean {
  if (search) return search.verdict === 'VALID';
  return (
    steps.some(({ requests }) => requests.answered + requests.slow > 0) &&
    steps.every(({ generator, bound }) => !bound || (bound.kept && generator.saturated === undefined))
  );
}

async function show(result: LoadTestResult, { json, csv, report }: LoadTestFlags): Promise<void> {
  if (json === true) print(JSON.stringify(result));
  else {
    const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
    for (const line of terminalReport(result, { width: columns(), colour })) print(line);
  }
  if (csv !== undefined) await writeFile(csv, csvReport(result));
  if (report !== undefined) await writeFile(report, htmlReport(result));
}
