// Rules over hand-made datapoints: alarms, steps, target tracking, cooldowns, and which policy decides.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SCALED_SERVICES, SCALING, type ScalingRule, type StepRule } from '../../../infra/scaling.ts';
import {
  inAlarm,
  scaled,
  scalerState,
  type Datapoint,
  type ScalerState,
} from '../../../infra/scaling/autoscaler.ts';

const { inference } = SCALING;
const { gateway } = SCALING;
const [wake, surge, busy, idle] = inference.rules;
if (!wake || !surge || !busy || !idle) throw new Error('Expected four rules of inference');
const ANY = { min: 0, max: 100 };
const MINUTE = 60;

/** Minutes of datapoints, one list a rule; the tasks wanted after each. */
function course(
  rules: readonly ScalingRule[],
  tasks: number,
  minutes: readonly (readonly Datapoint[])[],
  bounds = ANY,
): number[] {
  let state: ScalerState = scalerState(rules, tasks);
  return minutes.map((datapoints, i) => {
    state = scaled(rules, bounds, state, datapoints, i * MINUTE);
    return state.desired;
  });
}

function each(count: number, ...datapoints: Datapoint[]): Datapoint[][] {
  return Array.from({ length: count }, () => datapoints);
}

describe('from zero', () => {
  test('one minute with a view that waits starts a task; more views start two', () => {
    expect(course([wake], 0, [[0], [1]])).toEqual([0, 1]);
    expect(course([wake], 0, [[1023]])).toEqual([1]);
    expect(course([wake], 0, [[1025]])).toEqual([2]);
  });

  test('what lasts is not asked for again within the cooldown, and a larger step only adds the rest', () => {
    expect(course([wake], 0, each(4, 10))).toEqual([1, 1, 1, 1]);
    expect(course([wake], 0, [[10], [2000], [2000]])).toEqual([1, 2, 2]);
  });

  test('its metric is silent as soon as a task is wanted', () => {
    const value = (series: Record<string, Datapoint>) =>
      (wake.metric as { value: (series: Record<string, Datapoint>) => Datapoint }).value(series);
    expect(value({ backlog: 150, lost: 4, tasks: 0 })).toBe(154);
    expect(value({ backlog: 150, lost: 4 })).toBe(154);
    expect(value({ asked: 1, tasks: 0 })).toBe(1);
    expect(value({ backlog: 150, lost: 4, asked: 1, tasks: 1 })).toBe(0);
  });
});

describe('a crowd', () => {
  test('two minutes beyond an eighth of the queue add half, beyond half of it double', () => {
    expect(course([surge], 4, each(2, 600))).toEqual([4, 6]);
    expect(course([surge], 4, each(2, 2048))).toEqual([4, 8]);
  });

  test('at least one task is added', () => {
    expect(course([surge], 1, each(2, 600))).toEqual([1, 2]);
  });

  test('one minute is none', () => {
    expect(course([surge], 4, [[600], [0], [600], [undefined], [600]])).toEqual([4, 4, 4, 4, 4]);
  });
});

describe('target tracking', () => {
  test('three minutes above the target scale out in proportion', () => {
    expect(course([busy], 4, each(3, 100))).toEqual([4, 4, 6]);
    expect(course([busy], 4, [[100], [100], [60], [100], [100]])).toEqual([4, 4, 4, 4, 4]);
  });

  test('at the target nothing happens', () => {
    expect(course([busy], 4, each(30, 70)).at(-1)).toBe(4);
  });

  test('fifteen minutes below nine tenths of it scale in, in proportion, not fourteen', () => {
    const tasks = course([busy], 10, each(15, 35));
    expect(tasks.slice(0, 14)).toEqual(Array.from({ length: 14 }, () => 10));
    expect(tasks[14]).toBe(5);
    expect(course([busy], 10, each(60, 64)).at(-1)).toBe(10);
  });

  test('a minute without data holds everything', () => {
    expect(course([busy], 4, [[100], [100], [undefined], [100], [100], [100]])).toEqual([4, 4, 4, 4, 4, 6]);
  });

  test('a service of CPU follows its CPU', () => {
    expect(course(gateway.rules, 2, each(3, 90))).toEqual([2, 2, 3]);
  });
});

describe('to zero', () => {
  test('fifteen minutes without a view end the last task, not fourteen', () => {
    const tasks = course([idle], 1, each(15, 0));
    expect(tasks[13]).toBe(1);
    expect(tasks[14]).toBe(0);
  });

  test('one view begins the count anew', () => {
    expect(course([idle], 1, [...each(10, 0), [1], ...each(14, 0)]).at(-1)).toBe(1);
  });

  test('missing data is no idleness', () => {
    expect(course([idle], 1, each(30, undefined)).at(-1)).toBe(1);
  });

  test('the least number holds', () => {
    expect(course([idle], 1, each(20, 0), { min: 1, max: 4 }).at(-1)).toBe(1);
  });
});

