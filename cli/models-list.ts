// vgg models list: what is in a folder of models, and which published releases can be pulled into one.

import type { Command } from 'commander';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CATALOGUE,
  publishedBytes,
  publishedFile,
  publishedFor,
  publishedSpec,
  type PublishedRelease,
} from '../models/catalogue.ts';
import { listModels, openModel, type OpenModel } from '../models/store.ts';
import { asVggError } from '../vgg/errors.ts';
import { parameterCount } from '../vgg/networks.ts';
import { modelsFolder } from './models-folder.ts';
import { columns, cut, print, say, size, table, thousands } from './terminal.ts';

interface ListFlags {
  models?: string;
  json?: boolean;
  installed?: boolean;
  available?: boolean;
}

/** Adds the command. */
export function addModelsList(models: Command): void {
  models
    .command('list')
    .description('list the models in a folder, and published ones that can be pulled')
    .option('--models <dir>', 'folder of models (default: $VGG_MODELS, or the one in the package)')
    .option('--installed', 'only those in the folder')
    .option('--available', 'only those that can be pulled')
    .option('--json', 'print one JSON object a model, with installed: true or false')
    .addHelpText('after', '\nExamples:\n  vgg models list\n  vgg models list --models ./models --installed')
    .action(list);
}

async function list(flags: ListFlags): Promise<void> {
  const { json = false, installed = false, available = false } = flags;
  const folder = modelsFolder(flags.models);
  const both = installed === available;
  const models = both || installed ? await installedModels(folder, { mustExist: !both }) : [];
  const present = models.map(({ json: facts }) => publishedFor(facts));
  const releases = both || available ? CATALOGUE.filter((release) => !present.includes(release)) : [];
  if (json) await printJson(models, releases);
  else await printTables(folder, models, releases, both);
}

// One model that cannot be read does not hide the others.
async function installedModels(folder: string, { mustExist }: { mustExist: boolean }): Promise<OpenModel[]> {
  const exists = (await stat(folder).catch(() => undefined)) !== undefined;
  const names = exists || mustExist ? await listModels(folder) : [];
  const models: OpenModel[] = [];
  for (const name of names) {
    try {
      models.push(await openModel(join(folder, name)));
    } catch (error) {
      say(`${name}: ${asVggError(error).message}`);
      process.exitCode = 1;
    }
  }
  return models;
}

async function printJson(models: readonly OpenModel[], releases: readonly PublishedRelease[]): Promise<void> {
  for (const model of models) {
    const facts = {
      parameters: parameterCount(model.spec),
      bytes: (await stat(model.weightsPath)).size,
      dtypes: dtypesOf(model),
    };
    print(JSON.stringify({ installed: true, ...model.json, ...facts }));
  }
  for (const release of releases) {
    const facts = {
      parameters: parameterCount(publishedSpec(release)),
      bytes: release.bytes ?? null,
      file: publishedFile(release),
    };
    print(JSON.stringify({ installed: false, ...release, ...facts }));
  }
}

async function printTables(
  folder: string,
  models: readonly OpenModel[],
  releases: readonly PublishedRelease[],
  titles: boolean,
): Promise<void> {
  if (models.length > 0) {
    if (titles) print(`In ${folder}:\n`);
    for (const line of await installedTable(models)) print(line);
  } else if (titles) say(`No models in ${folder}`);
  if (releases.length === 0) return;
  if (titles) print(`${models.length > 0 ? '\n' : ''}To be had with vgg models pull NAME:\n`);
  for (const line of availableTable(releases)) print(line);
}

async function installedTable(models: readonly OpenModel[]): Promise<string[]> {
  const rows = await Promise.all(
    models.map(async (model) => [
      model.name,
      `${model.spec.network}${model.spec.width === 1 ? '' : ` ${String(model.spec.width)}`}`,
      model.spec.classes,
      model.spec.inputSize,
      short(parameterCount(model.spec)),
      size((await stat(model.weightsPath)).size),
      dtypesOf(model).join('+'),
      cut(model.json.licence.replace(/^(BSD-\d|CC-BY).*$/, '$1') || '–', 10),
    ]),
  );
  const header = ['name', 'network', 'classes', 'input', 'params', 'size', 'type', 'licence'];
  return table(header, rows, columns());
}

function availableTable(releases: readonly PublishedRelease[]): string[] {
  const rows = releases.map((release) => [
    release.name,
    release.publisher,
    `${release.network}${release.batchNorm ? ' + BN' : ''}`,
    size(publishedBytes(release)),
    `${release.reported.top1.toFixed(1)} / ${release.reported.top5.toFixed(1)}`.padStart(11),
    release.licence,
  ]);
  const header = ['name', 'publisher', 'network', 'size', 'top-1/5 err', 'licence'];
  return table(header, rows, columns());
}

function dtypesOf({ tensors }: OpenModel): string[] {
  return [...new Set(tensors.map(({ dtype }) => dtype))];
}

// 138,357,544 → 138.4 M: one number too many for 80 columns otherwise.
function short(parameters: number): string {
  return parameters < 1e6 ? thousands(parameters) : `${(parameters / 1e6).toFixed(1)} M`;
}
