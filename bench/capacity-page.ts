// Simulates what docs/capacity.md shows, and writes that page with its picture:
//
//     node dist/bench/capacity-page.js [--page-only]

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../proto/package-root.ts';
import { forecast, type Forecast } from './capacity/forecast.ts';
import { capacityPage, dayPicture } from './capacity/page.ts';
import { readSessions } from './capacity/sessions.ts';
import { parseOptions } from './options.ts';

const { values } = parseOptions(import.meta.url, {
  options: { 'page-only': { type: 'boolean', default: false } },
});
const folder = join(packageRoot, 'docs', 'capacity');
const file = join(folder, 'forecast.json');
if (!values['page-only']) {
  const made = await forecast((text) => {
    console.log(text);
  });
  writeFileSync(file, `${JSON.stringify(made, (_key, value: unknown) => rounded(value), 1)}\n`);
}
const read = JSON.parse(readFileSync(file, 'utf8')) as Forecast;
writeFileSync(join(folder, 'day.svg'), dayPicture(read));
writeFileSync(join(packageRoot, 'docs', 'capacity.md'), capacityPage(read, readSessions(folder)));

// Five digits are more than a simulation knows.
function rounded(value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}
