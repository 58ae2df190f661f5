// vgg serve: all services in one process, for one machine.

import type { Command } from 'commander';
import { readConfig as gatewayConfig } from '../services/gateway/config.ts';
import { startGateway } from '../services/gateway/main.ts';
import { endOnSignals } from '../services/host/process.ts';
import { upstreamTls } from '../services/host/upstream-variables.ts';
import { createClient } from '../sdk/index.ts';
import { modelsFolder } from './models-folder.ts';
import { integer } from './options.ts';
import { startStack } from './stack.ts';
import { print } from './terminal.ts';

interface ServeFlags {
  models?: string;
  host: string;
  port: number;
  grpcPort: number;
  apiKeys?: string;
}

/** Adds the command. */
export function addServe(program: Command): void {
  program
    .command('serve')
    .description('serve all four services from this process: HTTP for apps, gRPC for the SDK')
    .option('--models <dir>', 'folder of models (default: $VGG_MODELS, or the one in the package)')
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option(
      '--port <n>',
      'HTTP port; 0 takes any free one',
      (text) => integer(text, '--port', 0, 65_535),
      8080,
    )
    .option(
      '--grpc-port <n>',
      'gRPC ports: aggregator, and the next two for preprocess and inference; 0 takes any free ones',
      (text) => integer(text, '--grpc-port', 0, 65_533),
      50051,
    )
    .option('--api-keys <file>', 'ask HTTP clients for a key; the file has "SHA256 name" a line')
    .addHelpText('after', '\nEverything else is set by environment variables: see docs/configuration.md.')
    .action(run);
}

async function run({ models, host, port, grpcPort, apiKeys }: ServeFlags): Promise<void> {
  const stack = await startStack({ models: modelsFolder(models), host, port: grpcPort });
  try {
    const config = gatewayConfig(process.env);
    const gateway = await startGateway({
      ...config,
      host,
      port,
      aggregator: stack.aggregator.address,
      inference: stack.inference.address,
      ...(apiKeys !== undefined && { apiKeys }),
    });
    endOnSignals(
      {
        drain: async () => {
          await gateway.drain();
          await stack.drain();
        },
        close: async () => {
          await Promise.all([gateway.close(), stack.close()]);
        },
      },
      stack.log,
    );
    const client = createClient({ inference: stack.inference.address, tls: upstreamTls(config) });
    const names = (await client.models()).map(({ name, network }) => `${name} (network ${network})`);
    client.close();
    const example = new URL('/v1/classify', gateway.url).href;
    print(`Serving ${names.join(', ')}

  HTTP    ${gateway.url}   in a browser: the page; reference at /docs/api
  gRPC    ${stack.aggregator.address}   aggregator: classify
          ${stack.preprocess.address}   preprocess: prepare
          ${stack.inference.address}   inference: score, models; Open Inference Protocol

Try it from another terminal:

  curl -H 'Content-Type: image/png' --data-binary @test/golden/photo.png '${example}'

Ctrl-C ends it.`);
  } catch (error) {
    await stack.close();
    throw error;
  }
}
