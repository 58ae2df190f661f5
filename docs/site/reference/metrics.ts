// docs/reference/metrics.md: every series of every service, from the registries that the services themselves fill.

import type { Registry } from 'prom-client';
import { aggregatorMetrics } from '../../../services/aggregator/metrics.ts';
import { gatewayMetrics } from '../../../services/gateway/metrics.ts';
import { createRegistry, rpcMetrics } from '../../../services/host/metrics.ts';
import { inferenceMetrics } from '../../../services/inference/metrics.ts';
import { preprocessMetrics } from '../../../services/preprocess/metrics.ts';
import { code, opening, page, plain, table } from './markdown.ts';

const SERVICES: [name: string, where: string, fill: (registry: Registry) => void][] = [
  ['gateway', 'At `/metrics` of its own port.', (registry) => gatewayMetrics(registry)],
  [
    'aggregator',
    'At `/metrics` of `VGG_AGGREGATOR_METRICS_PORT`.',
    (registry) => aggregatorMetrics(registry, () => 0),
  ],
  [
    'preprocess',
    'At `/metrics` of `VGG_PREPROCESS_METRICS_PORT`.',
    (registry) => preprocessMetrics(registry, { running: 0, waiting: 0 }),
  ],
  [
    'inference',
    'At `/metrics` of `VGG_INFERENCE_METRICS_PORT`.',
    (registry) => {
      inferenceMetrics(registry).watch({ waitingViews: 0, queuedViews: 0 }, { planeBytes: 0 });
    },
  ],
  [
    'every gRPC service',
    'aggregator, preprocess and inference; `service` says which.',
    (registry) => rpcMetrics(registry, 'service', []),
  ],
];

/** The page. */
export async function metricsPage(): Promise<string> {
  const sections = await Promise.all(
    SERVICES.map(async ([name, where, fill]) => {
      const registry = createRegistry();
      fill(registry);
      return `## ${name}\n\n${where}\n\n${await metricsTable(registry)}`;
    }),
  );
  return page(
    opening(
      'Metrics',
      'What Prometheus finds. A histogram `NAME` has the series `NAME_bucket`, `NAME_sum` and `NAME_count`. Counters of known labels begin\nat 0, so that a rate sees the first event. [Monitor](../how-to/monitor.md) says which of them to look at.',
    ),
    ...sections,
    '## the process\n\nEvery process also has the usual `process_*` and `nodejs_*` series of\nprom-client: CPU, memory, open files, event loop lag, garbage collection. Of a process that holds several services, such as\n`vgg serve`, the gateway has them.',
  );
}

async function metricsTable(registry: Registry): Promise<string> {
  const described = await registry.getMetricsAsJSON();
  const labels = new Map(
    registry.getMetricsAsArray().map((metric) => {
      const { name, labelNames = [] } = metric as unknown as { name: string; labelNames?: readonly string[] };
      return [name, labelNames];
    }),
  );
  return table(
    ['name', 'type', 'labels', 'what'],
    described.map(({ name, type, help }) => [
      code(name),
      String(type),
      (labels.get(name) ?? []).map(code).join(', '),
      plain(help),
    ]),
  );
}
