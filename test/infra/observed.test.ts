// What is watched is what is published, and what is published is what services have: alarms, charts and rules of scaling
// against the services' own registries. And what a checker of templates finds: nothing.

import { Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { deploymentSvg } from '../../docs/site/pictures/deployment.ts';
import { addStage, newApp } from '../../infra/app.ts';
import { readDeployment, STAGES } from '../../infra/config.ts';
import { namespaceOf, published, PUBLISHED } from '../../infra/observed.ts';
import { SCALED_SERVICES, type ScaledService } from '../../infra/scaling.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { aggregatorMetrics } from '../../services/aggregator/metrics.ts';
import { answerMetrics, gatewayMetrics } from '../../services/gateway/metrics.ts';
import { createRegistry, rpcMetrics } from '../../services/host/metrics.ts';
import { startPublishing } from '../../services/host/publishing.ts';
import { inferenceMetrics } from '../../services/inference/metrics.ts';
import { preprocessMetrics } from '../../services/preprocess/metrics.ts';
import { resourcesOf, TEMPLATES, textOf } from './templates.ts';

const FILL: Record<ScaledService, (registry: Registry) => void> = {
  gateway: (registry) => {
    gatewayMetrics(registry);
    answerMetrics(registry);
  },
  aggregator: (registry) => {
    rpcMetrics(registry, 'aggregator', ['m']);
    aggregatorMetrics(registry, () => 0);
  },
  preprocess: (registry) => {
    rpcMetrics(registry, 'preprocess', ['m']);
    preprocessMetrics(registry, { running: 0, waiting: 0 });
  },
  inference: (registry) => {
    rpcMetrics(registry, 'inference', ['m']);
    inferenceMetrics(registry).watch({ waitingViews: 0, queuedViews: 0 }, { planeBytes: 0 });
  },
};

test.each(SCALED_SERVICES)('%s has every metric that it is told to publish', async (service) => {
  const registry = createRegistry();
  FILL[service](registry);
  const lines: string[] = [];
  const stop = startPublishing({
    registry,
    service,
    config: { metricsPublish: PUBLISHED[service], metricsNamespace: 'test', metricsInterval: 60_000 },
    write: (line) => lines.push(line),
  });
  await stop();
  const names = new Set(lines.flatMap((line) => Object.keys(JSON.parse(line) as object)));
  // Of a label there is a value from the start, or there is none before the first event.
  for (const selector of PUBLISHED[service].filter((each) => !each.includes('{')))
    expect(names).toContain(selector);
});

// Every metric of a template, as it is named in alarms, policies and charts.
function metricsOf(
  value: unknown,
  found: { namespace: string; name: string; dimensions: Record<string, string> }[] = [],
) {
  if (Array.isArray(value)) for (const each of value as unknown[]) metricsOf(each, found);
  else if (typeof value === 'object' && value !== null) {
    const { Namespace, MetricName, Dimensions } = value as Record<string, unknown>;
    if (typeof Namespace === 'string' && typeof MetricName === 'string') {
      const dimensions = Object.fromEntries(
        ((Dimensions ?? []) as { Name: string; Value: unknown }[]).map(({ Name, Value }) => [
          Name,
          textOf(Value),
        ]),
      );
      found.push({ namespace: Namespace, name: MetricName, dimensions });
    }
    for (const each of Object.values(value)) metricsOf(each, found);
  }
  return found;
}

interface Chart {
  properties: { metrics?: unknown[][] };
}

describe.each(TEMPLATES)('$stage', ({ stage, serving }) => {
  const namespace = namespaceOf(stage);
  const isPublished = (name: string, { service = '', ...labels }: Record<string, string>) => {
    const [label] = Object.keys(labels);
    const selector = label === undefined ? name : `${name}{${label}}`;
    return PUBLISHED[service as ScaledService].includes(selector);
  };

  test('alarms and policies look at what is published, or at what AWS has', () => {
    const own = metricsOf([
      resourcesOf(serving, 'AWS::CloudWatch::Alarm'),
      resourcesOf(serving, 'AWS::ApplicationAutoScaling::ScalingPolicy'),
    ]).filter((each) => !/^(AWS|ECS)\//.test(each.namespace));
    expect(own.length).toBeGreaterThan(10);
    for (const { namespace: where, name, dimensions } of own) {
      expect(where).toBe(namespace);
      expect(isPublished(name, dimensions), name).toBe(true);
    }
  });

  test('charts show what is published, and all of it is shown or acted on', () => {
    const [dashboard] = Object.values(resourcesOf(serving, 'AWS::CloudWatch::Dashboard'));
    const { widgets } = JSON.parse(textOf(dashboard?.Properties['DashboardBody'])) as { widgets: Chart[] };
    const rows = widgets
      .flatMap(({ properties }) => properties.metrics ?? [])
      .filter(([where]) => where === namespace);
    expect(rows.length).toBeGreaterThan(40);
    for (const [, name, ...rest] of rows) {
      const dimensions: Record<string, string> = {};
      const texts = rest.filter((each): each is string => typeof each === 'string');
      for (let i = 0; i + 1 < texts.length; i += 2) dimensions[texts[i] ?? ''] = texts[i + 1] ?? '';
      expect(isPublished(String(name), dimensions), String(name)).toBe(true);
    }
  });

  test('each alarm that wakes somebody is explained in the how-to', () => {
    const page = readFileSync(join(packageRoot, 'docs/how-to/operate.md'), 'utf8');
    const waking = Object.values(resourcesOf(serving, 'AWS::CloudWatch::Alarm')).filter(
      ({ Properties }) => Properties['OKActions'] !== undefined,
    );
    expect(waking.length).toBeGreaterThan(10);
    for (const { Properties } of waking)
      expect(page).toContain(`\`${String(Properties['AlarmName']).replace(`vgg-serve-${stage}-`, '')}\``);
  });
});

test('a metric that is not published cannot be charted', () => {
  expect(() => published('dev', 'gateway', 'vgg_http_nothing_total', { statistic: 'Sum' })).toThrow(
    'vgg_http_nothing_total',
  );
});

test('cdk-nag finds nothing that is not acknowledged with its reason, whatever was chosen', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vgg-nag-'));
  const authority = join(folder, 'client-ca.pem');
  writeFileSync(authority, '');
  const chosen = {
    VGG_DEPLOY_SDK_CLIENT_CA: authority,
    VGG_DEPLOY_SPOT: 'on',
    VGG_DEPLOY_ALARM_EMAIL: 'a@example.org',
  };
  const app = newApp({ outdir: folder });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  for (const stage of STAGES) addStage(app, readDeployment(stage, chosen));
  app.synth();
  const report = readFileSync(join(folder, 'validation-report.json'), 'utf8');
  expect(JSON.parse(report)).toMatchObject({ title: 'Validation Report' });
  expect(report).not.toContain('"severity": "error"');
});

test('cdk-nag does look: what is open to the world is found', () => {
  const app = newApp({ outdir: mkdtempSync(join(tmpdir(), 'vgg-nag-')) });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  new Bucket(new Stack(app, 'Open'), 'Bucket');
  expect(() => app.synth()).toThrow('AwsSolutions-S1');
});

test('the picture of the deployment is drawn afresh: npm run docs:pictures', () => {
  expect(deploymentSvg()).toBe(readFileSync(join(packageRoot, 'docs/how-to/deployment.svg'), 'utf8'));
});
