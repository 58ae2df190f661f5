import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { CancelScore as _vgg_v1_CancelScore, CancelScore__Output as _vgg_v1_CancelScore__Output } from './vgg/v1/CancelScore.ts';
import type { Evaluation as _vgg_v1_Evaluation, Evaluation__Output as _vgg_v1_Evaluation__Output } from './vgg/v1/Evaluation.ts';
import type { GetModelRequest as _vgg_v1_GetModelRequest, GetModelRequest__Output as _vgg_v1_GetModelRequest__Output } from './vgg/v1/GetModelRequest.ts';
import type { GetModelResponse as _vgg_v1_GetModelResponse, GetModelResponse__Output as _vgg_v1_GetModelResponse__Output } from './vgg/v1/GetModelResponse.ts';
import type { InferenceServiceClient as _vgg_v1_InferenceServiceClient, InferenceServiceDefinition as _vgg_v1_InferenceServiceDefinition } from './vgg/v1/InferenceService.ts';
import type { ListModelsRequest as _vgg_v1_ListModelsRequest, ListModelsRequest__Output as _vgg_v1_ListModelsRequest__Output } from './vgg/v1/ListModelsRequest.ts';
import type { ListModelsResponse as _vgg_v1_ListModelsResponse, ListModelsResponse__Output as _vgg_v1_ListModelsResponse__Output } from './vgg/v1/ListModelsResponse.ts';
import type { Model as _vgg_v1_Model, Model__Output as _vgg_v1_Model__Output } from './vgg/v1/Model.ts';
import type { Plane as _vgg_v1_Plane, Plane__Output as _vgg_v1_Plane__Output } from './vgg/v1/Plane.ts';
import type { PreparedPlane as _vgg_v1_PreparedPlane, PreparedPlane__Output as _vgg_v1_PreparedPlane__Output } from './vgg/v1/PreparedPlane.ts';
import type { Rectangle as _vgg_v1_Rectangle, Rectangle__Output as _vgg_v1_Rectangle__Output } from './vgg/v1/Rectangle.ts';
import type { Rgb as _vgg_v1_Rgb, Rgb__Output as _vgg_v1_Rgb__Output } from './vgg/v1/Rgb.ts';
import type { ScoreMap as _vgg_v1_ScoreMap, ScoreMap__Output as _vgg_v1_ScoreMap__Output } from './vgg/v1/ScoreMap.ts';
import type { ScoreOptions as _vgg_v1_ScoreOptions, ScoreOptions__Output as _vgg_v1_ScoreOptions__Output } from './vgg/v1/ScoreOptions.ts';
import type { ScoreRequest as _vgg_v1_ScoreRequest, ScoreRequest__Output as _vgg_v1_ScoreRequest__Output } from './vgg/v1/ScoreRequest.ts';
import type { ScoreResponse as _vgg_v1_ScoreResponse, ScoreResponse__Output as _vgg_v1_ScoreResponse__Output } from './vgg/v1/ScoreResponse.ts';
import type { View as _vgg_v1_View, View__Output as _vgg_v1_View__Output } from './vgg/v1/View.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  vgg: {
    v1: {
      CancelScore: MessageTypeDefinition<_vgg_v1_CancelScore, _vgg_v1_CancelScore__Output>
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
      View: MessageTypeDefinition<_vgg_v1_View, _vgg_v1_View__Output>
    }
  }
}

