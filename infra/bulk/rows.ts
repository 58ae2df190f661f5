// A row of the results: what is in a photo, or why nobody can say. Exactly one a photo, in the manifest's order. Knows
// what a row is, and JSON Lines; Parquet is in parquet.ts.

import type { Answer } from '../../sdk/index.ts';
import { VggError, type ErrorCode } from '../../vgg/errors.ts';
import { decodeParquet, encodeParquet } from './parquet.ts';
import type { PhotoEntry } from './photos.ts';

/** Forms that results are written in. */
export const FORMATS = ['jsonl', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/** What an answer says; several models are joined by "+". */
export interface Answered {
  model: string;
  /** Rows of the paper's Table 1. */
  network: string;
  protocol: string;
  /** Smallest sides of the planes, in pixels. */
  scales: number[];
  views: number;
  /** Most probable first. */
  predictions: { label: string; classIndex: number; score: number }[];
}

/** Why a photo was set aside. */
export interface RowError {
  code: ErrorCode;
  message: string;
  /** Whether it may be answered another time. */
  retryable: boolean;
}

/** Either an answer or an error. */
export type Row = PhotoEntry & ((Answered & { error: null }) | { error: RowError });

/** The row of an answer. */
export function answeredRow(entry: PhotoEntry, answered: Answered): Row {
  return { ...entry, ...answered, error: null };
}

/** The row of a photo that was set aside. */
export function failedRow(entry: PhotoEntry, { code, message }: VggError, retryable: boolean): Row {
  return { ...entry, error: { code, message, retryable } };
}

/** What of an answer is kept: how long it took, and which engine, differ from run to run. */
export function answeredOf({ models, networks, protocol, scales, views, predictions }: Answer): Answered {
  return {
    model: models.join('+'),
    network: networks.join('+'),
    protocol,
    scales: [...scales],
    views,
    predictions: predictions.map(({ label, classIndex, score }) => ({ label, classIndex, score })),
  };
}

/** Rows as a file. */
export function encode(rows: readonly Row[], format: Format): Uint8Array {
  if (format === 'parquet') return encodeParquet(rows);
  return Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** Rows of a file. @throws Error, of any kind, if it is not whole */
export async function decode(file: Uint8Array, format: Format): Promise<Row[]> {
  if (format === 'parquet') return await decodeParquet(file);
  const text = Buffer.from(file).toString();
  if (!text.endsWith('\n')) throw new Error('The last line is cut off');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

/**
 * The rows of a committed file, if it is whole: one for each photo of its piece of the manifest, in that order.
 *
 * @returns what is wrong, in words, unless it is whole
 */
export async function wholeRows(
  file: Uint8Array,
  format: Format,
  entries: readonly PhotoEntry[],
): Promise<Row[] | string> {
  let rows: Row[];
  try {
    rows = await decode(file, format);
  } catch {
    return `Expected ${format === 'jsonl' ? 'JSON Lines' : 'Parquet'} but received ${String(file.length)} bytes of something else`;
  }
  if (rows.length !== entries.length)
    return `Expected ${String(entries.length)} rows but received ${String(rows.length)}`;
  const wrong = entries.findIndex((entry, i) => !isRowOf(rows[i], entry));
  if (wrong === -1) return rows;
  return `Expected a row of ${entries[wrong]?.photo ?? ''} but received one of ${rows[wrong]?.photo ?? 'nothing'} (row ${String(wrong + 1)})`;
}

/** Whether a row is one of this photo, as the manifest has it, and says something. */
export function isRowOf(row: Row | undefined, { photo, size, etag }: PhotoEntry): row is Row {
  if (row?.photo !== photo || row.size !== size || row.etag !== etag) return false;
  return row.error === null ? row.predictions.length > 0 : typeof row.error.code === 'string';
}
