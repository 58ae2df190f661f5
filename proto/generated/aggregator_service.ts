import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AggregatorServiceClient as _vgg_v1_AggregatorServiceClient, AggregatorServiceDefinition as _vgg_v1_AggregatorServiceDefinition } from './vgg/v1/AggregatorService.ts';
import type { Answer as _vgg_v1_Answer, Answer__Output as _vgg_v1_Answer__Output } from './vgg/v1/Answer.ts';
import type { AverageOptions as _vgg_v1_AverageOptions, AverageOptions__Output as _vgg_v1_AverageOptions__Output } from './vgg/v1/AverageOptions.ts';
import type { AverageRequest as _vgg_v1_AverageRequest, AverageRequest__Output as _vgg_v1_AverageRequest__Output } from './vgg/v1/AverageRequest.ts';
import type { AverageResponse as _vgg_v1_AverageResponse, AverageResponse__Output as _vgg_v1_AverageResponse__Output } from './vgg/v1/AverageResponse.ts';
import type { CancelScore as _vgg_v1_CancelScore, CancelScore__Output as _vgg_v1_CancelScore__Output } from './vgg/v1/CancelScore.ts';
import type { ClassifyRequest as _vgg_v1_ClassifyRequest, ClassifyRequest__Output as _vgg_v1_ClassifyRequest__Output } from './vgg/v1/ClassifyRequest.ts';
import type { ClassifyResponse as _vgg_v1_ClassifyResponse, ClassifyResponse__Output as _vgg_v1_ClassifyResponse__Output } from './vgg/v1/ClassifyResponse.ts';
import type { ClassifyStreamRequest as _vgg_v1_ClassifyStreamRequest, ClassifyStreamRequest__Output as _vgg_v1_ClassifyStreamRequest__Output } from './vgg/v1/ClassifyStreamRequest.ts';
import type { ClassifyStreamResponse as _vgg_v1_ClassifyStreamResponse, ClassifyStreamResponse__Output as _vgg_v1_ClassifyStreamResponse__Output } from './vgg/v1/ClassifyStreamResponse.ts';
import type { Evaluation as _vgg_v1_Evaluation, Evaluation__Output as _vgg_v1_Evaluation__Output } from './vgg/v1/Evaluation.ts';
import type { GetModelRequest as _vgg_v1_GetModelRequest, GetModelRequest__Output as _vgg_v1_GetModelRequest__Output } from './vgg/v1/GetModelRequest.ts';
import type { GetModelResponse as _vgg_v1_GetModelResponse, GetModelResponse__Output as _vgg_v1_GetModelResponse__Output } from './vgg/v1/GetModelResponse.ts';
import type { InferenceServiceClient as _vgg_v1_InferenceServiceClient, InferenceServiceDefinition as _vgg_v1_InferenceServiceDefinition } from './vgg/v1/InferenceService.ts';
import type { ListModelsRequest as _vgg_v1_ListModelsRequest, ListModelsRequest__Output as _vgg_v1_ListModelsRequest__Output } from './vgg/v1/ListModelsRequest.ts';
import type { ListModelsResponse as _vgg_v1_ListModelsResponse, ListModelsResponse__Output as _vgg_v1_ListModelsResponse__Output } from './vgg/v1/ListModelsResponse.ts';
import type { Model as _vgg_v1_Model, Model__Output as _vgg_v1_Model__Output } from './vgg/v1/Model.ts';
import type { Plane as _vgg_v1_Plane, Plane__Output as _vgg_v1_Plane__Output } from './vgg/v1/Plane.ts';
import type { Prediction as _vgg_v1_Prediction, Prediction__Output as _vgg_v1_Prediction__Output } from './vgg/v1/Prediction.ts';
import type { PreparedPlane as _vgg_v1_PreparedPlane, PreparedPlane__Output as _vgg_v1_PreparedPlane__Output } from './vgg/v1/PreparedPlane.ts';
import type { Rectangle as _vgg_v1_Rectangle, Rectangle__Output as _vgg_v1_Rectangle__Output } from './vgg/v1/Rectangle.ts';
import type { Rgb as _vgg_v1_Rgb, Rgb__Output as _vgg_v1_Rgb__Output } from './vgg/v1/Rgb.ts';
import type { ScoreMap as _vgg_v1_ScoreMap, ScoreMap__Output as _vgg_v1_ScoreMap__Output } from './vgg/v1/ScoreMap.ts';
import type { ScoreOptions as _vgg_v1_ScoreOptions, ScoreOptions__Output as _vgg_v1_ScoreOptions__Output } from './vgg/v1/ScoreOptions.ts';
import type { ScoreRequest as _vgg_v1_ScoreRequest, ScoreRequest__Output as _vgg_v1_ScoreRequest__Output } from './vgg/v1/ScoreRequest.ts';
import type { ScoreResponse as _vgg_v1_ScoreResponse, ScoreResponse__Output as _vgg_v1_ScoreResponse__Output } from './vgg/v1/ScoreResponse.ts';
import type { Timing as _vgg_v1_Timing, Timing__Output as _vgg_v1_Timing__Output } from './vgg/v1/Timing.ts';
import type { View as _vgg_v1_View, View__Output as _vgg_v1_View__Output } from './vgg/v1/View.ts';
import type { ViewScore as _vgg_v1_ViewScore, ViewScore__Output as _vgg_v1_ViewScore__Output } from './vgg/v1/ViewScore.ts';
import type { WeightedPosterior as _vgg_v1_WeightedPosterior, WeightedPosterior__Output as _vgg_v1_WeightedPosterior__Output } from './vgg/v1/WeightedPosterior.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  vgg: {
    v1: {
      /**
       * Answers "what is in this photo?".
       */
      AggregatorService: SubtypeConstructor<typeof grpc.Client, _vgg_v1_AggregatorServiceClient> & { service: _vgg_v1_AggregatorServiceDefinition }
      Answer: MessageTypeDefinition<_vgg_v1_Answer, _vgg_v1_Answer__Output>
      AverageOptions: MessageTypeDefinition<_vgg_v1_AverageOptions, _vgg_v1_AverageOptions__Output>
      AverageRequest: MessageTypeDefinition<_vgg_v1_AverageRequest, _vgg_v1_AverageRequest__Output>
      AverageResponse: MessageTypeDefinition<_vgg_v1_AverageResponse, _vgg_v1_AverageResponse__Output>
      CancelScore: MessageTypeDefinition<_vgg_v1_CancelScore, _vgg_v1_CancelScore__Output>
      ClassifyRequest: MessageTypeDefinition<_vgg_v1_ClassifyRequest, _vgg_v1_ClassifyRequest__Output>
      ClassifyResponse: MessageTypeDefinition<_vgg_v1_ClassifyResponse, _vgg_v1_ClassifyResponse__Output>
      ClassifyStreamRequest: MessageTypeDefinition<_vgg_v1_ClassifyStreamRequest, _vgg_v1_ClassifyStreamRequest__Output>
      ClassifyStreamResponse: MessageTypeDefinition<_vgg_v1_ClassifyStreamResponse, _vgg_v1_ClassifyStreamResponse__Output>
      Evaluation: MessageTypeDefinition<_vgg_v1_Evaluation, _vgg_v1_Evaluation__Output>
      GetModelRequest: MessageTypeDefinition<_vgg_v1_GetModelRequest, _vgg_v1_GetModelRequest__Output>
      GetModelResponse: MessageTypeDefinition<_vgg_v1_GetModelResponse, _vgg_v1_GetModelResponse__Output>
      /**
       * Scores views with the models that are loaded.
       */
      InferenceService: SubtypeConstructor<typeof grpc.Client, _vgg_v1_InferenceServiceClient> & { service: _vgg_v1_InferenceServiceDefinition }
      Kernel: EnumTypeDefinition
      ListModelsRequest: MessageTypeDefinition<_vgg_v1_ListModelsRequest, _vgg_v1_ListModelsRequest__Output>
      ListModelsResponse: MessageTypeDefinition<_vgg_v1_ListModelsResponse, _vgg_v1_ListModelsResponse__Output>
      Model: MessageTypeDefinition<_vgg_v1_Model, _vgg_v1_Model__Output>
      Plane: MessageTypeDefinition<_vgg_v1_Plane, _vgg_v1_Plane__Output>
      Prediction: MessageTypeDefinition<_vgg_v1_Prediction, _vgg_v1_Prediction__Output>
      PreparedPlane: MessageTypeDefinition<_vgg_v1_PreparedPlane, _vgg_v1_PreparedPlane__Output>
      Priority: EnumTypeDefinition
      Protocol: EnumTypeDefinition
      Rectangle: MessageTypeDefinition<_vgg_v1_Rectangle, _vgg_v1_Rectangle__Output>
      Rgb: MessageTypeDefinition<_vgg_v1_Rgb, _vgg_v1_Rgb__Output>
      ScoreMap: MessageTypeDefinition<_vgg_v1_ScoreMap, _vgg_v1_ScoreMap__Output>
      ScoreOptions: MessageTypeDefinition<_vgg_v1_ScoreOptions, _vgg_v1_ScoreOptions__Output>
      ScoreOrder: EnumTypeDefinition
      ScoreRequest: MessageTypeDefinition<_vgg_v1_ScoreRequest, _vgg_v1_ScoreRequest__Output>
      ScoreResponse: MessageTypeDefinition<_vgg_v1_ScoreResponse, _vgg_v1_ScoreResponse__Output>
      Share: EnumTypeDefinition
      Stop: EnumTypeDefinition
      Timing: MessageTypeDefinition<_vgg_v1_Timing, _vgg_v1_Timing__Output>
      View: MessageTypeDefinition<_vgg_v1_View, _vgg_v1_View__Output>
      ViewScore: MessageTypeDefinition<_vgg_v1_ViewScore, _vgg_v1_ViewScore__Output>
      WeightedPosterior: MessageTypeDefinition<_vgg_v1_WeightedPosterior, _vgg_v1_WeightedPosterior__Output>
    }
  }
}

