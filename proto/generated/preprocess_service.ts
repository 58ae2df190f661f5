import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Evaluation as _vgg_v1_Evaluation, Evaluation__Output as _vgg_v1_Evaluation__Output } from './vgg/v1/Evaluation.ts';
import type { Float32Pixels as _vgg_v1_Float32Pixels, Float32Pixels__Output as _vgg_v1_Float32Pixels__Output } from './vgg/v1/Float32Pixels.ts';
import type { Plane as _vgg_v1_Plane, Plane__Output as _vgg_v1_Plane__Output } from './vgg/v1/Plane.ts';
import type { PrepareRequest as _vgg_v1_PrepareRequest, PrepareRequest__Output as _vgg_v1_PrepareRequest__Output } from './vgg/v1/PrepareRequest.ts';
import type { PrepareResponse as _vgg_v1_PrepareResponse, PrepareResponse__Output as _vgg_v1_PrepareResponse__Output } from './vgg/v1/PrepareResponse.ts';
import type { PreparedPlane as _vgg_v1_PreparedPlane, PreparedPlane__Output as _vgg_v1_PreparedPlane__Output } from './vgg/v1/PreparedPlane.ts';
import type { PreprocessServiceClient as _vgg_v1_PreprocessServiceClient, PreprocessServiceDefinition as _vgg_v1_PreprocessServiceDefinition } from './vgg/v1/PreprocessService.ts';
import type { Rectangle as _vgg_v1_Rectangle, Rectangle__Output as _vgg_v1_Rectangle__Output } from './vgg/v1/Rectangle.ts';
import type { Rgb as _vgg_v1_Rgb, Rgb__Output as _vgg_v1_Rgb__Output } from './vgg/v1/Rgb.ts';
import type { View as _vgg_v1_View, View__Output as _vgg_v1_View__Output } from './vgg/v1/View.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  vgg: {
    v1: {
      Evaluation: MessageTypeDefinition<_vgg_v1_Evaluation, _vgg_v1_Evaluation__Output>
      Float32Pixels: MessageTypeDefinition<_vgg_v1_Float32Pixels, _vgg_v1_Float32Pixels__Output>
      Kernel: EnumTypeDefinition
      Plane: MessageTypeDefinition<_vgg_v1_Plane, _vgg_v1_Plane__Output>
      PrepareRequest: MessageTypeDefinition<_vgg_v1_PrepareRequest, _vgg_v1_PrepareRequest__Output>
      PrepareResponse: MessageTypeDefinition<_vgg_v1_PrepareResponse, _vgg_v1_PrepareResponse__Output>
      PreparedPlane: MessageTypeDefinition<_vgg_v1_PreparedPlane, _vgg_v1_PreparedPlane__Output>
      /**
       * Decodes a photo and cuts the views that an evaluation asks for.
       */
      PreprocessService: SubtypeConstructor<typeof grpc.Client, _vgg_v1_PreprocessServiceClient> & { service: _vgg_v1_PreprocessServiceDefinition }
      Protocol: EnumTypeDefinition
      Realise: EnumTypeDefinition
      Rectangle: MessageTypeDefinition<_vgg_v1_Rectangle, _vgg_v1_Rectangle__Output>
      Rgb: MessageTypeDefinition<_vgg_v1_Rgb, _vgg_v1_Rgb__Output>
      ScoreOrder: EnumTypeDefinition
      Share: EnumTypeDefinition
      Stop: EnumTypeDefinition
      View: MessageTypeDefinition<_vgg_v1_View, _vgg_v1_View__Output>
    }
  }
}

