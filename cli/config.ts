// vgg config: every environment variable of every service, from the services' own declarations.

import type { Command } from 'commander';
import { aggregatorVariables } from '../services/aggregator/config.ts';
import { gatewayVariables } from '../services/gateway/config.ts';
import { describeEnv, type EnvDescription, type EnvSpec } from '../services/host/env.ts';
import { inferenceVariables } from '../services/inference/config.ts';
import { preprocessVariables } from '../services/preprocess/config.ts';
import { trainerVariables } from '../services/trainer/config.ts';
import { packageRoot } from '../proto/package-root.ts';
import { print, table } from './terminal.ts';

const SERVICES: [string, EnvSpec][] = [
  ['gateway', gatewayVariables],
  ['aggregator', aggregatorVariables],
  ['preprocess', preprocessVariables],
  ['inference', inferenceVariables],
  ['trainer', trainerVariables],
];

/** Adds the command. */
export function addConfig(program: Command): void {
  program
    .command('config')
    .description('list the environment variables of every service, with their defaults')
    .option('--markdown', 'as docs/configuration.md has them')
    .action(({ markdown }: { markdown?: boolean }) => {
      if (markdown) print(configurationPage());
      else for (const [service, spec] of SERVICES) printTable(service, spec);
    });
}

/** The page docs/configuration.md, without its last line break. */
export function configurationPage(): string {
  const sections = SERVICES.map(([service, spec]) => {
    const rows = describe(service, spec).map(
      ({ name, expects, default: value, description }) =>
        `| \`${name}\` | ${description} | ${expects} | ${value} |`,
    );
    return [
      `## ${service}`,
      '',
      '| variable | what | expects | default |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return [
    '# Configuration',
    '',
    'Each service reads environment variables once, at its start; a name that is not known or a value that is wrong stops the',
    'start and is named. This page is what `vgg config --markdown` prints. A variable without the name of a service (`VGG_MODELS`)',
    'is shared; any service may be given its own (`VGG_INFERENCE_MODELS`).',
    '',
    sections.join('\n\n'),
  ].join('\n');
}

function printTable(service: string, spec: EnvSpec): void {
  print(service);
  const rows = describe(service, spec).map(({ name, default: value, description }) => [
    name,
    value,
    description,
  ]);
  for (const line of table(['variable', 'default', 'what'], rows)) print(`  ${line}`);
  print();
}

// Defaults of this machine are not those of another.
function describe(service: string, spec: EnvSpec): EnvDescription[] {
  return describeEnv(service, spec).map((each) => ({
    ...each,
    default: each.name.endsWith('_DECODES')
      ? 'cores, at most 4'
      : each.default.replace(packageRoot, 'the package') || '—',
  }));
}
