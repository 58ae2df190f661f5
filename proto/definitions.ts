// The contract as JavaScript: the .proto files, loaded once, with their generated types.

import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { join } from 'node:path';
import type { BadRequest, BadRequest__Output } from './generated/google/rpc/BadRequest.ts';
import type { ErrorInfo, ErrorInfo__Output } from './generated/google/rpc/ErrorInfo.ts';
import type { Status, Status__Output } from './generated/google/rpc/Status.ts';
import type { GRPCInferenceServiceDefinition } from './generated/inference/GRPCInferenceService.ts';
import type { AggregatorServiceDefinition } from './generated/vgg/v1/AggregatorService.ts';
import type { InferenceServiceDefinition } from './generated/vgg/v1/InferenceService.ts';
import type { PreprocessServiceDefinition } from './generated/vgg/v1/PreprocessService.ts';
import { packageRoot } from './package-root.ts';

/** Everything that the .proto files define; the options match those of the type generator. */
export const packageDefinition = loadSync(
  [
    'vgg/v1/preprocess_service.proto',
    'vgg/v1/inference_service.proto',
    'vgg/v1/aggregator_service.proto',
    'inference/grpc_service.proto',
    'google/rpc/status.proto',
  ],
  {
    includeDirs: [join(packageRoot, 'proto')],
    longs: Number,
    enums: String,
    defaults: true,
    arrays: true,
    oneofs: true,
  },
);

function message<Input extends object, Output extends object>(
  name: string,
): MessageTypeDefinition<Input, Output> {
  return packageDefinition[name] as unknown as MessageTypeDefinition<Input, Output>;
}

export const preprocessService = packageDefinition[
  'vgg.v1.PreprocessService'
] as unknown as PreprocessServiceDefinition;
export const inferenceService = packageDefinition[
  'vgg.v1.InferenceService'
] as unknown as InferenceServiceDefinition;
export const aggregatorService = packageDefinition[
  'vgg.v1.AggregatorService'
] as unknown as AggregatorServiceDefinition;
export const openInferenceService = packageDefinition[
  'inference.GRPCInferenceService'
] as unknown as GRPCInferenceServiceDefinition;

export const statusMessage = message<Status, Status__Output>('google.rpc.Status');
export const errorInfoMessage = message<ErrorInfo, ErrorInfo__Output>('google.rpc.ErrorInfo');
export const badRequestMessage = message<BadRequest, BadRequest__Output>('google.rpc.BadRequest');
