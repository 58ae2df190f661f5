// A report as tables in the shape of the paper's, for terminals and for Markdown. Knows layout; computes nothing.

import type { Protocol } from '../../vgg/views.ts';
import { table, wrap } from '../terminal.ts';
import type { Report, ReportRow, ReportTest, Which } from './report.ts';

/** A table with its heading. */
export interface Section {
  title: string;
  header: string[];
  rows: string[][];
  /** Columns that a narrow terminal does without, the first to go first. */
  spare?: number[];
}

const EVALUATIONS: Record<Protocol, string> = {
  CENTER_CROP: 'centre crop',
  TEN_CROP: 'ten crops',
  MULTI_CROP: 'multi-crop',
  DENSE: 'dense',
  DENSE_AND_MULTI_CROP: 'multi+dense',
  GOOGLENET_144: '144 crops',
};
// Terminals have little room; --json has all.
const MOST_LINES = 12;

/** The tables of a report, in the order of the paper's: 3, 4, 5, 6; then what the paper does not have. */
export function sectionsOf(report: Report): Section[] {
  const fused = report.rows.filter(({ model }) => model.includes('+'));
  const own = report.rows.filter((row) => !fused.includes(row));
  const several = own.filter(({ scales }) => scales.length > 1);
  const others = new Set(several.filter(({ protocol }) => protocol !== 'DENSE').map(setOf));
  const dense = several.filter(({ protocol }) => protocol === 'DENSE');
  const models = new Set(own.map(({ model }) => model));
  const only = models.size === 1 ? own[0] : undefined;
  const named = only ? `${only.model}, network ${only.network}: ` : '';
  const aligned = severalAligns(report.rows);
  const errors = (title: string, rows: readonly ReportRow[]) => errorSection(named, title, rows, aligned);
  return [
    errors(
      'one test scale (Table 3)',
      own.filter(({ scales }) => scales.length === 1),
    ),
    errors(
      'several test scales, dense (Table 4)',
      new Set(dense.map(setOf)).size > 1 || dense.some((row) => !others.has(setOf(row))) ? dense : [],
    ),
    errors(
      'ways of evaluating (Table 5)',
      several.filter((row) => others.has(setOf(row))),
    ),
    errorSection('', 'averages of models (Table 6)', fused, aligned),
    measures(named, report.rows, aligned),
    testSection(report.mcnemar, aligned),
    confusionSection(report, aligned),
    classSection(report),
  ].filter(({ rows }) => rows.length > 0);
}

/** What holds for all tables, as sentences. */
export function notesOf({ dataset, rows, statistics, failures }: Report): string[] {
  const { path, photos, classes, imagenet } = dataset;
  const whose = imagenet
    ? "the paper's errors on the same set"
    : "the paper's errors, on ImageNet: other data";
  return [
    `${String(photos)} photo${photos === 1 ? '' : 's'} of ${String(classes)} class${classes === 1 ? '' : 'es'} in ${path}${failures.length > 0 ? `, ${String(failures.length)} without an answer` : ''}. Errors in %.`,
    `95 %: bootstrap by photo, percentile method, ${statistics.resamples.toLocaleString('en-US')} resamples (binomial draws), seed ${String(statistics.seed)}.`,
    ...(rows.some(({ paper }) => paper) ? [`Paper: ${whose}, top-1 / top-5.`] : []),
  ];
}

/** Lines for a terminal of so many characters. */
export function terminalReport(report: Report, width: number): string[] {
  const sections = sectionsOf(report).flatMap((section) => [
    ...wrap(section.title, width),
    ...fitting(section, width - 2).map((line) => `  ${line}`),
    '',
  ]);
  return [...sections, ...notesOf(report).flatMap((note) => wrap(note, width))];
}

// The table's lines, without as many of its spare columns as it takes.
function fitting({ header, rows, spare = [] }: Section, width: number): string[] {
  for (let gone = 0; ; gone++) {
    const kept = (_: string, column: number) => !spare.slice(0, gone).includes(column);
    const lines = table(
      header.filter(kept),
      rows.map((row) => row.filter(kept)),
      width,
    );
    if (gone >= spare.length || lines.every((line) => line.length <= width)) return lines;
  }
}

/** The report as Markdown. */
export function markdownReport(report: Report): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const sections = sectionsOf(report).map(({ title, header, rows }) =>
    [`## ${title}`, '', line(header), line(header.map(() => '---')), ...rows.map(line), ''].join('\n'),
  );
  return `# Evaluation\n\n${notesOf(report).join('\n')}\n\n${sections.join('\n')}`;
}

function errorSection(named: string, title: string, rows: readonly ReportRow[], aligned: boolean): Section {
  const paper = rows.some((row) => row.paper);
  const train = rows.some((row) => row.trainScales);
  const before = (named ? 0 : 1) + (train ? 1 : 0);
  const errors = before + (aligned ? 3 : 2);
  return {
    title: headline(named, title),
    spare: [errors + 3, errors + 1, ...(train ? [before - 1] : [])],
    header: [
      ...(named ? [] : ['model']),
      ...(train ? ['train S'] : []),
      ...['test Q', 'evaluation', ...(aligned ? ['align'] : []), 'top-1', '95 %', 'top-5', '95 %'],
      ...(paper ? ['paper'] : []),
    ],
    rows: rows.map((row) => [
      ...(named ? [] : [row.model]),
      ...(train ? [(row.trainScales ?? []).join('–')] : []),
      ...[scalesOf(row), EVALUATIONS[row.protocol], ...(aligned ? [alignOf(row)] : [])],
      ...[decimal(row.top1Error), interval(row.top1Interval)],
      ...[decimal(row.top5Error), interval(row.top5Interval)],
      ...(paper
        ? [row.paper ? `${decimal(row.paper.top1Error)} / ${decimal(row.paper.top5Error)}` : '']
        : []),
    ]),
  };
}

