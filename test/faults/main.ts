// node dist/test/faults/main.js [--seed N] [--fault NAME…] [--rate R] [--silence S] [--json FILE] [--report docs/explanation/faults.md]
//
// Kills, stops, cuts off, starves and misleads the services, one fault at a time and under load, and prints what came of
// each. Exit status 1 if anything did not hold. Knows the command line; the faults are in kinds/.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { filled } from '../../bench/crops/page.ts';
import type { Pace } from './fault.ts';
import { FAULTS } from './kinds/all.ts';
import { Runner } from './runner.ts';
import { headLine, leftOutLine, pageBlocks, rowLines, type FaultResults } from './table.ts';

const DEADLINE_MS = 30_000;

interface Flags {
  seed: number;
  fault?: string[];
  rate: number;
  silence: number;
  hold: number;
  json?: string;
  report?: string;
  verbose?: true;
}

const number = (text: string) => {
  const value = Number(text);
  if (!(value >= 0)) throw new InvalidArgumentError('Expected a number ≥ 0');
  return value;
};

const command = new Command('faults')
  .description('Does faults to two replicas of each service under open-loop load, and says what held.')
  .option('--seed <n>', 'all chance comes from it: which replica, when, which requests', number, 1)
  .option('--fault <name...>', `these alone; there are: ${FAULTS.map(({ name }) => name).join(', ')}`)
  .option('--rate <r>', 'requests a second', number, 10)
  .option('--silence <s>', 'VGG_…_UPSTREAM_SILENCE of the services, seconds', number, 10)
  .option('--hold <s>', 'for which a fault lasts, seconds', number, 3)
  .option('--json <file>', 'writes the figures')
  .option('--report <page>', 'writes them into a page, and their JSON beside it')
  .option('--verbose', 'says what is done as it is done');
command.parse();
const flags = command.opts<Flags>();

const unknown = flags.fault?.find((name) => FAULTS.every((fault) => fault.name !== name));
if (unknown !== undefined) command.error(`Expected a fault but received ${unknown}; --help names them`);
const chosen = FAULTS.filter(({ name }) => flags.fault?.includes(name) ?? true);

const pace: Pace = {
  beforeMs: 2000,
  holdMs: flags.hold * 1000,
  afterMs: 3000,
  silenceMs: flags.silence * 1000,
};
const tell = (line: string) => {
  if (flags.verbose) console.error(`  ${line}`);
};
const complain = (line: string) => {
  console.error(`  ${line}`);
};
const { seed, rate } = flags;
const runner = new Runner({ seed, rate, pace, deadlineMs: DEADLINE_MS, tell, complain });
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void runner.close().finally(() => process.exit(130));
  });

const results: FaultResults = {
  command: `node dist/test/faults/main.js --seed ${String(flags.seed)} --hold ${String(flags.hold)} --report docs/explanation/faults.md`,
  day: new Date().toISOString().slice(0, 10),
  machine: `${String(cpus().length)} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), Node.js ${process.version}, ${process.platform}`,
  silenceSeconds: flags.silence,
  rate: flags.rate,
  seed: flags.seed,
  rows: [],
  leftOut: [],
};
console.log(headLine());
try {
  for (const fault of chosen) {
    const reason = fault.missing?.();
    if (reason !== undefined) {
      console.log(leftOutLine(fault, reason));
      results.leftOut.push({ name: fault.name, reason });
      continue;
    }
    const row = await runner.run(fault);
    results.rows.push(row);
    console.log(rowLines(row).join('\n'));
  }
} finally {
  await runner.close();
}

const violated = results.rows.filter(({ violations }) => violations.length > 0);
console.log(
  violated.length === 0
    ? `${String(results.rows.length)} faults: all held`
    : `${String(violated.length)} of ${String(results.rows.length)} faults did not hold: ${violated.map(({ name }) => name).join(', ')}`,
);
const kept = flags.json ?? flags.report?.replace(/\.md$/, '.json');
if (kept !== undefined) {
  // Of faults that were not chosen, what an earlier run gave stays.
  if (flags.fault && existsSync(kept)) {
    const { rows } = JSON.parse(readFileSync(kept, 'utf8')) as FaultResults;
    results.rows.push(...rows.filter(({ name }) => results.rows.every((row) => row.name !== name)));
    const place = (name: string) => FAULTS.findIndex((fault) => fault.name === name);
    results.rows.sort((a, b) => place(a.name) - place(b.name));
  }
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(kept, `${JSON.stringify(results, undefined, 1)}\n`);
}
if (flags.report !== undefined) {
  writeFileSync(flags.report, filled(readFileSync(flags.report, 'utf8'), pageBlocks(results)));
}
process.exitCode = violated.length === 0 ? 0 : 1;
