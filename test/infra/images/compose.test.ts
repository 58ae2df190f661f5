// compose.yaml, held against the images and the services' variables.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../../../proto/package-root.ts';
import { aggregatorVariables } from '../../../services/aggregator/config.ts';
import { gatewayVariables } from '../../../services/gateway/config.ts';
import { describeEnv, type EnvSpec } from '../../../services/host/env.ts';
import { inferenceVariables } from '../../../services/inference/config.ts';
import { preprocessVariables } from '../../../services/preprocess/config.ts';
import { lastOf, readStages, wholeOf } from './dockerfile.ts';

interface Service {
  image: string;
  build: { dockerfile: string; target: string };
  read_only?: boolean;
  cap_drop?: string[];
  stop_grace_period?: string;
  environment?: Record<string, string | null>;
  ports?: string[];
  profiles?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string; required?: boolean }>;
  deploy?: { resources: { limits?: { memory?: string }; reservations?: { devices?: unknown[] } } };
}

const compose = parse(readFileSync(join(packageRoot, 'compose.yaml'), 'utf8'), { merge: true }) as {
  services: Record<string, Service>;
};
const { services } = compose;
const stages = readStages(readFileSync(join(packageRoot, 'infra/images/Dockerfile'), 'utf8'));
const VARIABLES: Record<string, EnvSpec> = {
  preprocess: preprocessVariables,
  aggregator: aggregatorVariables,
  gateway: gatewayVariables,
  inference: inferenceVariables,
};

describe.each(Object.entries(services))('service %s', (name, service) => {
  const kind = name.replace('-gpu', '');

  test('is built from a target that is there', () => {
    const { target } = service.build;
    expect(stages.map((stage) => stage.name)).toContain(target);
    expect(service.image).toMatch(new RegExp(`^vgg-serve/${target}:`));
  });

  test('has a read-only root, no capabilities, bounded memory, and time to drain', () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], stop_grace_period: '40s' });
    const variables = VARIABLES[kind] ?? {};
    expect(variables['drain']?.default).toBeLessThan(40_000);
    expect(service.deploy?.resources.limits?.memory).toBeDefined();
  });

  test('its variables are the service’s', () => {
    const known = describeEnv(kind, VARIABLES[kind] ?? {}).map((each) => each.name);
    const set = Object.keys(service.environment ?? {}).filter((each) => each.startsWith('VGG_'));
    expect(set.filter((each) => !known.includes(each))).toEqual([]);
  });

  test('whom it waits for is there, and can be healthy', () => {
    for (const [other, { condition, required = true }] of Object.entries(service.depends_on ?? {})) {
      const target = services[other]?.build.target ?? '';
      expect(condition).toBe('service_healthy');
      expect(lastOf(wholeOf(stages, target), 'HEALTHCHECK')).toContain('CMD');
      // One of a profile may not be wanted.
      expect(required).toBe(services[other]?.profiles === undefined);
    }
  });
});

test('only the gateway can be reached from outside, at this machine alone unless told otherwise', () => {
  const open = Object.entries(services).filter(([, { ports }]) => ports);
  expect(open.map(([name]) => name)).toEqual(['gateway']);
  expect(services['gateway']?.ports).toEqual(['${VGG_ADDRESS:-127.0.0.1}:${VGG_PORT:-8080}:8080']);
});

test('a GPU is reserved for the profile that says so', () => {
  const reserved = Object.entries(services).filter(
    ([, { deploy }]) => deploy?.resources.reservations?.devices,
  );
  expect(reserved.map(([name, { profiles }]) => [name, profiles])).toEqual([['inference-gpu', ['gpu']]]);
});
