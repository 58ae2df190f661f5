// Every fault, in the order of the table; those of one topology together, as each has its own processes.

import type { Fault } from '../fault.ts';
import { certificates } from './certificate.ts';
import { clocks } from './clock.ts';
import { deaths, outages } from './death.ts';
import { disks } from './disk.ts';
import { drains } from './drain.ts';
import { memories } from './memory.ts';
import { models } from './model.ts';
import { names } from './names.ts';
import { networks } from './network.ts';
import { standstills } from './standstill.ts';

/** Every fault. */
export const FAULTS: readonly Fault[] = [
  ...deaths,
  ...outages,
  ...standstills,
  ...drains,
  ...memories,
  ...models,
  ...disks,
  ...clocks,
  ...networks,
  ...certificates,
  ...names,
];
