// The log of a run: a line of JSON an epoch, only ever added to. Knows what an epoch has to say; not who says it.

import { appendFile, readFile, truncate } from 'node:fs/promises';
import { VggError } from '../../../vgg/errors.ts';

/** What an epoch came to. */
export interface EpochLine {
  /** Epochs that have ended, this one included. */
  epoch: number;
  /** Updates so far. */
  step: number;
  /** Mean training loss of the epoch. */
  loss: number;
  /** Training top-1 error, a share. */
  error: number;
  /** Of held-out photos; errors are shares. Null where nothing is held out. */
  validation: { loss: number; top1: number; top5: number } | null;
  /** At the end of the epoch. */
  learningRate: number;
  imagesPerSecond: number;
  /** Share of the time that steps waited for photos. */
  waitedShare: number;
  /** Time of the epoch, validation included. */
  seconds: number;
}

/**
 * The lines of a log up to an epoch; lines beyond it are cut off, and so is a last line that was not written to its
 * end: their epochs come again. No file is an empty log.
 *
 * @param epochs that have ended at the checkpoint which the run goes on from
 * @throws VggError INVALID_ARGUMENT if an earlier line is damaged or missing
 */
export async function resumeLog(path: string, epochs: number): Promise<EpochLine[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  const lines: EpochLine[] = [];
  let bytes = 0;
  for (const line of (text ?? '').split('\n').slice(0, -1)) {
    const parsed = parsedLine(line);
    // A crash may leave zeros or half a line, and a line after it.
    if (parsed?.epoch !== lines.length + 1 || parsed.epoch > epochs) break;
    lines.push(parsed);
    bytes += Buffer.byteLength(line) + 1;
  }
  if (lines.length < epochs) {
    const message = `Expected a line for each of ${String(epochs)} epochs but found ${String(lines.length)} (${path})`;
    throw new VggError('INVALID_ARGUMENT', message);
  }
  if (text !== undefined && bytes < Buffer.byteLength(text)) await truncate(path, bytes);
  return lines;
}

/** Adds a line. */
export async function appendLine(path: string, line: EpochLine): Promise<void> {
  await appendFile(path, `${JSON.stringify(line)}\n`);
}

function parsedLine(text: string): EpochLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'epoch' in value ? (value as EpochLine) : undefined;
  } catch {
    return undefined;
  }
}
