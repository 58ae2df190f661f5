// vgg models describe NETWORK: what each layer makes of an image.

import type { Command } from 'commander';
import { describeNetwork, type NetworkDescription } from '../vgg/describe.ts';
import { NETWORK_NAMES, type NetworkSpec } from '../vgg/networks.ts';
import { integer, named, number } from './options.ts';
import { print, table, thousands } from './terminal.ts';

const ALIASES: Record<string, NetworkSpec['network']> = { VGG11: 'A', VGG13: 'B', VGG16: 'D', VGG19: 'E' };

interface DescribeFlags {
  width: number;
  hidden: number;
  classes: number;
  inputSize: number;
  size?: { width: number; height: number };
  batchNorm?: boolean;
  json?: boolean;
}

/** Adds the command. */
export function addDescribe(models: Command): void {
  models
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
    .option('--size <WxH>', 'image that the network sees, such as 512x384 (default: one crop)', (text) => {
      const [width = '', height = ''] = text.split('x');
      return { width: integer(width, '--size', 1, 16_384), height: integer(height, '--size', 1, 16_384) };
    })
    .option('--batch-norm', 'the training form with batch normalisation')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample: vgg models describe D --size 512x384')
    .action((name: string, { size, json, batchNorm, ...facts }: DescribeFlags) => {
      const upper = name.toUpperCase().replace(/_BN$/, '');
      const network =
        ALIASES[upper] ??
        named(NETWORK_NAMES, NETWORK_NAMES.find((each) => each.toUpperCase() === upper) ?? name, 'network');
      const spec = { network, ...facts, batchNorm: batchNorm ?? /_bn$/i.test(name) };
      const description = describeNetwork(spec, size);
      if (json) print(JSON.stringify(description));
      else for (const line of describeLines(description)) print(line);
    });
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
