// Small photos, each another one, and the command that scores them: what tests of `vgg bulk` begin with.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Row } from '../../../infra/bulk/rows.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { randomAt } from '../../../vgg/random.ts';

const MAIN = join(packageRoot, 'dist/cli/main.js');

/** Writes so many photos of waves into a folder and folders in it. */
export async function writePhotos(folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const chance = randomAt(7, 'photo', i);
    const [width, height] = [72 + chance.integer(40), 72 + chance.integer(40)];
    const [a, b, c] = [chance.next(), chance.next(), chance.next()];
    const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
      const [x, y, channel] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width), at % 3];
      return Math.round(127.5 * (1 + Math.sin(x * a + channel * c * 6) * Math.cos(y * b)));
    });
    const file = join(folder, `batch-${String(i % 3)}`, `${String(i)}.png`);
    await mkdir(join(file, '..'), { recursive: true });
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(file);
  }
}

/** A running command. */
export interface Running {
  child: ChildProcess;
  /** Exit status, or the signal that ended it; and what it printed. */
  ended: Promise<{ status: number | NodeJS.Signals; stdout: string; stderr: string }>;
}

/** Starts `vgg`. */
export function startVgg(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Running {
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Awaited<Running['ended']>>((resolve) => {
    child.on('close', (status, signal) => {
      resolve({ status: signal ?? status ?? 1, stdout, stderr });
    });
  });
  return { child, ended };
}

/** Rows of a job's JSON Lines, in order. */
export async function rowsOf(out: string): Promise<Row[]> {
  const files = (await readdir(join(out, 'results'))).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(out, 'results', file), 'utf8')));
  return texts.flatMap((text) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Row),
  );
}

/** Writes a file that is no photo, whatever its name says. */
export async function writeNoPhoto(file: string): Promise<void> {
  await writeFile(file, 'no image');
}
