// The journal of an evaluation: what every photo's answer was, one line a photo and row, appended as they come, so that
// an evaluation that ended early goes on. Knows lines; not what they mean.

import { createReadStream } from 'node:fs';
import { mkdir, open, stat, truncate, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { VggError } from '../../vgg/errors.ts';
import { sameModel, type ModelIdentity } from './models.ts';

/** What an evaluation is: its first line. Of one that is resumed, it has to be the same. */
export interface JournalHeader {
  journal: 'vgg evaluate';
  version: 1;
  models: ({ name: string } & ModelIdentity)[];
  /** Whatever else changes answers. */
  options: Record<string, unknown>;
  /** `align` where it is not one for all rows. */
  rows: { models: string[]; protocol: string; align?: number; scales: number[][] }[];
}

/** A photo's file, as it is known again. */
export interface PhotoFile {
  name: string;
  /** Bytes. */
  size: number;
  /** Of its last change, in milliseconds since the epoch. */
  modified: number;
}

/** A row's answer to a photo. */
export interface Outcome {
  /** Most probable class. */
  first: number;
  /** Place of the truth among all classes, from 1. */
  rank: number;
  /** Engine time, in milliseconds. */
  ms: number;
}

/** An answer as it is written: with its most probable classes and their probabilities. */
export interface FullOutcome extends Outcome {
  top: [classIndex: number, score: number][];
}

interface Line {
  photo: string;
  size: number;
  modified: number;
  truth: number;
  row: number;
  top: [number, number][];
  rank: number;
  ms: number;
}

interface Known extends Omit<PhotoFile, 'name'> {
  truth: number;
  outcomes: (Outcome | undefined)[];
}

/** An open journal. */
export class Journal {
  readonly file: string;
  readonly #handle: FileHandle;
  readonly #known: ReadonlyMap<string, Known>;
  readonly #rows: number;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, handle: FileHandle, known: ReadonlyMap<string, Known>, rows: number) {
    this.file = file;
    this.#handle = handle;
    this.#known = known;
    this.#rows = rows;
  }

  /**
   * Begins a journal, or goes on with one.
   *
   * @param existing what is done with a journal that is there: `refuse`, `resume`, `replace`
   * @throws VggError INVALID_ARGUMENT if there is one and it is refused, or is of other models or options
   */
  static async open(
    file: string,
    header: JournalHeader,
    existing: 'refuse' | 'resume' | 'replace',
  ): Promise<Journal> {
    await mkdir(dirname(file), { recursive: true });
    const size = (await stat(file).catch(() => undefined))?.size ?? 0;
    if (size > 0 && existing === 'refuse') {
      throw new VggError(
        'INVALID_ARGUMENT',
        `Expected a new journal but ${file} is there: --resume goes on with it, --overwrite begins anew, --output names another`,
      );
    }
    const known = size > 0 && existing === 'resume' ? await read(file, size, header) : undefined;
    const handle = await open(file, known ? 'a' : 'w');
    if (!known) await handle.appendFile(`${JSON.stringify(header)}\n`);
    return new Journal(file, handle, known ?? new Map<string, Known>(), header.rows.length);
  }

  /** Answers of all rows to this photo with this truth; undefined unless all are there. */
  outcomes({ name, size, modified }: PhotoFile, truth: number): Outcome[] | undefined {
    const known = this.#known.get(name);
    if (known?.size !== size || known.modified !== modified || known.truth !== truth) return undefined;
    const outcomes = known.outcomes.filter((each) => each !== undefined);
    return outcomes.length === this.#rows ? outcomes : undefined;
  }

  /** Appends a photo's answers, in the order of the rows. */
  async write(
    { name, size, modified }: PhotoFile,
    truth: number,
    outcomes: readonly FullOutcome[],
  ): Promise<void> {
    const lines = outcomes.map(({ top, rank, ms }, row): Line => {
      return { photo: name, size, modified, truth, row, top, rank, ms };
    });
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    // One after the other: lines of two photos must not mix.
    this.#writing = this.#writing.then(() => this.#handle.appendFile(text));
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#handle.close();
  }
}

// What the file has; a last line that was cut off is cut off the file too.
async function read(
  file: string,
  size: number,
  header: JournalHeader,
): Promise<Map<string, Known> | undefined> {
  const known = new Map<string, Known>();
  let end = 0;
  let number = 0;
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  for await (const line of lines) {
    number++;
    const next = end + Buffer.byteLength(line) + 1;
    const value = parsed(line);
    const torn = next > size;
    if (torn) {
      await truncate(file, end);
      // Nothing but a piece of a first line: the journal begins anew.
      return number === 1 ? undefined : known;
    }
    if (number === 1) compare(value, header, file);
    else if (isLine(value)) add(known, value);
    else throw new VggError('INVALID_ARGUMENT', `Expected an answer in line ${String(number)} of ${file}`);
    end = next;
  }
  return known;
}

function add(known: Map<string, Known>, { photo, size, modified, truth, row, top, rank, ms }: Line): void {
  let entry = known.get(photo);
  if (entry?.size !== size || entry.modified !== modified || entry.truth !== truth) {
    entry = { size, modified, truth, outcomes: [] };
    known.set(photo, entry);
  }
  entry.outcomes[row] = { first: top[0]?.[0] ?? -1, rank, ms };
}

// Whether a journal's first line is that of this evaluation.
function compare(value: unknown, header: JournalHeader, file: string): void {
  const written = value as Partial<JournalHeader> | undefined;
  if (
    written?.journal !== header.journal ||
    written.version !== header.version ||
    !Array.isArray(written.models)
  ) {
    throw new VggError('INVALID_ARGUMENT', `Expected a journal of vgg evaluate in ${file}`);
  }
  const refused = (what: string, here: unknown, there: unknown) =>
    new VggError(
      'INVALID_ARGUMENT',
      `Expected a journal of ${what} ${textOf(here)} in ${file} but it is of ${textOf(there)}`,
    );
  const names = (models: JournalHeader['models']) => models.map(({ name }) => name).join(', ');
  if (names(written.models) !== names(header.models))
    throw refused('model', names(header.models), names(written.models));
  for (const [i, model] of header.models.entries()) {
    const other = written.models[i];
    if (!other || !sameModel(model, other)) {
      throw refused(`model ${model.name} with`, identityText(model), other && identityText(other));
    }
  }
  if (JSON.stringify(written.options) !== JSON.stringify(header.options))
    throw refused('options', header.options, written.options);
  const rows = (header: Partial<JournalHeader>) =>
    (header.rows ?? []).map(({ models, protocol, align, scales }) => {
      const aligned = align === undefined ? '' : ` aligned to ${String(align)}`;
      return `${models.join('+')} ${protocol}${aligned} ${scales.join(' ')}`;
    });
  if (rows(written).join() !== rows(header).join()) {
    const other = rows(written).find((row, i) => row !== rows(header)[i]);
    throw refused('rows', rows(header).join(', '), other === undefined ? 'fewer' : rows(written).join(', '));
  }
}

function identityText(model: ModelIdentity): string {
  return 'sha256' in model ? `SHA-256 ${model.sha256}` : 'the same answer to a test picture';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isLine(value: unknown): value is Line {
  if (typeof value !== 'object' || value === null) return false;
  const { photo, size, modified, truth, row, top, rank, ms } = value as Record<string, unknown>;
  return (
    typeof photo === 'string' &&
    [size, modified, truth, row, rank, ms].every((each) => typeof each === 'number') &&
    Array.isArray(top)
  );
}
