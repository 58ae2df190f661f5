// One model: where it comes from, what it takes, and its network layer by layer.
// Knows the JSON of GET /v1/models/NAME.

import './model.css';
import type { Model } from '../../../../sdk/models.ts';
import { exact, short } from './amounts.ts';
import { ClassList } from './class-list.tsx';
import { NetworkTable } from './network-table.tsx';

/** The page of a model. */
export function ModelPage({ model }: { model: Model }) {
  const { name, network, width, hidden, classes, inputSize, scales, kernel, mean, labels } = model;
  const { parameters, macs, sha256, provenance, licence, isDefault, engine } = model;
  const levels = [mean.red, mean.green, mean.blue];
  const colour = `rgb(${levels.map((level) => String(Math.round(level))).join(' ')})`;
  return (
    <article class="model" aria-labelledby="model-name">
      <header>
        <h1 id="model-name">{name}</h1>
        <p class="model-lead">
          Network {network}
          {width !== 1 && `, convolutions at ${String(width)} of the paper's width`}
          {hidden !== 4096 && `, ${exact(hidden)} hidden outputs`}
          {isDefault && <span class="model-badge">default</span>}
        </p>
      </header>
      <dl class="model-totals">
        <Total name="parameters" value={short(parameters)} title={exact(parameters)} />
        <Total name="multiply-adds a crop" value={short(macs)} title={exact(macs)} />
        <Total name="classes" value={exact(classes)} />
        <Total name="input" value={`${String(inputSize)} × ${String(inputSize)}`} />
      </dl>
      <dl class="model-facts">
        <dt>Provenance</dt>
        <dd>{provenance === '' ? 'not stated' : <Linked text={provenance} />}</dd>
        <dt>Licence of the weights</dt>
        <dd>{licence === '' ? 'not stated' : licence}</dd>
        <dt>Scales</dt>
        <dd>
          {scales.join(', ')} pixels, {kernel} interpolation
        </dd>
        <dt>Mean colour</dt>
        <dd>
          <span class="model-swatch" style={{ background: colour }} />
          {levels.map((level) => level.toFixed(2)).join(', ')}
        </dd>
        <dt>Engine</dt>
        <dd>{engine}</dd>
        <dt>Weights</dt>
        <dd>
          <code>sha256 {sha256}</code>
        </dd>
      </dl>
      <NetworkTable facts={model} />
      <ClassList labels={labels} />
    </article>
  );
}

function Total({ name, value, title }: { name: string; value: string; title?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd {...(title !== undefined && { title })}>{value}</dd>
    </div>
  );
}

// Addresses and DOIs in a text become links.
function Linked({ text }: { text: string }) {
  return (
    <>
      {text.split(/(https:\/\/[^\s,;)]+|10\.\d{4,}\/[^\s,;)]+)/).map((part, i) =>
        i % 2 === 1 ? (
          <a key={i} href={part.startsWith('https:') ? part : `https://doi.org/${part}`} rel="noreferrer">
            {part}
          </a>
        ) : (
          part
        ),
      )}
    </>
  );
}
