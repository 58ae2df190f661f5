// Every fault, briefly: right answers or the table's errors, whatever dies. Times are not looked at; how long it takes to be
// well again is what the command prints (docs/explanation/faults.md).

import { afterAll, expect, test } from 'vitest';
import { FAULTS } from './kinds/all.ts';
import { Runner } from './runner.ts';

const SEED = 7;
const TEST_MS = 120_000;

const runner = new Runner({
  seed: SEED,
  rate: 4,
  pace: { beforeMs: 300, holdMs: 600, afterMs: 300, silenceMs: 1500 },
  deadlineMs: 60_000,
  tell: () => undefined,
  complain: (line) => process.stderr.write(`${line}\n`),
});
afterAll(() => runner.close());

// Of faults that are alike for each service one is enough here; the command does all.
const BRIEFLY = [
  ...['kill-inference', 'kill-gateway', 'outage-inference', 'stop-aggregator', 'stop-preprocess'],
  ...['drain-preprocess', 'drain-inference', 'drain-aggregator', 'drain-gateway', 'memory-aggregator'],
  ...['model-flipped', 'disk-full', 'clock-aggregator', 'clock-inference'],
  ...['slow-latency', 'cut', 'half-open', 'certificate', 'names-gone'],
];

for (const fault of FAULTS.filter(({ name }) => BRIEFLY.includes(name))) {
  const reason = fault.missing?.();
  if (reason !== undefined) process.stderr.write(`${fault.name} is not tested: ${reason}\n`);
  test.skipIf(reason !== undefined)(
    `${fault.name}: ${fault.what}`,
    async () => {
      const { requests, wrong, violations } = await runner.run(fault);
      expect({ wrong, violations }).toEqual({ wrong: 0, violations: [] });
      expect(requests).toBeGreaterThan(0);
    },
    TEST_MS,
  );
}

test('those that are tested exist', () => {
  expect(BRIEFLY.filter((name) => FAULTS.every((fault) => fault.name !== name))).toEqual([]);
});
