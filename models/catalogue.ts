// The published VGG weights that `vgg models pull` knows: where they are, what they must be, what their
// publishers report. Facts only; download.ts fetches and import.ts reads.
//
// Where each fact comes from:
// - torchvision: URLs, digits of the SHA-256 (in the file names, which torchvision itself checks), accuracies and
//   how they were measured: torchvision 0.29, torchvision/models/vgg.py (errors here are 100 − accuracy). Whole
//   digests and lengths of vgg16, vgg19, vgg16_bn, vgg19_bn: stated alike by independent projects that downloaded
//   the files, among them LibreYOLO's docs on VGG; for the other four only the published digits are known.
//   Licence: the project's, BSD-3-Clause; torchvision says nothing of the weights alone.
// - timm: repositories and licence: timm 1.0, timm/models/vgg.py (`hf_hub_id`, `license`); errors:
//   results/results-imagenet.csv of huggingface/pytorch-image-models. vgg16.tv_in1k's SHA-256: stated alike by two
//   independent projects (ferrotorch's model registry; an LPIPS port that pins revision b8d8aa2d). No digest of the
//   other seven is published twice over: theirs is what Hugging Face states beside the file (X-Linked-ETag), which
//   guards against damage on the way, not against a changed repository.
// - Keras: URLs and MD5: keras 3.15, keras/src/applications/vgg16.py and vgg19.py; lengths: what its own downloads
//   print; errors: the table of https://keras.io/api/applications/ (one centre crop, as keras-applications' README
//   says). They are Oxford's weights in another layout, so the licence is Oxford's.
// - Oxford: URLs, top-5 and licence page: the readme beside the models (gist.github.com/ksimonyan/211839e770f7b538e2d8 and
//   3785162f95cd2d5fee77); top-1: arXiv:1409.1556, Table 5, dense. SHA-1: stated alike by Apache MXNet's
//   caffe_converter (both) and OpenCV's test data (16 layers). Lengths: what Caffe prints when it reads the files.
//   Licence: CC BY 4.0, https://www.robots.ox.ac.uk/~vgg/research/very_deep/. That host has no other address in the
//   readme than a plain http one, which the SHA-1 makes up for.

import { parameterCount, type Kernel, type NetworkName, type NetworkSpec } from '../vgg/index.ts';
import type { Digest } from './digest.ts';

/** One published weights file. */
export interface PublishedRelease {
  /** What the model is called here, once it was pulled. */
  name: string;
  network: NetworkName;
  /** Whether the file has batch normalisation, which importing folds into the convolutions. */
  batchNorm: boolean;
  publisher: 'torchvision' | 'timm' | 'Keras' | 'Oxford VGG';
  url: string;
  /** Length of the file, where it is known. */
  bytes?: number;
  /** What the file's digest must be: published, or `host` for what the host states while it sends the file. */
  digest: Digest | 'host';
  /** Names and axes in the file, as the importer calls them. */
  layout: 'torchvision' | 'timm' | 'Keras' | 'Caffe';
  classes: number;
  inputSize: number;
  /** Red, green, blue levels that the publisher subtracts. */
  mean: [number, number, number];
  /** Resize kernel that the publisher evaluates with. */
  kernel: Kernel;
  /** Errors on ILSVRC-2012's validation set that the publisher reports, in per cent. */
  reported: { top1: number; top5: number; measured: string };
  /** Licence of the weights, an SPDX identifier. */
  licence: string;
  /** The publisher's page about these weights. */
  page: string;
}

type Facts = Pick<PublishedRelease, 'name' | 'network' | 'url' | 'digest'> & {
  batchNorm?: boolean;
  bytes?: number;
  errors: [top1: number, top5: number];
};

const COMMON = { classes: 1000, inputSize: 224, kernel: 'linear' } as const;
const TORCH_MEAN: [number, number, number] = [255 * 0.485, 255 * 0.456, 255 * 0.406];
const CAFFE_MEAN: [number, number, number] = [123.68, 116.779, 103.939];

const TORCHVISION = 'https://download.pytorch.org/models';
const HUGGING_FACE = 'https://huggingface.co/timm';
const KERAS = 'https://storage.googleapis.com/tensorflow/keras-applications';
const OXFORD = 'http://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe';

