// What the simulation predicts against what the services do, here and now:
//
//     node dist/bench/capacity.js --protocol multi-crop [--parts 0.3,0.5,0.7] [--rounds 4] [--seconds 60] [--out FILE [--later]]
//     node dist/bench/capacity.js --again FILE
//
// First everything is measured that the simulation needs, one stage at a time (engine, CPU of each service); then what
// the services can do at most; then at parts of that an open loop of Poisson arrivals is held, and simulated with the
// same arrivals. Inference has a core of this machine, and all the others have another one together: the generator
// too. So whatever else runs here must not: what others used is told. `--again` simulates a kept session
// once more, or one that was measured with `--later` for the first time.

import { readFileSync, writeFileSync } from 'node:fs';
import { compared, type Measurement } from './capacity/session.ts';
import { measureSession } from './capacity/measurement.ts';
import { parseOptions } from './options.ts';

const { values } = parseOptions(import.meta.url, {
  options: {
    protocol: { type: 'string', default: 'multi-crop' },
    parts: { type: 'string', default: '0.3,0.5,0.7' },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '4' },
    out: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    again: { type: 'string', default: '' },
    later: { type: 'boolean', default: false },
  },
});
const { protocol, parts, seconds, rounds, out, seed, again, later } = values;
const file = out === '' ? again : out;
const keep = (kept: object) => {
  if (file !== '') writeFileSync(file, `${JSON.stringify(kept)}\n`);
};

let measurement: Measurement;
if (again === '') {
  measurement = await measureSession({
    protocol,
    parts: parts.split(',').map(Number),
    rounds: Number(rounds),
    seconds: Number(seconds),
    seed: Number(seed),
    command: `node dist/bench/capacity.js --protocol ${protocol} --parts ${parts} --seconds ${seconds} --rounds ${rounds} --seed ${seed}`,
  });
  // Minutes of measuring must not be lost.
  keep({ measurement });
} else measurement = (JSON.parse(readFileSync(again, 'utf8')) as { measurement: Measurement }).measurement;
if (!later) {
  keep(
    await compared(measurement, (line) => {
      console.log(line);
    }),
  );
}
