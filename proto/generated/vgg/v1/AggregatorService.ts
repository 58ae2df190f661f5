// Original file: proto/vgg/v1/aggregator_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AverageRequest as _vgg_v1_AverageRequest, AverageRequest__Output as _vgg_v1_AverageRequest__Output } from '../../vgg/v1/AverageRequest.ts';
import type { AverageResponse as _vgg_v1_AverageResponse, AverageResponse__Output as _vgg_v1_AverageResponse__Output } from '../../vgg/v1/AverageResponse.ts';
import type { ClassifyRequest as _vgg_v1_ClassifyRequest, ClassifyRequest__Output as _vgg_v1_ClassifyRequest__Output } from '../../vgg/v1/ClassifyRequest.ts';
import type { ClassifyResponse as _vgg_v1_ClassifyResponse, ClassifyResponse__Output as _vgg_v1_ClassifyResponse__Output } from '../../vgg/v1/ClassifyResponse.ts';
import type { ClassifyStreamRequest as _vgg_v1_ClassifyStreamRequest, ClassifyStreamRequest__Output as _vgg_v1_ClassifyStreamRequest__Output } from '../../vgg/v1/ClassifyStreamRequest.ts';
import type { ClassifyStreamResponse as _vgg_v1_ClassifyStreamResponse, ClassifyStreamResponse__Output as _vgg_v1_ClassifyStreamResponse__Output } from '../../vgg/v1/ClassifyStreamResponse.ts';

/**
 * Answers "what is in this photo?".
 */
export interface AggregatorServiceClient extends grpc.Client {
  /**
   * The weighted mean of posteriors that the caller brings.
   */
  Average(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_AverageResponse__Output>): grpc.ClientWritableStream<_vgg_v1_AverageRequest>;
  Average(metadata: grpc.Metadata, callback: grpc.requestCallback<_vgg_v1_AverageResponse__Output>): grpc.ClientWritableStream<_vgg_v1_AverageRequest>;
  Average(options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_AverageResponse__Output>): grpc.ClientWritableStream<_vgg_v1_AverageRequest>;
  Average(callback: grpc.requestCallback<_vgg_v1_AverageResponse__Output>): grpc.ClientWritableStream<_vgg_v1_AverageRequest>;
  /**
   * The weighted mean of posteriors that the caller brings.
   */
  average(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_AverageResponse__Output>): grpc.ClientWritableStream<_vgg_v1_AverageRequest>;
  average(metadata: grpc.Metadata, callback: grpc.requestCallback<_vgg_v1_AverageResponse__Output>): grpc.ClientWritableStream<_vgg_v1_AverageRequest>;
  average(options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_AverageResponse__Output>): grpc.ClientWritableStream<_vgg_v1_AverageRequest>;
  average(callback: grpc.requestCallback<_vgg_v1_AverageResponse__Output>): grpc.ClientWritableStream<_vgg_v1_AverageRequest>;
  
  /**
   * The answer for a photo.
   */
  Classify(argument: _vgg_v1_ClassifyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_ClassifyResponse__Output>): grpc.ClientUnaryCall;
  Classify(argument: _vgg_v1_ClassifyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_vgg_v1_ClassifyResponse__Output>): grpc.ClientUnaryCall;
  Classify(argument: _vgg_v1_ClassifyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_ClassifyResponse__Output>): grpc.ClientUnaryCall;
  Classify(argument: _vgg_v1_ClassifyRequest, callback: grpc.requestCallback<_vgg_v1_ClassifyResponse__Output>): grpc.ClientUnaryCall;
  /**
   * The answer for a photo.
   */
  classify(argument: _vgg_v1_ClassifyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_ClassifyResponse__Output>): grpc.ClientUnaryCall;
  classify(argument: _vgg_v1_ClassifyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_vgg_v1_ClassifyResponse__Output>): grpc.ClientUnaryCall;
  classify(argument: _vgg_v1_ClassifyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_ClassifyResponse__Output>): grpc.ClientUnaryCall;
  classify(argument: _vgg_v1_ClassifyRequest, callback: grpc.requestCallback<_vgg_v1_ClassifyResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * The running answer as views arrive; the last message has the one that Classify gives.
   */
  ClassifyStream(argument: _vgg_v1_ClassifyStreamRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_vgg_v1_ClassifyStreamResponse__Output>;
  ClassifyStream(argument: _vgg_v1_ClassifyStreamRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_vgg_v1_ClassifyStreamResponse__Output>;
  /**
   * The running answer as views arrive; the last message has the one that Classify gives.
   */
  classifyStream(argument: _vgg_v1_ClassifyStreamRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_vgg_v1_ClassifyStreamResponse__Output>;
  classifyStream(argument: _vgg_v1_ClassifyStreamRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_vgg_v1_ClassifyStreamResponse__Output>;
  
}

/**
 * Answers "what is in this photo?".
 */
export interface AggregatorServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * The weighted mean of posteriors that the caller brings.
   */
  Average: grpc.handleClientStreamingCall<_vgg_v1_AverageRequest__Output, _vgg_v1_AverageResponse>;
  
  /**
   * The answer for a photo.
   */
  Classify: grpc.handleUnaryCall<_vgg_v1_ClassifyRequest__Output, _vgg_v1_ClassifyResponse>;
  
  /**
   * The running answer as views arrive; the last message has the one that Classify gives.
   */
  ClassifyStream: grpc.handleServerStreamingCall<_vgg_v1_ClassifyStreamRequest__Output, _vgg_v1_ClassifyStreamResponse>;
  
}

export interface AggregatorServiceDefinition extends grpc.ServiceDefinition {
  Average: MethodDefinition<_vgg_v1_AverageRequest, _vgg_v1_AverageResponse, _vgg_v1_AverageRequest__Output, _vgg_v1_AverageResponse__Output>
  Classify: MethodDefinition<_vgg_v1_ClassifyRequest, _vgg_v1_ClassifyResponse, _vgg_v1_ClassifyRequest__Output, _vgg_v1_ClassifyResponse__Output>
  ClassifyStream: MethodDefinition<_vgg_v1_ClassifyStreamRequest, _vgg_v1_ClassifyStreamResponse, _vgg_v1_ClassifyStreamRequest__Output, _vgg_v1_ClassifyStreamResponse__Output>
}
