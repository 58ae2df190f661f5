// Options of a bench, as node:util parses them: --help prints what the head of its file says, and what is not an option
// is refused in two lines, as are values that an option does not take. Knows files' heads; no bench.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { VggError } from '../vgg/errors.ts';

/**
 * Parses the options of this process.
 *
 * @param bench its `import.meta.url`
 */
export function parseOptions<const Config extends ParseArgsConfig>(
  bench: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  const file = fileURLToPath(bench);
  if (process.argv.includes('--help')) {
    process.stdout.write(headOf(readFileSync(file, 'utf8')));
    process.exit();
  }
  const refuse = ({ message }: Error) => {
    process.stderr.write(`${message}\n${basename(file)} --help says what there is\n`);
    process.exit(2);
  };
  // Values are read later, by whoever knows what they may be.
  process.once('uncaughtException', (error) => {
    if (error instanceof VggError && error.fields.some(({ field }) => field.startsWith('--'))) refuse(error);
    console.error(error);
    process.exit(1);
  });
  try {
    return parseArgs(config);
  } catch (error) {
    return refuse(error as Error);
  }
}

/** The comment that a file begins with. */
export function headOf(source: string): string {
  const lines = source.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines
    .slice(0, end)
    .map((line) => `${line.slice(3)}\n`)
    .join('');
}
