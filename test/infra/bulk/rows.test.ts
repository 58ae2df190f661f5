// Rows as JSON Lines and as Parquet: what comes back is what went in, and what is not whole is told.

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMATS, decode, encode, wholeRows, type Row } from '../../../infra/bulk/rows.ts';
import { ERROR_CODES } from '../../../vgg/errors.ts';
import { python } from './python.ts';

const text = fc.string({ unit: 'binary', minLength: 1 });
const entry = fc.record({ photo: text, size: fc.integer({ min: -1, max: 2 ** 40 }), etag: text });
const int32 = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const answered = fc.record({
  ...{ model: text, network: text, protocol: text },
  scales: fc.array(int32, { minLength: 1, maxLength: 4 }),
  views: int32,
  predictions: fc.array(
    fc.record({ label: text, classIndex: int32, score: fc.double({ min: 0, max: 1, noNaN: true }) }),
    { minLength: 1, maxLength: 5 },
  ),
  error: fc.constant(null),
});
const failed = fc.record({
  error: fc.record({ code: fc.constantFrom(...ERROR_CODES), message: text, retryable: fc.boolean() }),
});
const row = fc.tuple(entry, fc.oneof(answered, failed)).map(([facts, rest]): Row => ({ ...facts, ...rest }));
const rows = fc.array(row, { minLength: 1, maxLength: 30 });
// -0 is 0 in JSON.
const plain = (list: readonly Row[]) => JSON.parse(JSON.stringify(list)) as Row[];

describe.each(FORMATS)('%s', (format) => {
  test('what is read is what was written', async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (list) => {
        expect(plain(await decode(encode(list, format), format))).toEqual(plain(list));
      }),
    );
  });

  test('a file that is cut off anywhere is not whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (list, part) => {
          const bytes = encode(list, format);
          const cut = bytes.subarray(0, Math.floor(bytes.length * part));
          expect(await wholeRows(cut, format, list)).toMatch(/^Expected /);
        },
      ),
    );
  });

  test('rows of other photos, of too few or in another order are not whole', async () => {
    const [a, b] = ['a', 'b'].map((photo): Row => {
      return { photo, size: 1, etag: 'x', error: { code: 'INTERNAL', message: 'm', retryable: true } };
    });
    if (!a || !b) throw new Error('No rows');
    const said = async (list: Row[]) => await wholeRows(encode(list, format), format, [a, b]);
    expect(await said([a, b])).toHaveLength(2);
    expect(await said([b, a])).toBe('Expected a row of a but received one of b (row 1)');
    expect(await said([a])).toBe('Expected 2 rows but received 1');
    expect(await said([a, { ...b, etag: 'y' }])).toBe('Expected a row of b but received one of b (row 2)');
  });
});

test('pyarrow and DuckDB read the same from Parquet', async (context) => {
  const program = python('pyarrow', 'duckdb');
  if (program === undefined) {
    context.skip('Python has no pyarrow and duckdb here: pip install -r test/infra/bulk/requirements.txt');
    return;
  }
  const list = fc.sample(row, { numRuns: 300, seed: 1 });
  const folder = await mkdtemp(join(tmpdir(), 'vgg-parquet-'));
  try {
    const file = join(folder, 'rows.parquet');
    await writeFile(file, encode(list, 'parquet'));
    const script = `
import json, sys, duckdb, pyarrow.parquet as parquet
rows = parquet.read_table(sys.argv[1]).to_pylist()
[(count,)] = duckdb.sql(f"select count(*) from '{sys.argv[1]}' where error_code is null").fetchall()
best = duckdb.sql(f"select predictions[1].class_index from '{sys.argv[1]}' where error_code is null").fetchall()
print(json.dumps({"rows": rows, "answered": count, "best": [each for each, in best]}))`;
    const read = JSON.parse(
      execFileSync(program.command, ['-c', script, file], {
        ...{ encoding: 'utf8', env: program.env, maxBuffer: 1 << 28 },
      }),
    ) as { rows: Record<string, unknown>[]; answered: number; best: number[] };
    const answers = list.flatMap((each) => (each.error === null ? [each] : []));
    expect(read.answered).toBe(answers.length);
    expect(read.best).toEqual(answers.map(({ predictions }) => predictions[0]?.classIndex));
    expect(read.rows).toEqual(
      plain(list).map((each) => ({
        ...{ photo: each.photo, size: each.size, etag: each.etag },
        ...(each.error === null
          ? {
              ...{ model: each.model, network: each.network, protocol: each.protocol },
              ...{ scales: each.scales, views: each.views },
              predictions: each.predictions.map(({ label, classIndex, score }) => ({
                ...{ label, class_index: classIndex, score },
              })),
              ...{ error_code: null, error_message: null, error_retryable: null },
            }
          : {
              ...{ model: null, network: null, protocol: null, scales: null, views: null, predictions: null },
              error_code: each.error.code,
              error_message: each.error.message,
              error_retryable: each.error.retryable,
            }),
      })),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
