// The network as a column of the paper's Table 1, each layer with what it makes of a crop.

import { describeNetwork } from '../../../../vgg/describe.ts';
import { exact, short } from './amounts.ts';
import { columnOf, specOf, type Entry, type NetworkFacts } from './column.ts';

/** The table. */
export function NetworkTable({ facts }: { facts: NetworkFacts }) {
  const { network, inputSize } = facts;
  const { weightLayers, parameters, macs, layers } = describeNetwork(specOf(facts));
  const blocks = columnOf(facts);
  const most = {
    parameters: Math.max(...layers.map((layer) => layer.parameters)),
    macs: Math.max(...layers.map((layer) => layer.macs)),
  };
  return (
    <section aria-labelledby="model-network">
      <h2 id="model-network">
        Network {network}: {weightLayers} weight layers
      </h2>
      <p class="model-note">
        As Table 1 of the paper writes it, at work on one crop of {inputSize} × {inputSize}. The receptive
        field is the side of the square of input pixels that one output location sees; fully connected layers
        are convolutions, so a whole photo goes through the same network.
      </p>
      <div class="model-scroll" tabIndex={0} role="region" aria-label="Layers of the network">
        <table class="model-layers">
          <thead>
            <tr>
              <th scope="col">Table 1</th>
              <th scope="col">Layer</th>
              <th scope="col">Output</th>
              <th scope="col">Receptive field</th>
              <th scope="col">Stride</th>
              <th scope="col">Parameters</th>
              <th scope="col">Multiply-adds</th>
            </tr>
          </thead>
          <tbody>
            <tr class="model-edge">
              <th scope="row">
                <span class="model-box model-input">input</span>
              </th>
              <td />
              <td>
                {inputSize} × {inputSize} × 3
              </td>
              <td>1</td>
              <td>1</td>
              <td />
              <td />
            </tr>
          </tbody>
          {blocks.map(({ entries }) => (
            <tbody key={entries[0]?.name}>
              {entries.map((entry) => (
                <LayerRow key={entry.name} entry={entry} most={most} />
              ))}
            </tbody>
          ))}
          <tfoot>
            <tr>
              <th scope="row">
                <span class="model-box model-input">soft-max</span>
              </th>
              <th scope="row" colSpan={4}>
                In all
              </th>
              <td>
                <span class="model-amount">{exact(parameters)}</span>
                <span class="model-bar" />
              </td>
              <td>
                <span class="model-amount">{exact(macs)}</span>
                <span class="model-bar" />
              </td>
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}

function LayerRow({ entry, most }: { entry: Entry; most: { parameters: number; macs: number } }) {
  const { name, kind, written, height, width, channels, receptiveField, stride, parameters, macs } = entry;
  const colours = name.startsWith('fc') ? 'model-fc' : `model-${kind}`;
  return (
    <tr>
      <th scope="row">
        <span class={`model-box ${colours}`}>{written}</span>
      </th>
      <td>{name}</td>
      <td>
        {height} × {width} × {channels}
      </td>
      <td>{receptiveField}</td>
      <td>{stride}</td>
      <Amount value={parameters} most={most.parameters} />
      <Amount value={macs} most={most.macs} />
    </tr>
  );
}

function Amount({ value, most }: { value: number; most: number }) {
  if (value === 0)
    return (
      <td>
        <span class="model-amount model-none">–</span>
        <span class="model-bar" />
      </td>
    );
  return (
    <td title={exact(value)}>
      <span class="model-amount">{short(value)}</span>
      <span class="model-bar" aria-hidden="true">
        <span style={{ width: `${String((100 * value) / most)}%` }} />
      </span>
    </td>
  );
}
