// What is said of a simulation: that it is one, and nothing that was not simulated.

import { expect, test } from 'vitest';
import { steady } from '../../../loadtest/arrivals/curve.ts';
import { htmlReport } from '../../../loadtest/report/html.ts';
import { terminalReport } from '../../../loadtest/report/terminal.ts';
import { FREE } from '../../../loadtest/simulate/costs.ts';
import { predictedResult, simulate } from '../../../loadtest/simulate/simulate.ts';
import { fixed, photoOf, systemOf } from './systems.ts';

test('reports of a simulation call it one, and show what was simulated', async () => {
  const base = systemOf(fixed(30));
  // Decoding is no work of a service's loop, but of its process.
  const settings = {
    ...base,
    costs: {
      ...base.costs,
      preprocess: { ...FREE, call: 10 },
      pixels: { ...base.costs.pixels, decode: { call: 40, megapixel: 0 } },
    },
  };
  const simulation = await simulate({
    settings,
    kinds: [{ what: { protocol: 'MULTI_CROP', model: 'D' }, weight: 1 }],
    photos: ['photo'],
    plan: () => photoOf(50, 1, 10),
    load: { loop: 'open', spread: 'constant', curve: steady(5, 40) },
    warmUpSeconds: 0,
    seed: 1,
  });
  const result = predictedResult([simulation], {
    ...{ command: 'vgg simulate', startedAt: '2026-11-28T00:00:00.000Z', seed: 1 },
    photos: { count: 1, smallest: 2048, largest: 2048, total: 2048 },
    system: 'network D on a machine',
  });
  const [step] = result.steps;
  // A photo is 150 ms of the engine, and another comes after 200: looked at each second, all of one waits or none.
  expect(step?.server?.mostQueuedViews).toBeGreaterThan(0);
  expect(step?.server?.mostQueuedViews).toBeLessThanOrEqual(50);
  const cores = Object.fromEntries(step?.server?.cpu.map((each) => [each.process, each.cores]) ?? []);
  // Five photos a second of 50 ms.
  expect(cores['preprocess']).toBeCloseTo(0.25, 2);
  expect(cores['inference']).toBe(0);

  const terminal = terminalReport(result, { width: 120, colour: false }).join('\n');
  expect(terminal).toContain('Simulation of network D on a machine by grpc\nMULTI_CROP, D.');
  expect(terminal).toContain('preprocess 0.25 cores; inference 0.00 cores');
  const page = htmlReport(result);
  expect(page).toContain('<title>Simulation of network D on a machine, 2026-11-28');
  expect(page).toContain('1 photo of 2.00 KiB. Simulated for 40.0');
  expect(page).toContain('Nobody was asked: all of it was simulated.');
  for (const text of [terminal, page]) {
    for (const word of ['Load test', 'Node.js', 'MiB', 'resident memory', 'generator', 'retries of']) {
      expect(text).not.toContain(word);
    }
  }
});