function measures(named: string, rows: readonly ReportRow[], aligned: boolean): Section {
  return {
    title: headline(named, 'each class counting the same, and engine time'),
    spare: [(named ? 0 : 1) + (aligned ? 4 : 3)],
    header: [
      ...(named ? [] : ['model']),
      ...['test Q', 'evaluation', ...(aligned ? ['align'] : []), 'class mean top-1', 'top-5', 'ms a photo'],
    ],
    rows: rows.map((row) => [
      ...(named ? [] : [row.model]),
      ...[scalesOf(row), EVALUATIONS[row.protocol], ...(aligned ? [alignOf(row)] : [])],
      ...[decimal(row.classMeanTop1Error), decimal(row.classMeanTop5Error)],
      row.msPerPhoto.toFixed(row.msPerPhoto < 100 ? 1 : 0),
    ]),
  };
}

// At the same scales only, and of several alignments only what differs in one thing: the rest is in the JSON.
function testSection(tests: readonly ReportTest[], aligned: boolean): Section {
  const same = tests.filter(({ a, b }) => a.scales.join() === b.scales.join());
  const shown = aligned
    ? [
        ...same.filter(({ a, b }) => a.protocol === b.protocol),
        ...same.filter(
          ({ a, b }) => a.protocol !== b.protocol && (a.align ?? b.align) === (b.align ?? a.align),
        ),
      ]
    : same;
  const several = new Set(shown.map(({ model }) => model)).size > 1;
  const before = several ? 4 : 3;
  return {
    title: more(
      'Do two ways of evaluating differ? Top-1 error of A less that of B, photos that only one has wrong, and McNemar’s exact p',
      shown.length,
    ),
    spare: [before, before + 1, before + 2],
    header: [...(several ? ['model'] : []), 'test Q', 'A', 'B', 'A - B', '95 %', 'only A, B', 'p'],
    rows: shown
      .slice(0, MOST_LINES)
      .map(({ model, a, b, difference, interval: [low, high], onlyA, onlyB, p }) => [
        ...(several ? [model] : []),
        ...[scalesOf(a), evaluationOf(a, aligned), evaluationOf(b, aligned)],
        ...[decimal(difference), Number.isNaN(low) ? '–' : `${decimal(low)} to ${decimal(high)}`],
        ...[`${String(onlyA)}, ${String(onlyB)}`, p < 0.0001 ? '<0.0001' : p.toFixed(4)],
      ]),
  };
}

function confusionSection({ confusions, rows }: Report, aligned: boolean): Section {
  const [best] = [...rows].sort((a, b) => a.top1Error - b.top1Error);
  // Of each set of models there are those of one row.
  const shown = confusions.filter(({ model }) => model === best?.model);
  return {
    title: `Most frequent confusions of ${best ? `${best.model}, ${evaluationOf(best, aligned)} at ${scalesOf(best)}` : ''}`,
    header: ['photos of', 'taken for', 'photos'],
    rows: shown.slice(0, MOST_LINES).map(({ truth, answer, photos }) => [truth, answer, String(photos)]),
  };
}

function classSection({ classes = [] }: Report): Section {
  return {
    title: 'By class, in the row with the fewest errors',
    header: ['class', 'photos', 'top-1', 'top-5'],
    rows: classes.map(({ label, photos, top1Error, top5Error }) => [
      label,
      String(photos),
      decimal(top1Error),
      decimal(top5Error),
    ]),
  };
}

function headline(named: string, title: string): string {
  const whole = `${named}${title}`;
  return named ? whole : `${whole.charAt(0).toUpperCase()}${whole.slice(1)}`;
}

function more(title: string, count: number): string {
  return count > MOST_LINES
    ? `${title} (the first ${String(MOST_LINES)} of ${String(count)}; --json has all)`
    : title;
}

// Whether a protocol has more than one alignment: only then is it told.
function severalAligns(rows: readonly ReportRow[]): boolean {
  const first = new Map<Protocol, number | undefined>();
  for (const { protocol, align } of rows) if (!first.has(protocol)) first.set(protocol, align);
  return rows.some(({ protocol, align }) => first.get(protocol) !== align);
}

function alignOf({ align }: Which): string {
  return align === undefined ? '–' : String(align);
}

function evaluationOf(row: Which, aligned: boolean): string {
  const name = EVALUATIONS[row.protocol];
  return aligned && row.align !== undefined ? `${name}, ${String(row.align)}` : name;
}

function setOf({ model, scales }: ReportRow): string {
  return `${model} ${scales.join()}`;
}

function scalesOf({ scales }: { scales: readonly number[] }): string {
  return scales.join(',');
}

function decimal(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(1);
}

function interval([low, high]: readonly [number, number]): string {
  return Number.isNaN(low) ? '–' : `${decimal(low)}–${decimal(high)}`;
}
