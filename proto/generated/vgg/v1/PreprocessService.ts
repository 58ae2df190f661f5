// Original file: proto/vgg/v1/preprocess_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { PrepareRequest as _vgg_v1_PrepareRequest, PrepareRequest__Output as _vgg_v1_PrepareRequest__Output } from '../../vgg/v1/PrepareRequest.ts';
import type { PrepareResponse as _vgg_v1_PrepareResponse, PrepareResponse__Output as _vgg_v1_PrepareResponse__Output } from '../../vgg/v1/PrepareResponse.ts';

/**
 * Decodes a photo and cuts the views that an evaluation asks for.
 */
export interface PreprocessServiceClient extends grpc.Client {
  /**
   * One message per plane, sent as soon as it is ready; or, with realise FLOAT32_CROPS,
   * several per plane, each with a run of finished crops.
   */
  Prepare(argument: _vgg_v1_PrepareRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_vgg_v1_PrepareResponse__Output>;
  Prepare(argument: _vgg_v1_PrepareRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_vgg_v1_PrepareResponse__Output>;
  /**
   * One message per plane, sent as soon as it is ready; or, with realise FLOAT32_CROPS,
   * several per plane, each with a run of finished crops.
   */
  prepare(argument: _vgg_v1_PrepareRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_vgg_v1_PrepareResponse__Output>;
  prepare(argument: _vgg_v1_PrepareRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_vgg_v1_PrepareResponse__Output>;
  
}

/**
 * Decodes a photo and cuts the views that an evaluation asks for.
 */
export interface PreprocessServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * One message per plane, sent as soon as it is ready; or, with realise FLOAT32_CROPS,
   * several per plane, each with a run of finished crops.
   */
  Prepare: grpc.handleServerStreamingCall<_vgg_v1_PrepareRequest__Output, _vgg_v1_PrepareResponse>;
  
}

export interface PreprocessServiceDefinition extends grpc.ServiceDefinition {
  Prepare: MethodDefinition<_vgg_v1_PrepareRequest, _vgg_v1_PrepareResponse, _vgg_v1_PrepareRequest__Output, _vgg_v1_PrepareResponse__Output>
}
