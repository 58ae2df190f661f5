// docs/reference/proto.md and open-inference.md: services, messages and enums of the .proto files, with their comments.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { packageRoot } from '../../../proto/package-root.ts';
import { code, opening, page, plain, slug, table } from './markdown.ts';

interface Source {
  file: string;
  title: string;
}

const VGG: Source[] = [
  { file: 'vgg/v1/aggregator_service.proto', title: 'Aggregator' },
  { file: 'vgg/v1/preprocess_service.proto', title: 'Preprocess' },
  { file: 'vgg/v1/inference_service.proto', title: 'Inference' },
  { file: 'vgg/v1/view.proto', title: 'Views' },
];
const OPEN_INFERENCE: Source[] = [{ file: 'inference/grpc_service.proto', title: 'Open Inference' }];

/** The page of `vgg.v1`. */
export function protoPage(): string {
  return messagesPage(
    opening(
      'gRPC messages',
      'The package `vgg.v1`, from the files under `proto/`. Every service also answers the standard health service\n(`grpc.health.v1.Health`) and server reflection. Tensors are `bytes`, little-endian. Errors: [errors](errors.md). The inference service\nspeaks the [Open Inference Protocol](open-inference.md) too.',
    ),
    VGG,
  );
}

/** The page of the Open Inference Protocol. */
export function openInferencePage(): string {
  return messagesPage(
    opening(
      'Open Inference Protocol',
      'What KServe and Triton speak, at the port of the inference service. A model has the input `rgb8`, UINT8 `[n, height, width, 3]`, and the\noutputs `posterior`, FP32 `[n, classes]`, and `score_map`; each image is one view. [From Python](../how-to/python.md) has an example.',
    ),
    OPEN_INFERENCE,
  );
}

function messagesPage(head: string, sources: readonly Source[]): string {
  const parsed = sources.map(({ file, title }) => ({ file, title, types: typesOf(file) }));
  const known = new Set(parsed.flatMap(({ types }) => types.map(shortName)));
  return page(
    head,
    ...parsed.flatMap(({ file, title, types }) => [
      `## ${title}\n\n${code(`proto/${file}`)}`,
      ...types.map((type) => `### ${shortName(type)}\n\n${describe(type, known)}`),
    ]),
  );
}

type Described = protobuf.Service | protobuf.Type | protobuf.Enum;

// Services first, then messages and enums as the file has them; nested ones after theirs.
function typesOf(file: string): Described[] {
  const { root } = protobuf.parse(
    readFileSync(join(packageRoot, 'proto', file), 'utf8'),
    new protobuf.Root(),
    {
      keepCase: true,
      alternateCommentMode: true,
    },
  );
  const found: Described[] = [];
  const visit = (namespace: protobuf.NamespaceBase) => {
    for (const each of namespace.nestedArray) {
      if (each instanceof protobuf.Service || each instanceof protobuf.Type || each instanceof protobuf.Enum)
        found.push(each);
      if (each instanceof protobuf.Namespace) visit(each);
    }
  };
  visit(root);
  const rank = (each: Described) => (each instanceof protobuf.Service ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b));
}

// The name within the package: ModelInferRequest.InferInputTensor.
function shortName(type: Described): string {
  const names = [type.name];
  for (let parent = type.parent; parent instanceof protobuf.Type; parent = parent.parent)
    names.unshift(parent.name);
  return names.join('.');
}

function describe(type: Described, known: ReadonlySet<string>): string {
  const comment = plain(type.comment ?? '');
  if (type instanceof protobuf.Service) {
    const rows = type.methodsArray.map((method) => [
      code(method.name),
      `${method.requestStream === true ? 'stream of ' : ''}${linked(method.requestType, known)}`,
      `${method.responseStream === true ? 'stream of ' : ''}${linked(method.responseType, known)}`,
      plain(method.comment ?? ''),
    ]);
    return `${comment}\n\n${table(['rpc', 'asks', 'answers', 'what'], rows)}`;
  }
  if (type instanceof protobuf.Enum) {
    const rows = Object.entries(type.values).map(([name, value]) => [
      code(name),
      String(value),
      plain(type.comments[name] ?? ''),
    ]);
    return `${comment}\n\n${table(['name', 'number', 'what'], rows)}`;
  }
  if (type.fieldsArray.length === 0) return comment;
  const rows = type.fieldsArray.map((field) => [
    code(field.name),
    typeOf(field, type, known),
    String(field.id),
    `${alternatives(field)}${plain(field.comment ?? '')}`,
  ]);
  return `${comment}\n\n${table(['field', 'type', 'number', 'what'], rows)}`;
}

// Of fields of a oneof, which they are; `optional` makes one of its own, whose name begins with _.
function alternatives({ partOf }: protobuf.Field): string {
  if (!partOf || partOf.name.startsWith('_')) return '';
  return `One of ${partOf.oneof.map(code).join(', ')}. `;
}

function typeOf(field: protobuf.Field, within: protobuf.Type, known: ReadonlySet<string>): string {
  const nested = `${shortName(within)}.${field.type}`;
  const type = known.has(nested) ? `[${field.type}](#${slug(nested)})` : linked(field.type, known);
  if (field instanceof protobuf.MapField) return `map of ${field.keyType} to ${type}`;
  return `${field.repeated ? 'repeated ' : ''}${type}`;
}

function linked(type: string, known: ReadonlySet<string>): string {
  return known.has(type) ? `[${type}](#${slug(type)})` : type;
}
