// The same question elsewhere: on a command line, in TypeScript, in Python. Pure text from settings.

import type { Protocol } from '../../../vgg/views/evaluation.ts';
import { hasGrid, kebab, queryOf, queryText, DEFAULTS, type Settings } from './settings.ts';

/** What is asked, of whom. */
export interface Question {
  settings: Settings;
  protocol: Protocol;
  /** Name of the photo's file, and its media type. */
  photo: { name: string; type: string };
  /** Address of the gateway without a slash at its end. */
  origin: string;
  /** Whether the gateway asks for an API key; the key itself is never written down. */
  keyed: boolean;
}

/** For a shell. */
export function curl({ settings, protocol, photo, origin, keyed }: Question): string {
  const url = `${origin}/v1/classify?${queryText(queryOf(settings, protocol))}`;
  return [
    'curl',
    ...(keyed ? ['-H "Authorization: Bearer $VGG_API_KEY"'] : []),
    `-H ${quoted(`Content-Type: ${photo.type}`)}`,
    `--data-binary ${quoted(`@${photo.name}`)}`,
    quoted(url),
  ].join(' \\\n  ');
}

/** With the SDK, which speaks gRPC to the aggregator. */
export function typescript({ settings, protocol, photo, origin }: Question): string {
  const { hostname } = new URL(origin);
  const options = [
    ...(settings.models.length > 0 ? [`models: ${JSON.stringify(settings.models)}`] : []),
    `protocol: '${protocol}'`,
    ...(settings.scales.trim() === '' ? [] : [`scales: [${scalesOf(settings).join(', ')}]`]),
    ...(hasGrid(protocol) && settings.grid !== undefined ? [`grid: ${String(settings.grid)}`] : []),
    ...(settings.align === undefined ? [] : [`align: ${String(settings.align)}`]),
    ...(settings.exact ? ["stop: 'EXACT'"] : []),
    `top: ${String(settings.top)}`,
  ];
  return `import { createClient } from 'vgg-serve';

const client = createClient({ aggregator: '${hostname}:50051' });
const { predictions, timing } = await client.classify(${JSON.stringify(photo.name)}, {
${options.map((option) => `  ${option},`).join('\n')}
});
console.log(predictions, timing);
client.close();`;
}

/** With the requests library. */
export function python({ settings, protocol, photo, origin, keyed }: Question): string {
  const query = queryOf(settings, protocol);
  const params = [...new Set(query.keys())].map((name) => {
    const values = query.getAll(name);
    const [only = ''] = values;
    return `        ${JSON.stringify(name)}: ${values.length > 1 ? JSON.stringify(values) : JSON.stringify(only)},`;
  });
  const headers = [
    `"Content-Type": ${JSON.stringify(photo.type)}`,
    ...(keyed ? ['"Authorization": f"Bearer {os.environ[\'VGG_API_KEY\']}"'] : []),
  ];
  return `${keyed ? 'import os\n\n' : ''}import requests

with open(${JSON.stringify(photo.name)}, "rb") as photo:
    response = requests.post(
        "${origin}/v1/classify",
        params={
    ${params.join('\n    ')}
        },
        headers={${headers.join(', ')}},
        data=photo,
    )
response.raise_for_status()
for prediction in response.json()["predictions"]:
    print(f"{prediction['score']:.3f}  {prediction['label']}")`;
}

/** With this project's command line. */
export function cli({ settings, protocol, photo, origin }: Question): string {
  const { hostname } = new URL(origin);
  return [
    `vgg classify ${quoted(photo.name)}`,
    `--server ${hostname}:50051`,
    ...settings.models.map((model) => `--model ${quoted(model)}`),
    `--protocol ${kebab(protocol)}`,
    ...(settings.scales.trim() === '' ? [] : [`--scales ${scalesOf(settings).join(',')}`]),
    ...(hasGrid(protocol) && settings.grid !== undefined ? [`--grid ${String(settings.grid)}`] : []),
    ...(settings.align === undefined ? [] : [`--align ${String(settings.align)}`]),
    ...(settings.exact ? ['--stop exact'] : []),
    ...(settings.top === DEFAULTS.top ? [] : [`--top ${String(settings.top)}`]),
  ].join(' \\\n  ');
}

function scalesOf({ scales }: Settings): string[] {
  return scales.split(',').map((each) => each.trim());
}

// For a POSIX shell.
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
