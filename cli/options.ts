// Options that several commands share, and how their texts become values. Ranges are checked by the services.

import { Option, type Command } from 'commander';
import { join } from 'node:path';
import { packageRoot } from '../proto/package-root.ts';
import { expected } from '../vgg/errors.ts';
import {
  KERNELS,
  PROTOCOLS,
  SCORE_ORDERS,
  SHARES,
  STOPS,
  type Evaluation,
  type Protocol,
  type Share,
  type Stop,
} from '../vgg/views.ts';

/** Values of {@link addEvaluationOptions}, as commander gives them. */
export interface EvaluationFlags {
  protocol?: Protocol;
  scales?: number[];
  grid?: number;
  align?: number;
  kernel?: Evaluation['kernel'];
  perLocation?: boolean;
  share?: Share;
  stop?: Stop;
}

/** The models that are in the package. */
export const EMBEDDED_MODELS = join(packageRoot, 'models');

/** --protocol, --scales, --grid, --align, --kernel, --per-location. */
export function addEvaluationOptions(command: Command): Command {
  return addViewOptions(command)
    .addOption(
      new Option('--kernel <name>', `resize kernel: ${KERNELS.join(', ')} (default: the model's)`).argParser(
        (text) => named(KERNELS, text.toLowerCase(), '--kernel'),
      ),
    )
    .option(
      '--per-location',
      `softmax at each location, then mean (${SCORE_ORDERS[1]}); default is mean, then softmax`,
    );
}

/** --protocol, --scales, --grid, --align: which views there are. */
export function addViewOptions(command: Command): Command {
  const protocols = PROTOCOLS.map(kebab).join(', ');
  return addGeometryOptions(
    command.addOption(
      new Option('--protocol <name>', `which views are scored: ${protocols} (default: multi-crop)`).argParser(
        (text) => protocolOf(text, '--protocol'),
      ),
    ),
  );
}

/** --scales, --grid, --align: where the views of a protocol are. */
export function addGeometryOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--scales <list>',
        "smallest sides of the planes in pixels, such as 256,384,512 (default: the model's)",
      ).argParser((text) => text.split(',').map((each, i) => number(each, `--scales[${String(i)}]`))),
    )
    .addOption(
      new Option('--grid <n>', 'crops along each side for multi-crop (default: 5)').argParser((text) =>
        number(text, '--grid'),
      ),
    )
    .addOption(
      new Option(
        '--align <n>',
        "crop offsets are multiples of this many pixels; 1: the paper's regular grid (default: 8 for grids, else 1)",
      ).argParser((text) => number(text, '--align')),
    );
}

/** --share, of commands that score. */
export function shareOption(): Option {
  const words = SHARES.map(kebab);
  return new Option(
    `--share <${words.join('|')}>`,
    'off: each view by itself, as the paper; auto: what views have in common is computed once where that is quicker (default: auto)',
  ).argParser((text): Share => {
    const word = named(words, text.toLowerCase(), '--share');
    return SHARES.find((each) => kebab(each) === word) ?? 'AUTO';
  });
}

/** --stop, of commands that give answers. */
export function stopOption(): Option {
  const words = STOPS.map(kebab);
  return new Option(
    `--stop <${words.join('|')}>`,
    'exact: stop as soon as the views left could not change the first prediction; its score and the others differ from the whole answer (default: none)',
  ).argParser((text): Stop => {
    const word = named(words, text.toLowerCase(), '--stop');
    return STOPS.find((each) => kebab(each) === word) ?? 'NONE';
  });
}

/** The evaluation that the flags ask for; what is not given is left out. */
export function evaluationOf({
  protocol,
  scales,
  grid,
  align,
  kernel,
  perLocation,
  share,
  stop,
}: EvaluationFlags): Partial<Evaluation> {
  return {
    ...(protocol && { protocol }),
    ...(scales && { scales }),
    ...(grid !== undefined && { grid }),
    ...(align !== undefined && { align }),
    ...(kernel && { kernel }),
    ...(perLocation && { scoreOrder: 'SOFTMAX_THEN_MEAN' as const }),
    ...(share && { share }),
    ...(stop && { stop }),
  };
}

/** MULTI_CROP → multi-crop. */
export function kebab(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** A number. @throws VggError INVALID_ARGUMENT naming the option */
export function number(text: string, option: string): number {
  const value = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(value)) throw expected('a number', text, option);
  return value;
}

/** A whole number in a range. @throws VggError INVALID_ARGUMENT naming the option */
export function integer(text: string, option: string, least: number, most: number): number {
  const value = number(text, option);
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw expected(`a whole number from ${String(least)} to ${String(most)}`, text, option);
  }
  return value;
}

/** One of a few words. @throws VggError INVALID_ARGUMENT naming the option */
export function named<const Name extends string>(names: readonly Name[], text: string, option: string): Name {
  const name = names.find((each) => each === text);
  if (!name) throw expected(`one of ${names.join(', ')}`, text, option);
  return name;
}

/** A protocol, in any case, with - or _. @throws VggError INVALID_ARGUMENT naming the option */
export function protocolOf(text: string, option: string): Protocol {
  const name = PROTOCOLS.find((each) => kebab(each) === kebab(text));
  if (!name) throw expected(`one of ${PROTOCOLS.map(kebab).join(', ')}`, text, option);
  return name;
}
