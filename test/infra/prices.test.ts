// What machines cost, by hand, and files that say otherwise.

import { describe, expect, test } from 'vitest';
import { fargateHour, instanceHour, PRICES, readPrices } from '../../infra/prices.ts';

test('an instance costs its price and the fee, which spot does not lower', () => {
  // 0.8048 + 0.12 · 0.8048; 0.35 + 0.12 · 0.8048
  expect(instanceHour(PRICES, 'g6.xlarge')).toBeCloseTo(0.901376, 9);
  expect(instanceHour(PRICES, 'g6.xlarge', true)).toBeCloseTo(0.446576, 9);
});

test('a Fargate task costs its cores and its memory', () => {
  // 2 · 0.04048 + 4 · 0.004445
  expect(fargateHour(PRICES, { vcpu: 2, memoryGb: 4 })).toBeCloseTo(0.09874, 9);
  expect(fargateHour(PRICES, { vcpu: 2, memoryGb: 4 }, 'arm')).toBeCloseTo(0.079, 9);
});

test('an instance that the table has not is refused, with those that it has', () => {
  expect(() => instanceHour(PRICES, 'g9.xlarge')).toThrow(
    /g4dn\.xlarge.*received 'g9\.xlarge'|g4dn\.xlarge.*g9\.xlarge/,
  );
});

describe('a file', () => {
  test('replaces what it names and leaves the rest', () => {
    const prices = readPrices('{"date": "2027-01-01", "instances": {"g6.xlarge": {"spot": 0.3}}}');
    expect(prices.instances['g6.xlarge']).toEqual({ ...PRICES.instances['g6.xlarge'], spot: 0.3 });
    expect(prices.instances['g5.xlarge']).toEqual(PRICES.instances['g5.xlarge']);
    expect(prices.date).toBe('2027-01-01');
  });

  test('may bring an instance type of its own', () => {
    const text = JSON.stringify({
      date: '2027-01-01',
      instances: {
        mine: { vcpu: 8, memoryGb: 32, onDemand: 2, spot: 1, gpu: { name: 'X', count: 1, memoryGb: 40 } },
      },
    });
    expect(instanceHour(readPrices(text), 'mine')).toBeCloseTo(2.24, 9);
  });

  test.each([
    ['no JSON', 'gold', /Expected JSON/],
    ['a list', '[]', /Expected an object/],
    ['no date', '{}', /prices\.date/],
    [
      'a negative price',
      '{"date":"2027-01-01","nat":{"gb":-1}}',
      /number ≥ 0 but received -1 \(prices\.nat\.gb\)/,
    ],
    ['a text for a number', '{"date":"2027-01-01","nat":{"gb":"1"}}', /prices\.nat\.gb/],
    ['an unknown part', '{"date":"2027-01-01","nut":{}}', /nut/],
    [
      'half an instance',
      '{"date":"2027-01-01","instances":{"mine":{"vcpu":1}}}',
      /prices\.instances\.mine\.memoryGb/,
    ],
  ])('with %s is refused', (_name, text, message) => {
    expect(() => readPrices(text)).toThrow(message);
  });
});