test('of several rules the one that gives the most tasks decides', () => {
  const both = [surge, busy];
  // The surge doubles; a minute later tracking asks eight for 8 · 100 / 70.
  expect(course(both, 4, each(3, 2048, 100))).toEqual([4, 8, 12]);
  expect(course(both, 4, each(3, 0, 100))).toEqual([4, 4, 6]);
  expect(course([busy, idle], 4, each(15, 35, 0)).at(-1)).toBe(2);
});

test('desired tasks stay within bounds whatever comes', () => {
  const datapoint = fc.option(fc.double({ min: 0, max: 1e5, noNaN: true }), { nil: undefined });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(datapoint, datapoint, datapoint, datapoint), { maxLength: 60 }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 3, max: 9 }),
      (minutes, min, max) => {
        for (const tasks of course(inference.rules, 3, minutes, { min, max })) {
          expect(Number.isInteger(tasks)).toBe(true);
          expect(tasks).toBeGreaterThanOrEqual(min);
          expect(tasks).toBeLessThanOrEqual(max);
        }
      },
    ),
  );
});

describe('what CloudWatch accepts', () => {
  const rules = SCALED_SERVICES.flatMap((service) => SCALING[service].rules);
  const steps = rules.filter((rule): rule is StepRule => rule.type === 'step');

  test.each(steps)(
    '$name: steps neither overlap nor leave gaps, and start at the threshold',
    ({ steps: all, comparison }) => {
      const above = comparison === 'GreaterThanOrEqualToThreshold';
      expect(above ? all[0]?.lower : all.at(-1)?.upper).toBe(0);
      expect(above ? all.at(-1)?.upper : all[0]?.lower).toBeUndefined();
      for (const [i, step] of all.entries()) if (i > 0) expect(step.lower).toBe(all[i - 1]?.upper);
    },
  );

  test.each(steps)('$name: no more datapoints than periods', ({ datapointsToAlarm, evaluationPeriods }) => {
    expect(datapointsToAlarm).toBeLessThanOrEqual(evaluationPeriods);
  });

  test('an expression gives what the simulation computes', () => {
    const numbers = fc.double({ min: 0, max: 1e6, noNaN: true });
    for (const { metric } of rules) {
      if (typeof metric === 'string') continue;
      const names = Object.keys(metric.metrics);
      fc.assert(
        fc.property(fc.array(numbers, { minLength: names.length, maxLength: names.length }), (values) => {
          const series = Object.fromEntries(names.map((name, i) => [name, values[i] ?? 0]));
          const value = metric.value(series);
          if (value !== undefined) expect(value).toBeCloseTo(metricMath(metric.expression, series), 6);
        }),
      );
    }
  });
});

test('missing datapoints breach only if they are said to', () => {
  const rule = idle as StepRule;
  expect(inAlarm({ ...rule, treatMissingData: 'breaching' }, [])).toBe(true);
  expect(inAlarm(rule, [])).toBe(false);
});

// The part of CloudWatch's metric math that the rules use: IF, FILL, +, *, /, < and brackets, where all series have data.
function metricMath(expression: string, series: Record<string, number>): number {
  const tokens = expression.match(/[A-Za-z]+|[\d.]+|[-+*/<>(),]/g) ?? [];
  let place = 0;
  const take = (token: string) => (tokens[place] === token ? ((place += 1), true) : false);
  const atom = (): number => {
    const token = tokens[place++] ?? '';
    if (token === '(') {
      const value = comparison();
      take(')');
      return value;
    }
    if (token === 'IF' || token === 'FILL') {
      take('(');
      const values = [comparison()];
      while (take(',')) values.push(comparison());
      take(')');
      const [first = 0, second = 0, third = 0] = values;
      return token === 'FILL' ? first : first !== 0 ? second : third;
    }
    return series[token] ?? Number(token);
  };
  const product = (): number => {
    let value = atom();
    for (;;) {
      if (take('*')) value *= atom();
      else if (take('/')) value /= atom();
      else return value;
    }
  };
  const sum = (): number => {
    let value = product();
    while (take('+')) value += product();
    return value;
  };
  const comparison = (): number => {
    const value = sum();
    return take('<') ? Number(value < sum()) : value;
  };
  return comparison();
}
