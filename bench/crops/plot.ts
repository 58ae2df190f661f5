// The plot: how many times as fast as every view by itself, by network, plane and side. Knows how to draw.

import { linearScale } from '../../drawing/scale.ts';
import { line, number, svgDocument, text } from '../../drawing/svg.ts';
import type { Protocol } from '../../vgg/views.ts';
import type { Quartiles } from '../median.ts';
import {
  agrees,
  columnsOf,
  compared,
  EARLY,
  HERE,
  NAIVE,
  sideNames,
  type CropsResults,
  type NetworkResult,
} from './results.ts';
import { sideTitle } from './tables.ts';

/** Bars of one protocol. */
interface Group {
  title: string;
  bars: Bar[];
}

interface Bar {
  label: string;
  /** The style sheet's class, which has its colour. */
  style: string;
  ratio: Quartiles;
}

const WIDTH = 900;
const LEFT = 250;
const RIGHT = WIDTH - 76;
const ROW = 21;
const BAR = 'stroke-width:13;stroke-linecap:butt;stroke-dasharray:none';
const HEAD = 44;
const FOOT = 44;

// HERE, further sides of this project's own, other libraries.
const STYLES = { here: 'training', own: 'top5', peer: 'validation' };

/** @returns an SVG document that needs nothing else; light or dark as its reader is */
export function cropsSvg({ networks }: CropsResults): string {
  const panels = networks.map((network) => ({ network, groups: groupsOf(network) }));
  const ends = panels.flatMap(({ groups }) =>
    groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio.high)),
  );
  const most = Math.max(1, ...ends);
  let top = 62;
  const drawn = panels.map(({ network, groups }) => {
    const rows = groups.reduce((sum, { bars }) => sum + 1 + bars.length, 0);
    const panel = drawPanel(network, groups, { top: top + HEAD, bottom: top + HEAD + rows * ROW, most });
    top += HEAD + rows * ROW + FOOT;
    return panel;
  });
  return svgDocument(
    'How many times as fast as every view by itself',
    { width: WIDTH, height: top, left: 24 },
    [
      key(STYLES.here, 24, 'vgg-serve, views of a plane together'),
      key(STYLES.peer, 300, 'other libraries, every crop by itself'),
      ...drawn,
    ],
  );
}

function key(style: string, x: number, label: string): string {
  return (
    `<path class="curve ${style}" style="${BAR}" d="M${number(x)} 50h22"/>` + text('', x + 30, 54, label)
  );
}

/**
 * Of each protocol, this project's sides plane by plane and the others on all crops, since to them planes are alike.
 * Who does not give the same posteriors is left out.
 */
export function groupsOf(network: NetworkResult): Group[] {
  const protocols = [...new Set(network.works.map(({ protocol }) => protocol))];
  return protocols.map((protocol) => {
    const columns = columnsOf(network, protocol);
    const all = columns.flatMap(({ works }) => works);
    const bars = sideNames(network, all).flatMap((side): Bar[] => {
      const peer = network.peers.find(({ name }) => name === side);
      if (side === NAIVE || (peer && !agrees(peer.difference))) return [];
      const style = peer ? STYLES.peer : side === HERE ? STYLES.here : STYLES.own;
      return (peer ? columns.slice(-1) : columns).flatMap(({ title, works }) => {
        const ratio = compared(network, works, side)?.ratio;
        const label = sideTitle(network, side) + (peer || side === EARLY ? '' : `, ${title}`);
        return ratio && Number.isFinite(ratio.high) ? [{ label, style, ratio }] : [];
      });
    });
    return { title: groupTitle(network, protocol), bars };
  });
}

function groupTitle({ works }: NetworkResult, protocol: Protocol): string {
  const views = works.reduce((sum, work) => sum + (work.protocol === protocol ? work.views : 0), 0);
  return protocol === 'DENSE' ? `${String(views)} dense views` : `${String(views)} crops`;
}

interface Place {
  top: number;
  bottom: number;
  /** Largest ratio of any panel. */
  most: number;
}

function drawPanel(network: NetworkResult, groups: readonly Group[], { top, bottom, most }: Place): string {
  const x = linearScale(0, most, LEFT, RIGHT, 6);
  const name = network.name.length === 1 ? `Network ${network.name}` : `The ${network.name} model`;
  const size = `${String(network.inputSize)} × ${String(network.inputSize)}`;
  let y = top - ROW / 2;
  return [
    text('title', 24, top - 14, `${name}, inputs of ${size}`),
    ...x.ticks.map(
      (tick) =>
        line('grid', x.at(tick), top, x.at(tick), bottom) +
        text('quiet', x.at(tick), bottom + 15, String(tick), 'middle'),
    ),
    line('drop', x.at(1), top, x.at(1), bottom),
    ...groups.flatMap(({ title, bars }) => [
      text('quiet', LEFT - 10, (y += ROW) + 4, title, 'end'),
      ...bars.map((bar) => drawBar(bar, (y += ROW), x.at)),
    ]),
  ].join('\n');
}

function drawBar({ label, style, ratio }: Bar, y: number, x: (ratio: number) => number): string {
  const { low, middle, high } = ratio;
  const bar = `<path class="curve ${style}" style="${BAR}" d="M${number(x(0))} ${number(y)}H${number(x(middle))}"/>`;
  const value = text('', x(Math.max(middle, high)) + 6, y + 4, middle.toFixed(2));
  return text('', LEFT - 10, y + 4, label, 'end') + bar + line('whisker', x(low), y, x(high), y) + value;
}
