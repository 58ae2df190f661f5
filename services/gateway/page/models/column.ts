// A network as a column of the paper's Table 1: conv3-64, maxpool, FC-4096. Knows rows and descriptions; no markup.

import { describeNetwork, type LayerDescription } from '../../../../vgg/describe.ts';
import type { NetworkName, NetworkSpec } from '../../../../vgg/networks.ts';

/** What of a model fixes its network. */
export interface NetworkFacts {
  network: string;
  width: number;
  hidden: number;
  classes: number;
  inputSize: number;
}

/** A layer and how Table 1 writes it. */
export interface Entry extends LayerDescription {
  written: string;
}

/** Layers between two pools; the pool that ends them, if one does. */
export interface Block {
  entries: Entry[];
}

/** The network of a model's facts. */
export function specOf({ network, width, hidden, classes, inputSize }: NetworkFacts): NetworkSpec {
  return { network: network as NetworkName, width, hidden, classes, inputSize };
}

/** The column from top to bottom, a block for each box of the table, for one crop. */
export function columnOf(facts: NetworkFacts): Block[] {
  const blocks: Block[] = [{ entries: [] }];
  for (const layer of describeNetwork(specOf(facts)).layers) {
    blocks.at(-1)?.entries.push({ ...layer, written: writtenAs(layer) });
    if (layer.kind === 'pool') blocks.push({ entries: [] });
  }
  return blocks;
}

/** As Table 1 writes a layer: kernel and channels of a convolution. */
export function writtenAs({ kind, name, kernel, channels }: LayerDescription): string {
  if (kind === 'pool') return 'maxpool';
  if (kind === 'lrn') return 'LRN';
  return name.startsWith('fc') ? `FC-${String(channels)}` : `conv${String(kernel)}-${String(channels)}`;
}
