// vgg models describe NETWORK: what each layer makes of an image, or what the views of a photo share at each layer.

import { Option, type Command } from 'commander';
import { describeNetwork, type NetworkDescription } from '../vgg/describe.ts';
import { NETWORK_NAMES, type NetworkSpec } from '../vgg/networks.ts';
import { defaultScales } from '../vgg/pack.ts';
import { photoSavings } from '../vgg/sharing/savings.ts';
import { tileOutputs } from '../vgg/sharing/tile-sides.ts';
import { resolveEvaluation, type Size } from '../vgg/views.ts';
import { savingsLines } from './describe-views.ts';
import { addViewOptions, evaluationOf, integer, named, number, type EvaluationFlags } from './options.ts';
import { print, table, thousands } from './terminal.ts';

const ALIASES: Record<string, NetworkSpec['network']> = { VGG11: 'A', VGG13: 'B', VGG16: 'D', VGG19: 'E' };

interface DescribeFlags extends EvaluationFlags {
  width: number;
  hidden: number;
  classes: number;
  inputSize: number;
  size?: Size;
  photo?: Size;
  batchNorm?: boolean;
  json?: boolean;
}

/** Adds the command. */
export function addDescribe(models: Command): void {
  const command = models
    .command('describe')
    .argument(
      '<network>',
      `${NETWORK_NAMES.join(', ')}; or vgg11, vgg13, vgg16, vgg19, with _bn for batch normalisation`,
    )
    .description('show output size, receptive field, parameters and products of each layer')
    .option(
      '--width <factor>',
      "multiplier of every convolution's width",
      (text) => number(text, '--width'),
      1,
    )
    .option('--hidden <n>', 'outputs of fc6 and fc7', (text) => integer(text, '--hidden', 1, 1_000_000), 4096)
    .option('--classes <n>', 'outputs of fc8', (text) => integer(text, '--classes', 1, 1_000_000), 1000)
    .option('--input-size <pixels>', 'side of a crop', (text) => integer(text, '--input-size', 32, 1024), 224)
    .option('--size <WxH>', 'image that the network sees, such as 512x384 (default: one crop)', (text) =>
      sizeOf(text, '--size'),
    )
    .addOption(
      new Option('--photo <WxH>', 'show instead what the views of a photo of this size share, and save')
        .argParser((text) => sizeOf(text, '--photo'))
        .conflicts('size'),
    );
  addViewOptions(command)
    .option('--batch-norm', 'the training form with batch normalisation')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  vgg models describe D --size 512x384\n  vgg models describe D --photo 640x480 --align 8',
    )
    .action((name: string, flags: DescribeFlags) => {
      const spec = specOf(name, flags);
      if (flags.photo) describeViews(spec, flags.photo, flags);
      else {
        const description = describeNetwork(spec, flags.size);
        if (flags.json) print(JSON.stringify(description));
        else for (const line of describeLines(description)) print(line);
      }
    });
}

function sizeOf(text: string, option: string): Size {
  const [width = '', height = ''] = text.split('x');
  return { width: integer(width, option, 1, 16_384), height: integer(height, option, 1, 16_384) };
}

function specOf(name: string, { width, hidden, classes, inputSize, batchNorm }: DescribeFlags): NetworkSpec {
  const upper = name.toUpperCase().replace(/_BN$/, '');
  const network =
    ALIASES[upper] ??
    named(NETWORK_NAMES, NETWORK_NAMES.find((each) => each.toUpperCase() === upper) ?? name, 'network');
  return { network, width, hidden, classes, inputSize, batchNorm: batchNorm ?? /_bn$/i.test(name) };
}

function describeViews(spec: NetworkSpec, photo: Size, flags: DescribeFlags): void {
  const { inputSize } = spec;
  const evaluation = resolveEvaluation(evaluationOf(flags), { inputSize, scales: defaultScales(inputSize) });
  const planes = photoSavings(spec, photo, evaluation, tileOutputs);
  if (flags.json) print(JSON.stringify({ spec, photo, evaluation, planes }));
  else for (const line of savingsLines(planes)) print(line);
}

/** A network as lines of text. */
export function describeLines({
  spec,
  layers,
  weightLayers,
  parameters,
  macs,
}: NetworkDescription): string[] {
  const rows = layers.map((layer) => [
    layer.name,
    layer.kind === 'lrn' ? 'LRN' : `${layer.kind} ${String(layer.kernel)}×${String(layer.kernel)}`,
    `${String(layer.height)}×${String(layer.width)}×${String(layer.channels)}`,
    layer.receptiveField,
    layer.stride,
    thousands(layer.parameters),
    (layer.macs / 1e6).toFixed(1),
  ]);
  const bn = spec.batchNorm ? ', batch-normalised' : '';
  return [
    `network ${spec.network}${bn}: ${String(weightLayers)} weight layers, ${thousands(parameters)} parameters, ${(macs / 1e9).toFixed(3)} GMAC`,
    '',
    ...table(['layer', 'kind', 'output', 'field', 'stride', 'parameters', 'MMAC'], rows),
  ];
}