/** Every release that can be pulled, by publisher and depth. */
export const CATALOGUE: readonly PublishedRelease[] = [
  torchvision({
    ...{ name: 'torchvision-vgg11', network: 'A', errors: [30.98, 11.372] },
    url: `${TORCHVISION}/vgg11-8a719046.pth`,
    digest: sha256('8a719046'),
  }),
  torchvision({
    ...{ name: 'torchvision-vgg11-bn', network: 'A', batchNorm: true, errors: [29.63, 10.19] },
    url: `${TORCHVISION}/vgg11_bn-6002323d.pth`,
    digest: sha256('6002323d'),
  }),
  torchvision({
    ...{ name: 'torchvision-vgg13', network: 'B', errors: [30.072, 10.754] },
    url: `${TORCHVISION}/vgg13-19584684.pth`,
    digest: sha256('19584684'),
  }),
  torchvision({
    ...{ name: 'torchvision-vgg13-bn', network: 'B', batchNorm: true, errors: [28.414, 9.626] },
    url: `${TORCHVISION}/vgg13_bn-abd245e5.pth`,
    digest: sha256('abd245e5'),
  }),
  torchvision({
    ...{ name: 'torchvision-vgg16', network: 'D', errors: [28.408, 9.618], bytes: 553_433_881 },
    url: `${TORCHVISION}/vgg16-397923af.pth`,
    digest: sha256('397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0'),
  }),
  torchvision({
    ...{ name: 'torchvision-vgg16-bn', network: 'D', batchNorm: true, errors: [26.64, 8.484] },
    ...{ url: `${TORCHVISION}/vgg16_bn-6c64b313.pth`, bytes: 553_507_836 },
    digest: sha256('6c64b3138f2f4fcb3bcc4cafde11619c4f440eb1631787e93a682fd88305888a'),
  }),
  torchvision({
    ...{ name: 'torchvision-vgg19', network: 'E', errors: [27.624, 9.124], bytes: 574_673_361 },
    url: `${TORCHVISION}/vgg19-dcbb9e9d.pth`,
    digest: sha256('dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44'),
  }),
  torchvision({
    ...{ name: 'torchvision-vgg19-bn', network: 'E', batchNorm: true, errors: [25.782, 8.158] },
    ...{ url: `${TORCHVISION}/vgg19_bn-c79401a0.pth`, bytes: 574_769_405 },
    digest: sha256('c79401a0cf3cb42714e4182f5868c7a6f4f4534f5df9e956e2bb2098de41cbb6'),
  }),
  timm({ name: 'timm-vgg11', network: 'A', errors: [30.978, 11.376] }),
  timm({ name: 'timm-vgg11-bn', network: 'A', batchNorm: true, errors: [29.618, 10.192] }),
  timm({ name: 'timm-vgg13', network: 'B', errors: [30.068, 10.75] }),
  timm({ name: 'timm-vgg13-bn', network: 'B', batchNorm: true, errors: [28.412, 9.622] }),
  timm({
    ...{ name: 'timm-vgg16', network: 'D', errors: [28.408, 9.616] },
    digest: sha256('57b026918159a6bf9faf8405c3a551903768e7138989d9c6224a14227203fad8'),
  }),
  timm({ name: 'timm-vgg16-bn', network: 'D', batchNorm: true, errors: [26.63, 8.486] }),
  timm({ name: 'timm-vgg19', network: 'E', errors: [27.622, 9.126] }),
  timm({ name: 'timm-vgg19-bn', network: 'E', batchNorm: true, errors: [25.784, 8.156] }),
  keras({
    ...{ name: 'keras-vgg16', network: 'D', errors: [28.7, 9.9], bytes: 553_467_096 },
    url: `${KERAS}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5`,
    digest: { algorithm: 'md5', hex: '64373286793e3c8b2b4e3219cbf3544b' },
  }),
  keras({
    ...{ name: 'keras-vgg19', network: 'E', errors: [28.7, 10], bytes: 574_710_816 },
    url: `${KERAS}/vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5`,
    digest: { algorithm: 'md5', hex: 'cbe5617147190e668d6c5d5026f83318' },
  }),
  oxford({
    ...{ name: 'oxford-vgg16', network: 'D', errors: [24.8, 7.5], bytes: 553_432_081 },
    url: `${OXFORD}/VGG_ILSVRC_16_layers.caffemodel`,
    digest: { algorithm: 'sha1', hex: '9363e1f6d65f7dba68c4f27a1e62105cdf6c4e24' },
  }),
  oxford({
    ...{ name: 'oxford-vgg19', network: 'E', errors: [24.8, 7.5], bytes: 574_671_192 },
    url: `${OXFORD}/VGG_ILSVRC_19_layers.caffemodel`,
    digest: { algorithm: 'sha1', hex: '239785e7862442717d831f682bb824055e51e9ba' },
  }),
];

