// Runs the steps of a page: one bash for all, so that servers of one step answer the next; in a network of its own where
// the machine allows it, so that the ports that pages name are free.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { missingLine } from './output.ts';
import { environment, type Step, type Steps } from './steps.ts';

/** What became of a step. */
export interface Outcome extends Step {
  /** What went wrong; undefined if nothing. */
  wrong?: string;
}

const LONGEST_START_S = 60;

// A network and, for root, processes of its own: what is left running ends with it. Without root's rights, a user who
// is root inside.
const SHELLS = [
  ['unshare', '--net', '--pid', '--fork', '--kill-child'],
  ['unshare', '--net', '--map-root-user'],
];
const isolation = SHELLS.find(
  ([program = '', ...rest]) =>
    spawnSync(program, [...rest, 'bash', '-c', 'ip link set lo up'], { env: environment() }).status === 0,
);

/**
 * Runs the steps in a folder until one goes wrong.
 *
 * @param limitMs after which whatever runs is ended
 */
export async function runPage({ steps, files }: Steps, scratch: string, limitMs: number): Promise<Outcome[]> {
  for (const [name, text] of files) writeFileSync(join(scratch, name), text);
  compile([...files.keys()].filter((name) => name.endsWith('.ts')).map((name) => join(scratch, name)));
  const folder = join(scratch, '.steps');
  mkdirSync(folder);
  for (const [i, { script }] of steps.entries()) writeFileSync(join(folder, String(i)), script);
  const driver = join(folder, 'driver');
  writeFileSync(driver, ['ip link set lo up 2>/dev/null', `cd '${scratch}'`, ...steps.map(lines)].join('\n'));
  // env runs what it is given.
  const child = spawn('env', [...(isolation ?? []), 'bash', driver], {
    detached: true,
    stdio: 'ignore',
    env: environment(),
  });
  const end = () => {
    // The whole group: servers run on.
    if (child.pid !== undefined && spawnSync('kill', ['-TERM', '--', `-${String(child.pid)}`]).status === 0)
      spawnSync('kill', ['-KILL', '--', `-${String(child.pid)}`]);
  };
  const timer = setTimeout(end, limitMs);
  await new Promise((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  end();
  const outcomes = steps.map((step, i) => judge(step, join(folder, String(i)), scratch));
  const first = outcomes.findIndex(({ wrong }) => wrong !== undefined);
  return first < 0 ? outcomes : outcomes.slice(0, first + 1);
}

function lines({ until }: Step, i: number): string {
  const at = `.steps/${String(i)}`;
  const run = `bash -eu -o pipefail ${at} >${at}.out 2>&1 </dev/null`;
  if (until === undefined) return `${run}; echo $? >${at}.status; [ "$(<${at}.status)" = 0 ] || exit 1`;
  const there = `grep -qF -- '${until.replaceAll("'", `'\\''`)}' ${at}.out`;
  return [
    `${run} &`,
    `for _ in $(seq ${String(LONGEST_START_S * 10)}); do ${there} && break; kill -0 $! 2>/dev/null || break; sleep 0.1; done`,
    `if ${there}; then echo 0; else echo 'never said it was there'; fi >${at}.status`,
    `[ "$(<${at}.status)" = 0 ] || exit 1`,
  ].join('\n');
}

function judge(step: Step, at: string, scratch: string): Outcome {
  const status = existsSync(`${at}.status`)
    ? readFileSync(`${at}.status`, 'utf8').trim()
    : 'not ended in time';
  const printed = existsSync(`${at}.out`)
    ? readFileSync(`${at}.out`, 'utf8').replaceAll(scratch, '/home/you')
    : '';
  const said = `\n$ ${step.script.trim()}\n${printed.slice(-4000)}`;
  if (status !== '0') return { ...step, wrong: `exit status ${status}${said}` };
  const missing = step.output && missingLine(step.output, printed.trimEnd().split('\n'));
  return missing === undefined ? step : { ...step, wrong: `the page shows: ${missing}${said}` };
}

// Checks the types of what a page shows, and makes the JavaScript that runs.
function compile(files: readonly string[]): void {
  if (files.length === 0) return;
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    strict: true,
    skipLibCheck: true,
  });
  const found = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  if (found.length > 0)
    throw new Error(
      ts.formatDiagnostics(found, {
        getCanonicalFileName: (name) => name,
        getCurrentDirectory: () => '/',
        getNewLine: () => '\n',
      }),
    );
}
