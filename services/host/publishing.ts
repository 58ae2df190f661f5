// Metrics of a registry as lines that CloudWatch reads metrics from: its embedded metric format. No agent beside the
// task, no port that anybody scrapes, no permission but that to write logs; so a service is heard of wherever its
// output goes, also while nothing it calls is there. Knows names and numbers, not what they mean.

import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';
import { VggError, expected } from '../../vgg/errors.ts';
import { systemClock, type Clock } from './deadline.ts';
import type { EnvValues } from './env.ts';
import { duration, list, text } from './variables.ts';

const SELECTOR = /^([a-zA-Z_]\w*)(?:\{([a-zA-Z_]\w*)\})?$/;

/** The variables of whoever publishes. */
export const publishingVariables = {
  metricsPublish: list({
    description:
      'Metrics that are printed for CloudWatch (embedded metric format, standard output): NAME, over all labels, or NAME{label}, by that one; without any, nothing is printed.',
    default: [],
    shared: true,
    expects: 'names of metrics between commas, such as vgg_ready or vgg_rpc_requests_total{code}',
    matches: SELECTOR,
  }),
  metricsNamespace: text({
    description: 'Namespace in CloudWatch of what is printed.',
    default: 'vgg-serve',
    shared: true,
    expects: '1 to 255 letters, digits and .-_/#:',
    matches: /^[\w.\-/#:]{1,255}$/,
  }),
  metricsInterval: duration({
    description: 'Time between two such lines; they fall on its multiples, whenever the process began.',
    default: 60_000,
    min: 1000,
    max: 3_600_000,
    shared: true,
  }),
};

/** Values of {@link publishingVariables}. */
export type PublishingConfig = EnvValues<typeof publishingVariables>;

/** What is published, and where to. */
export interface PublishingOptions {
  registry: Registry;
  /** Dimension of every metric. */
  service: string;
  config: PublishingConfig;
  clock?: Clock;
  /** Takes lines. Default: standard output, as logs go to standard error. */
  write?: (line: string) => void;
  onError?: (error: unknown) => void;
}

/** Dimension that every published metric has. */
export const SERVICE_DIMENSION = 'service';

interface Selector {
  name: string;
  label: string | undefined;
}

/**
 * Publishes until it is stopped. A counter is published as what it grew by since the last time, a gauge as it is, a
 * histogram as the growth of NAME_sum and NAME_count. Each line bears the time at which its interval began, so that
 * the lines of all tasks of a service meet in one period of CloudWatch.
 *
 * @returns stops it; what has grown since the last line is published first
 * @throws VggError INVALID_ARGUMENT for a name that the registry has not
 */
export function startPublishing(options: PublishingOptions): () => Promise<void> {
  const { registry, service, config, clock = systemClock, onError = () => undefined } = options;
  const { metricsInterval: interval, metricsNamespace: namespace } = config;
  const write = options.write ?? ((line: string) => process.stdout.write(line));
  const selectors = config.metricsPublish.map(parse);
  if (selectors.length === 0) return () => Promise.resolve();
  for (const { name } of selectors) {
    if (registry.getMetricsAsArray().some((metric) => seriesNames(metric).includes(name))) continue;
    throw expected(`a metric of ${service}`, name, 'VGG_METRICS_PUBLISH');
  }
  const grown = new Growth();
  let cancel = () => {};
  const publish = async (from: number) => {
    const metrics = (await registry.getMetricsAsJSON());
    for (const line of linesOf(selectors, metrics, grown)) {
      const { values, dimensions } = line;
      const directive = {
        Namespace: namespace,
        Dimensions: [[SERVICE_DIMENSION, ...Object.keys(dimensions)]],
        Metrics: Object.keys(values).map((Name) => ({ Name, Unit: unitOf(Name) })),
      };
      const _aws = { Timestamp: from, CloudWatchMetrics: [directive] };
      write(`${JSON.stringify({ _aws, [SERVICE_DIMENSION]: service, ...dimensions, ...values })}\n`);
    }
  };
  const schedule = () => {
    const from = Math.floor(clock.now() / interval) * interval;
    cancel = clock.after(from + interval - clock.now(), () => {
      // A timer may fire a moment early, and must then not fire twice.
      void publish(from).catch(onError).finally(schedule);
    });
  };
  schedule();
  return async () => {
    cancel();
    cancel = () => {};
    await publish(Math.floor(clock.now() / interval) * interval).catch(onError);
  };
}

/** The name and label of a selector, `NAME` or `NAME{label}`. */
function parse(selector: string): Selector {
  const [, name, label] = SELECTOR.exec(selector) ?? [];
  if (name === undefined) throw new VggError('INTERNAL', `Expected a selector but received ${selector}`);
  return { name, label };
}

/** The metric whose values a published name is: NAME_sum is a histogram's. */
function seriesNames(metric: object): string[] {
  const { name, buckets } = metric as { name: string; buckets?: unknown };
  return buckets === undefined ? [name] : [`${name}_sum`, `${name}_count`];
}

// What each counter had when it was last published.
class Growth {
  readonly #last = new Map<string, number>();

  since(key: string, value: number): number {
    const before = this.#last.get(key) ?? 0;
    this.#last.set(key, value);
    return value - before;
  }
}

interface Line {
  dimensions: Record<string, string>;
  values: Record<string, number>;
}

// One line for what has no label, one for each value of each label.
function linesOf(
  selectors: readonly Selector[],
  metrics: readonly MetricObjectWithValues<MetricValue<string>>[],
  grown: Growth,
): Line[] {
  const lines = new Map<string, Line>();
  for (const { name, label } of selectors) {
    for (const [value, total] of totals(name, label, metrics)) {
      const dimensions = label === undefined ? {} : { [label]: value };
      const key = JSON.stringify(dimensions);
      const line = lines.get(key) ?? { dimensions, values: {} };
      line.values[name] = total.grows ? grown.since(`${name}${key}`, total.sum) : total.sum;
      lines.set(key, line);
    }
  }
  return [...lines.values()];
}

// Sums of a metric's series by the values of a label; under '' without one.
function totals(
  name: string,
  label: string | undefined,
  metrics: readonly MetricObjectWithValues<MetricValue<string>>[],
): Map<string, { sum: number; grows: boolean }> {
  const sums = new Map<string, { sum: number; grows: boolean }>();
  for (const { name: own, type, values } of metrics) {
    const histogram = String(type) === 'histogram';
    if (histogram ? name !== `${own}_sum` && name !== `${own}_count` : name !== own) continue;
    const grows = histogram || String(type) === 'counter';
    if (label === undefined) sums.set('', { sum: 0, grows });
    for (const each of values) {
      const { metricName = own } = each as { metricName?: string };
      if (histogram && metricName !== name) continue;
      const value = label === undefined ? '' : String(each.labels[label] ?? '');
      const sum = (sums.get(value)?.sum ?? 0) + each.value;
      // CloudWatch takes no empty dimension.
      if (label === undefined || value !== '') sums.set(value, { sum, grows });
    }
  }
  return sums;
}

function unitOf(name: string): string {
  if (/_seconds(_sum)?$/.test(name)) return 'Seconds';
  return /_bytes$/.test(name) ? 'Bytes' : 'Count';
}
