// Rows as Parquet: one table that any of its readers opens, predictions as a list of structs. Knows columns; not what
// they are about.

import { parquetReadObjects } from 'hyparquet';
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';
import type { ErrorCode } from '../../vgg/errors.ts';
import type { Row } from './rows.ts';

type Repetition = 'REQUIRED' | 'OPTIONAL';

const text = (name: string, repetition: Repetition = 'OPTIONAL'): SchemaElement => ({
  name,
  ...{ type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  repetition_type: repetition,
});
const number = (
  name: string,
  type: 'INT32' | 'INT64' | 'DOUBLE' | 'BOOLEAN',
  repetition: Repetition = 'OPTIONAL',
): SchemaElement => ({ name, type, repetition_type: repetition });
// The three levels that the format prescribes for lists.
const list = (name: string, ...element: SchemaElement[]): SchemaElement[] => [
  {
    name,
    ...{ repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
  },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ...element,
];

const COLUMNS: SchemaElement[][] = [
  [text('photo', 'REQUIRED')],
  [number('size', 'INT64', 'REQUIRED')],
  [text('etag', 'REQUIRED')],
  [text('model')],
  [text('network')],
  [text('protocol')],
  list('scales', number('element', 'INT32', 'REQUIRED')),
  [number('views', 'INT32')],
  list(
    'predictions',
    { name: 'element', repetition_type: 'REQUIRED', num_children: 3 },
    text('label', 'REQUIRED'),
    number('class_index', 'INT32', 'REQUIRED'),
    number('score', 'DOUBLE', 'REQUIRED'),
  ),
  [text('error_code')],
  [text('error_message')],
  [number('error_retryable', 'BOOLEAN')],
];
const SCHEMA: SchemaElement[] = [{ name: 'row', num_children: COLUMNS.length }, ...COLUMNS.flat()];

// A row as Parquet has it: flat but for lists, null where there is nothing.
interface FlatRow {
  photo: string;
  size: bigint;
  etag: string;
  model: string | null;
  network: string | null;
  protocol: string | null;
  scales: number[] | null;
  views: number | null;
  predictions: { label: string; class_index: number; score: number }[] | null;
  error_code: string | null;
  error_message: string | null;
  error_retryable: boolean | null;
}

/** Rows as a Parquet file. */
export function encodeParquet(rows: readonly Row[]): Uint8Array {
  const flat = rows.map(flatOf);
  const writer = new ByteWriter();
  parquetWrite({
    writer,
    schema: SCHEMA,
    columnData: COLUMNS.map(([column]) => {
      const name = (column?.name ?? '') as keyof FlatRow;
      return { name, data: flat.map((row) => row[name]) };
    }),
    createdBy: 'vgg bulk',
  });
  return writer.getBytes();
}

/** Rows of a Parquet file. @throws Error if it is none */
export async function decodeParquet(file: Uint8Array): Promise<Row[]> {
  const buffer = new Uint8Array(file).buffer;
  return ((await parquetReadObjects({ file: buffer })) as unknown as FlatRow[]).map(rowOf);
}

function flatOf(row: Row): FlatRow {
  const { photo, size, etag, error } = row;
  const entry = { photo, size: BigInt(size), etag };
  if (error) {
    const nothing = { model: null, network: null, protocol: null, scales: null, views: null, predictions: null };
    const { code, message, retryable } = error;
    return {
      ...entry,
      ...nothing,
      error_code: code,
      error_message: message,
      error_retryable: retryable,
    };
  }
  const { model, network, protocol, scales, views } = row;
  const predictions = row.predictions.map(({ label, classIndex, score }) => ({
    label,
    class_index: classIndex,
    score,
  }));
  const answered = { model, network, protocol, scales, views, predictions };
  return { ...entry, ...answered, error_code: null, error_message: null, error_retryable: null };
}

function rowOf(flat: FlatRow): Row {
  const entry = { photo: flat.photo, size: Number(flat.size), etag: flat.etag };
  const { error_code: code, error_message: message, error_retryable: retryable } = flat;
  if (typeof code === 'string') {
    const error = { code: code as ErrorCode, message: message ?? '', retryable: retryable ?? false };
    return { ...entry, error };
  }
  const { model, network, protocol, scales, views } = flat;
  return {
    ...entry,
    ...{ model: model ?? '', network: network ?? '', protocol: protocol ?? '' },
    ...{ scales: scales ?? [], views: views ?? 0 },
    predictions: (flat.predictions ?? []).map(({ label, class_index: classIndex, score }) => ({
      ...{ label, classIndex, score },
    })),
    error: null,
  };
}
