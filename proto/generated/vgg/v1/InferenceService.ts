// Original file: proto/vgg/v1/inference_service.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetModelRequest as _vgg_v1_GetModelRequest, GetModelRequest__Output as _vgg_v1_GetModelRequest__Output } from '../../vgg/v1/GetModelRequest.ts';
import type { GetModelResponse as _vgg_v1_GetModelResponse, GetModelResponse__Output as _vgg_v1_GetModelResponse__Output } from '../../vgg/v1/GetModelResponse.ts';
import type { ListModelsRequest as _vgg_v1_ListModelsRequest, ListModelsRequest__Output as _vgg_v1_ListModelsRequest__Output } from '../../vgg/v1/ListModelsRequest.ts';
import type { ListModelsResponse as _vgg_v1_ListModelsResponse, ListModelsResponse__Output as _vgg_v1_ListModelsResponse__Output } from '../../vgg/v1/ListModelsResponse.ts';
import type { ScoreRequest as _vgg_v1_ScoreRequest, ScoreRequest__Output as _vgg_v1_ScoreRequest__Output } from '../../vgg/v1/ScoreRequest.ts';
import type { ScoreResponse as _vgg_v1_ScoreResponse, ScoreResponse__Output as _vgg_v1_ScoreResponse__Output } from '../../vgg/v1/ScoreResponse.ts';

/**
 * Scores views with the models that are loaded.
 */
export interface InferenceServiceClient extends grpc.Client {
  /**
   * One model, or the default one.
   */
  GetModel(argument: _vgg_v1_GetModelRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_GetModelResponse__Output>): grpc.ClientUnaryCall;
  GetModel(argument: _vgg_v1_GetModelRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_vgg_v1_GetModelResponse__Output>): grpc.ClientUnaryCall;
  GetModel(argument: _vgg_v1_GetModelRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_GetModelResponse__Output>): grpc.ClientUnaryCall;
  GetModel(argument: _vgg_v1_GetModelRequest, callback: grpc.requestCallback<_vgg_v1_GetModelResponse__Output>): grpc.ClientUnaryCall;
  /**
   * One model, or the default one.
   */
  getModel(argument: _vgg_v1_GetModelRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_GetModelResponse__Output>): grpc.ClientUnaryCall;
  getModel(argument: _vgg_v1_GetModelRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_vgg_v1_GetModelResponse__Output>): grpc.ClientUnaryCall;
  getModel(argument: _vgg_v1_GetModelRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_GetModelResponse__Output>): grpc.ClientUnaryCall;
  getModel(argument: _vgg_v1_GetModelRequest, callback: grpc.requestCallback<_vgg_v1_GetModelResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * The models that are loaded, the default one first.
   */
  ListModels(argument: _vgg_v1_ListModelsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  ListModels(argument: _vgg_v1_ListModelsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_vgg_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  ListModels(argument: _vgg_v1_ListModelsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  ListModels(argument: _vgg_v1_ListModelsRequest, callback: grpc.requestCallback<_vgg_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  /**
   * The models that are loaded, the default one first.
   */
  listModels(argument: _vgg_v1_ListModelsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  listModels(argument: _vgg_v1_ListModelsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_vgg_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  listModels(argument: _vgg_v1_ListModelsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_vgg_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  listModels(argument: _vgg_v1_ListModelsRequest, callback: grpc.requestCallback<_vgg_v1_ListModelsResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * First message: options. Then one message per plane. Answers one message per view, in the
   * order in which the views are computed; a view is answered at most once.
   */
  Score(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_vgg_v1_ScoreRequest, _vgg_v1_ScoreResponse__Output>;
  Score(options?: grpc.CallOptions): grpc.ClientDuplexStream<_vgg_v1_ScoreRequest, _vgg_v1_ScoreResponse__Output>;
  /**
   * First message: options. Then one message per plane. Answers one message per view, in the
   * order in which the views are computed; a view is answered at most once.
   */
  score(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_vgg_v1_ScoreRequest, _vgg_v1_ScoreResponse__Output>;
  score(options?: grpc.CallOptions): grpc.ClientDuplexStream<_vgg_v1_ScoreRequest, _vgg_v1_ScoreResponse__Output>;
  
}

/**
 * Scores views with the models that are loaded.
 */
export interface InferenceServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * One model, or the default one.
   */
  GetModel: grpc.handleUnaryCall<_vgg_v1_GetModelRequest__Output, _vgg_v1_GetModelResponse>;
  
  /**
   * The models that are loaded, the default one first.
   */
  ListModels: grpc.handleUnaryCall<_vgg_v1_ListModelsRequest__Output, _vgg_v1_ListModelsResponse>;
  
  /**
   * First message: options. Then one message per plane. Answers one message per view, in the
   * order in which the views are computed; a view is answered at most once.
   */
  Score: grpc.handleBidiStreamingCall<_vgg_v1_ScoreRequest__Output, _vgg_v1_ScoreResponse>;
  
}

export interface InferenceServiceDefinition extends grpc.ServiceDefinition {
  GetModel: MethodDefinition<_vgg_v1_GetModelRequest, _vgg_v1_GetModelResponse, _vgg_v1_GetModelRequest__Output, _vgg_v1_GetModelResponse__Output>
  ListModels: MethodDefinition<_vgg_v1_ListModelsRequest, _vgg_v1_ListModelsResponse, _vgg_v1_ListModelsRequest__Output, _vgg_v1_ListModelsResponse__Output>
  Score: MethodDefinition<_vgg_v1_ScoreRequest, _vgg_v1_ScoreResponse, _vgg_v1_ScoreRequest__Output, _vgg_v1_ScoreResponse__Output>
}
