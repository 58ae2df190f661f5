// Asks a service, by gRPC's own health protocol, whether it serves.

import type { MethodDefinition } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { VggError } from '../vgg/errors.ts';
import type { CallOptions } from './call-options.ts';
import type { ServiceCalls } from './service-calls.ts';

const check = service['Check'] as unknown as MethodDefinition<{ service: string }, { status: string }>;

/** False where it says so, or cannot be reached. */
export async function isServing(calls: ServiceCalls, options: CallOptions): Promise<boolean> {
  try {
    const { status } = await calls.unary(check, { service: '' }, options);
    return status === 'SERVING';
  } catch (error) {
    if (error instanceof VggError && ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.code)) return false;
    throw error;
  }
}
