// All services in one process: what `serve` shows the world, and what the other commands use when no
// server is named. They talk over sockets here as anywhere; there is one road.

import { createLogger, type Logger } from '../services/host/log.ts';
import type { RunningServer } from '../services/host/serve.ts';
import { readConfig as aggregatorConfig } from '../services/aggregator/config.ts';
import { startAggregator } from '../services/aggregator/main.ts';
import { readConfig as inferenceConfig } from '../services/inference/config.ts';
import { startInference } from '../services/inference/main.ts';
import { readConfig as preprocessConfig } from '../services/preprocess/config.ts';
import { startPreprocess } from '../services/preprocess/main.ts';

/** How the services are started. */
export interface StackOptions {
  /** Folder of models. */
  models: string;
  /** Models to load; empty: those of the environment, or all. The first one is the default. */
  load?: readonly string[];
  /** Address that the services listen at. */
  host?: string;
  /**
   * Ports of aggregator, preprocess and inference: the first and the next two; 0: any that are free. Not given: the
   * services are this process's own, at any free ports, and talk in plain text whatever the environment says.
   */
  port?: number;
  /** Level of the services' logs. */
  logLevel?: 'silent' | 'info';
  env?: NodeJS.ProcessEnv;
}

/** Running services. */
export interface Stack {
  aggregator: RunningServer;
  preprocess: RunningServer;
  inference: RunningServer;
  log: Logger;
  /** Ends them in good order, first those that call others. */
  drain(): Promise<void>;
  /** Ends them at once. */
  close(): Promise<void>;
}

const PLAIN_TEXT = { tlsCert: undefined, tlsKey: undefined, tlsClientCa: undefined };

/** Starts preprocess, inference and aggregator; all are ready when this resolves. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { models, load = [], host = '127.0.0.1', port, env = process.env } = options;
  const inferenceEnv = inferenceConfig(env);
  const common = {
    host,
    ...(options.logLevel && { logLevel: options.logLevel }),
    ...(port === undefined && PLAIN_TEXT),
  };
  const at = (place: number) => (port === undefined || port === 0 ? 0 : port + place);
  const started: RunningServer[] = [];
  const close = async () => {
    await Promise.all(started.map((server) => server.close()));
  };
  const keep = async (starting: Promise<RunningServer>) => {
    const server = await starting;
    started.unshift(server);
    return server;
  };
  try {
    const [preprocess, inference] = await Promise.all([
      keep(startPreprocess({ ...preprocessConfig(env), ...common, port: at(1) })),
      keep(
        startInference({
          ...inferenceEnv,
          ...common,
          port: at(2),
          models,
          load: load.length > 0 ? load : inferenceEnv.load,
          defaultModel: load[0] ?? inferenceEnv.defaultModel,
        }),
      ),
    ]);
    const aggregator = await keep(
      startAggregator({
        ...aggregatorConfig(env),
        ...common,
        ...(port === undefined && { upstreamCa: undefined }),
        port: at(0),
        preprocess: preprocess.address,
        inference: inference.address,
      }),
    );
    return {
      aggregator,
      preprocess,
      inference,
      log: createLogger('vgg', common.logLevel),
      drain: async () => {
        for (const server of [aggregator, preprocess, inference]) await server.drain();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