/** The network of a release, in its training form. */
export function publishedSpec({ network, batchNorm, classes, inputSize }: PublishedRelease): NetworkSpec {
  return { network, width: 1, hidden: 4096, classes, inputSize, batchNorm };
}

/** Length of a release's file; where it is not known, that of its parameters in float32. */
export function publishedBytes(release: PublishedRelease): number {
  return release.bytes ?? 4 * parameterCount(publishedSpec(release));
}

/** Name of a release's file. */
export function publishedFile({ url }: PublishedRelease): string {
  return new URL(url).pathname.split('/').at(-1) ?? '';
}

/** The release that a model was made of: by the file's digest or address, else by name and network. */
export function publishedFor(
  {
    name,
    network,
    source,
  }: { name: string; network: NetworkName; source?: { url?: string; sha256: string } | undefined },
  catalogue: readonly PublishedRelease[] = CATALOGUE,
): PublishedRelease | undefined {
  return (
    catalogue.find(
      ({ digest, url }) =>
        url === source?.url ||
        (digest !== 'host' && digest.algorithm === 'sha256' && source?.sha256.startsWith(digest.hex)),
    ) ?? catalogue.find((release) => release.name === name && release.network === network)
  );
}

function torchvision({ errors: [top1, top5], batchNorm = false, ...facts }: Facts): PublishedRelease {
  return {
    ...{ ...COMMON, ...facts, batchNorm, publisher: 'torchvision', layout: 'torchvision', mean: TORCH_MEAN },
    reported: { top1, top5, measured: 'one centre crop of 224 at scale 256' },
    licence: 'BSD-3-Clause',
    page: 'https://pytorch.org/vision/stable/models/vgg.html',
  };
}

function timm({
  errors: [top1, top5],
  batchNorm = false,
  digest,
  ...facts
}: Omit<Facts, 'url' | 'digest'> & { digest?: Digest }): PublishedRelease {
  const repository = `${HUGGING_FACE}/${facts.name.replace('timm-', '').replace('-', '_')}.tv_in1k`;
  return {
    ...{ ...COMMON, ...facts, batchNorm, publisher: 'timm', layout: 'timm', mean: TORCH_MEAN },
    digest: digest ?? 'host',
    url: `${repository}/resolve/main/model.safetensors`,
    reported: { top1, top5, measured: 'one centre crop of 224 at scale 256' },
    licence: 'BSD-3-Clause',
    page: repository,
  };
}

function keras({ errors: [top1, top5], batchNorm = false, ...facts }: Facts): PublishedRelease {
  return {
    ...{ ...COMMON, ...facts, batchNorm, publisher: 'Keras', layout: 'Keras', mean: CAFFE_MEAN },
    reported: { top1, top5, measured: 'one centre crop of 224' },
    licence: 'CC-BY-4.0',
    page: 'https://keras.io/api/applications/vgg/',
  };
}

function oxford({ errors: [top1, top5], batchNorm = false, ...facts }: Facts): PublishedRelease {
  return {
    ...{ ...COMMON, ...facts, batchNorm, publisher: 'Oxford VGG', layout: 'Caffe', mean: CAFFE_MEAN },
    reported: { top1, top5, measured: 'dense, scales 256, 384 and 512' },
    licence: 'CC-BY-4.0',
    page: 'https://www.robots.ox.ac.uk/~vgg/research/very_deep/',
  };
}

function sha256(hex: string): Digest {
  return { algorithm: 'sha256', hex };
}
