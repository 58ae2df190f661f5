// vgg models show NAME: what a model is, where it comes from, what its publisher reports of it.

import type { Command } from 'commander';
import { stat } from 'node:fs/promises';
import {
  CATALOGUE,
  publishedBytes,
  publishedFile,
  publishedFor,
  publishedSpec,
  type PublishedRelease,
} from '../models/catalogue.ts';
import { digestText } from '../models/digest.ts';
import { listModels, type OpenModel } from '../models/store.ts';
import { describeNetwork, type NetworkDescription } from '../vgg/describe.ts';
import { parameterCount } from '../vgg/networks.ts';
import { defaultScales } from '../vgg/pack.ts';
import { describeLines } from './describe.ts';
import { modelsFolder, openNamed } from './models-folder.ts';
import { columns, print, size, thousands, wrap } from './terminal.ts';

type Line = readonly [name: string, value: string];

/** Adds the command. */
export function addModelsShow(models: Command): void {
  models
    .command('show')
    .argument('<name>', 'name of a model, or of a published release')
    .description('show what a model is, and where it comes from')
    .option('--models <dir>', 'folder of models (default: $VGG_MODELS, or the one in the package)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExamples:\n  vgg models show caltech-101-d\n  vgg models show torchvision-vgg16')
    .action(async (name: string, flags: { models?: string; json?: boolean }) => {
      const folder = modelsFolder(flags.models);
      const release = CATALOGUE.find((each) => each.name === name);
      const names = await listModels(folder).catch((): string[] => []);
      if (release && !names.includes(name)) showRelease(release, flags.json ?? false);
      else await showModel(await openNamed(folder, name), flags.json ?? false);
    });
}

async function showModel(model: OpenModel, json: boolean): Promise<void> {
  const { json: facts, spec, labels, tensors, weightsPath } = model;
  const published = publishedFor(facts);
  if (json) {
    print(JSON.stringify({ installed: true, ...facts, parameters: parameterCount(spec), labels, published }));
    return;
  }
  const types = [...new Set(tensors.map(({ dtype }) => dtype))].join(', ');
  const { source } = facts;
  const description = describeNetwork(spec);
  printLines([
    ['name', facts.name],
    ['file', weightsPath],
    ['size', `${size((await stat(weightsPath)).size)}, stored as ${types}`],
    ['sha256', facts.sha256],
    ['licence', facts.licence || 'not known'],
    ['provenance', facts.provenance || 'not known'],
    ...(source
      ? ([
          ['made of', `${source.file}: ${source.layout}`],
          ...(source.url === undefined ? [] : [['from', source.url] as const]),
          ['its sha256', source.sha256],
        ] as const)
      : []),
    ...(published ? reportedLines(published) : []),
    ['mean', facts.mean.map((level) => level.toFixed(2)).join(', ')],
    ['scales', facts.scales.join(', ')],
    ['kernel', facts.kernel],
    [
      'classes',
      `${String(facts.classes)}: ${labels.slice(0, 6).join(', ')}${labels.length > 6 ? ', …' : ''}`,
    ],
    ...networkLines(description),
  ]);
  print();
  for (const line of describeLines(description)) print(line);
}

function showRelease(release: PublishedRelease, json: boolean): void {
  const { name, publisher, licence, page, url, digest, layout, batchNorm, bytes, mean, kernel } = release;
  const spec = publishedSpec(release);
  if (json) {
    const file = publishedFile(release);
    print(JSON.stringify({ installed: false, ...release, file, parameters: parameterCount(spec) }));
    return;
  }
  const description = describeNetwork(spec);
  printLines([
    ['name', `${name} (not installed)`],
    ['publisher', publisher],
    ['page', page],
    ['from', url],
    ['size', `${bytes === undefined ? 'about ' : ''}${size(publishedBytes(release))}`],
    ['digest', digest === 'host' ? 'what the host states with the file (X-Linked-ETag)' : digestText(digest)],
    ['licence', licence],
    ...reportedLines(release),
    ['layout', `${layout}${batchNorm ? '; batch normalisation is folded into the convolutions' : ''}`],
    ['mean', mean.map((level) => level.toFixed(2)).join(', ')],
    ['scales', defaultScales(release.inputSize).join(', ')],
    ['kernel', kernel],
    ['classes', `${String(release.classes)} of ILSVRC-2012`],
    ...networkLines(description),
  ]);
  print();
  for (const line of describeLines(description)) print(line);
  print(`\nTo have it: vgg models pull ${name}`);
}

function reportedLines({ publisher, reported: { top1, top5, measured } }: PublishedRelease): Line[] {
  return [
    ['reported', `error ${top1.toFixed(1)} % top-1, ${top5.toFixed(1)} % top-5 (${publisher}; ${measured})`],
  ];
}

// What the network is in Table 1 of the paper, and what one view costs.
function networkLines({ spec, weightLayers, parameters, macs, layers }: NetworkDescription): Line[] {
  const field = layers.find(({ name }) => name === 'fc6')?.receptiveField ?? 0;
  const where =
    spec.network === 'B-5x5'
      ? "the shallow net of the paper's Section 2.3"
      : `column ${spec.network} of the paper's Table 1`;
  const width = spec.width === 1 ? '' : `, ${String(spec.width)} of its width`;
  return [
    ['network', `${where}, ${String(weightLayers)} weight layers${width}`],
    ['parameters', thousands(parameters)],
    ['sees', `${String(field)} pixels square at each location of the score map`],
    [
      'costs',
      `${(macs / 1e9).toFixed(3)} GMAC a view of ${String(spec.inputSize)} × ${String(spec.inputSize)}`,
    ],
  ];
}

function printLines(lines: readonly Line[]): void {
  for (const [name, value] of lines) {
    for (const [i, line] of wrap(value, columns() - 12).entries()) {
      print(`${(i === 0 ? name : '').padEnd(11)} ${line}`);
    }
  }
}
