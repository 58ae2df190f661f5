// vgg loadtest: how much a server can take, and how long its answers take meanwhile.

import type { Command } from 'commander';
import { runLoadTest } from '../loadtest/load-test.ts';
import type { LoadTestResult } from '../loadtest/result.ts';
import { INTERRUPTED, interruptSignal } from './interrupt.ts';
import { addLoadTestOptions, boundOf, type LoadTestFlags } from './loadtest/flags.ts';
import { questionOf, targetOf, workloadOf } from './loadtest/plan.ts';
import { StepProgress } from './loadtest/progress.ts';
import { print, table } from './terminal.ts';

/** Adds the command. */
export function addLoadTest(program: Command): void {
  addLoadTestOptions(program.command('loadtest')).action(run);
}

async function run(address: string, flags: LoadTestFlags): Promise<void> {
  const question = await questionOf(flags);
  const bound = boundOf(flags);
  const { target, transport } = await targetOf(address, flags, flags.apiKey ?? process.env['VGG_API_KEY']);
  const signal = interruptSignal();
  const progress = new StepProgress();
  try {
    const result = await runLoadTest({
      ...{ question, bound, target, address, transport, signal },
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
    show(result, flags);
    process.exitCode = signal.aborted ? INTERRUPTED : isGood(result) ? 0 : 1;
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

// Whether the test has an answer that is the server's and that is good.
function isGood({ steps, search }: LoadTestResult): boolean {
  const answered = steps.some(({ requests }) => requests.answered + requests.slow > 0);
  if (search) return answered && search.verdict === 'VALID';
  return (
    answered &&
    steps.every(({ generator, bound }) => generator.saturated === undefined && bound?.kept !== false)
  );
}

function show(result: LoadTestResult, { json }: LoadTestFlags): void {
  if (json === true) {
    print(JSON.stringify(result));
    return;
  }
  const rows = result.steps.map(({ load, requests, answersPerSecond, latency }) => [
    load.loop === 'closed' ? `${String(load.concurrency)} clients` : `${load.ratePerSecond.toPrecision(3)}/s`,
    ...[requests.answered, requests.failed, answersPerSecond.toFixed(1)],
    ...[latency.p50, latency.p90, latency.p99, latency.max].map((ms) => ms.toFixed(0)),
  ]);
  for (const line of table(['load', 'answered', 'failed', 'per s', 'p50', 'p90', 'p99', 'max'], rows))
    print(line);
  for (const { generator, stability } of result.steps) {
    if (generator.saturated !== undefined) print(`generator: ${generator.saturated}`);
    if (!stability.stable) print(`unstable: ${stability.reason}`);
  }
  if (result.search) print(`${result.search.verdict}: ${result.search.reason}`);
}
