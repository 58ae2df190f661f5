// The table of faults: on a terminal, and on the page. Knows rows; not how they came about.

import type { Fault } from './fault.ts';
import type { Row } from './verdict.ts';

/** A run of faults, whole: what `--json` writes. */
export interface FaultResults {
  /** As a command line would. */
  command: string;
  /** ISO 8601, day alone. */
  day: string;
  machine: string;
  /** What the processes were told. */
  silenceSeconds: number;
  rate: number;
  seed: number;
  rows: Row[];
  /** What was left out, and why. */
  leftOut: { name: string; reason: string }[];
}

const HEADS = ['fault', 'requests', 'failed', 'wrong', 'retries', 'recovery s', 'longest s', 'held'];
const WIDTHS = [20, 8, 18, 5, 7, 10, 9, 4];

/** The head of the table on a terminal. */
export function headLine(): string {
  return line(HEADS);
}

/** A row on a terminal; what did not hold below it. */
export function rowLines(row: Row): string[] {
  const held = row.violations.length === 0 ? 'yes' : 'NO';
  return [line([...cells(row), held]), ...row.violations.map((each) => `    ${each}`)];
}

/** A row of a fault that was left out. */
export function leftOutLine({ name }: Fault, reason: string): string {
  return `${name.padEnd(WIDTHS[0] ?? 0)}  left out: ${reason}`;
}

function cells({ name, requests, failed, wrong, retries, again, recoverySeconds, longestSeconds }: Row): string[] {
  return [
    name,
    String(requests),
    failedText(failed),
    String(wrong),
    again > 0 ? `${String(retries)}+${String(again)}` : String(retries),
    recoverySeconds.toFixed(1),
    longestSeconds.toFixed(1),
  ];
}

function failedText(failed: Row['failed']): string {
  const kinds = Object.entries(failed).map(([code, count]) => `${String(count)} ${code}`);
  return kinds.length === 0 ? '0' : kinds.join(', ');
}

function line(texts: readonly string[]): string {
  const padded = texts.map((text, i) => (i === 0 || i === 2 ? text.padEnd(WIDTHS[i] ?? 0) : text.padStart(WIDTHS[i] ?? 0)));
  return padded.join('  ');
}

/** The table on the page. */
export function markdown({ rows }: FaultResults): string {
  const head = '| what happens | what must hold | requests | failed | wrong | made again | well again after |';
  const body = rows.map((row) => {
    const { what, holds, requests, failed, wrong, retries, again, recoverySeconds, name, violations } = row;
    const made = again > 0 ? `${String(retries)}, ${String(again)} by the front` : String(retries);
    const recovery = recoverySeconds === 0 ? 'at once' : `${recoverySeconds.toFixed(1)} s`;
    const held = violations.length === 0 ? holds : `**not held**: ${violations.join('; ')}`;
    const columns = [`\`${name}\`: ${what}`, held, String(requests), failedText(failed), String(wrong), made, recovery];
    return `| ${columns.join(' | ')} |`;
  });
  return [head, '|---|---|---|---|---|---|---|', ...body].join('\n');
}

/** How the figures came about, and what was left out. */
export function runLines({ command, day, machine, silenceSeconds, rate, seed, leftOut }: FaultResults): string[] {
  return [
    `\`${command}\`, ${day}; seed ${String(seed)}, ${String(rate)} requests a second, silence ${String(silenceSeconds)} s.`,
    machine,
    ...leftOut.map(({ name, reason }) => `Left out: ${name}: ${reason}.`),
  ];
}
