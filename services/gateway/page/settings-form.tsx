// The choices of how a photo is evaluated. Knows what can be chosen; asks nobody.

import type { Model } from '../../../sdk/models.ts';
import { VggError } from '../../../vgg/errors.ts';
import { MAX_ALIGN, MAX_GRID, PROTOCOLS, type Protocol } from '../../../vgg/views/evaluation.ts';
import { NumberField } from './number-field.tsx';
import { DEFAULTS, hasGrid, MAX_TOP, outlookOf, type Settings } from './settings.ts';

/** Protocols in words. */
export const PROTOCOL_NAMES: Record<Protocol, string> = {
  CENTER_CROP: 'Centre crop',
  TEN_CROP: 'Ten crops',
  MULTI_CROP: 'Multi-crop',
  DENSE: 'Dense',
  DENSE_AND_MULTI_CROP: 'Dense and multi-crop',
  GOOGLENET_144: 'GoogLeNet’s 144 crops',
};

interface SettingsFormProps {
  settings: Settings;
  models: readonly Model[];
  onChange: (settings: Settings) => void;
}

/** Changes are settings at once: there is nothing to submit. */
export function SettingsForm({ settings, models, onChange }: SettingsFormProps) {
  const [first, second] = settings.protocols;
  const change = (part: Partial<Settings>) => {
    onChange({ ...settings, ...part });
  };
  const chosen = models.find(({ name }) => name === settings.models[0]) ?? models[0];
  const outlook = chosen && outlookOf(settings, first, chosen);
  const wrong = outlook instanceof VggError ? outlook : undefined;
  const grid = settings.protocols.some(hasGrid);
  const fieldError = (field: string) =>
    wrong?.fields.some((each) => each.field.startsWith(field)) ? wrong.message : undefined;
  return (
    <form
      class="card settings"
      aria-labelledby="settings-title"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <h2 id="settings-title">Evaluation</h2>
      <ProtocolField
        label="Protocol"
        value={first}
        onChange={(name) => {
          change({ protocols: second ? [name, second] : [name] });
        }}
      />
      {second && (
        <ProtocolField
          label="Beside it"
          value={second}
          onChange={(name) => {
            change({ protocols: [first, name] });
          }}
        />
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={second !== undefined}
          onChange={({ currentTarget }) => {
            const other = first === 'DENSE' ? 'MULTI_CROP' : 'DENSE';
            change({ protocols: currentTarget.checked ? [first, other] : [first] });
          }}
        />
        Two protocols side by side
      </label>
      {models.length > 0 && <ModelsField settings={settings} models={models} change={change} />}
      <div class="fields">
        <div class="field wide">
          <label for="scales">Scales</label>
          <input
            id="scales"
            type="text"
            inputMode="numeric"
            autocomplete="off"
            value={settings.scales}
            placeholder={
              outlook && !wrong && 'evaluation' in outlook ? outlook.evaluation.scales.join(', ') : ''
            }
            aria-invalid={fieldError('scales') !== undefined}
            aria-describedby="scales-hint"
            onInput={({ currentTarget }) => {
              change({ scales: currentTarget.value });
            }}
          />
          <p id="scales-hint" class={fieldError('scales') ? 'wrong' : 'hint'}>
            {fieldError('scales') ?? 'Smallest sides of the planes in pixels'}
          </p>
        </div>
        <NumberField
          id="grid"
          label="Grid"
          value={settings.grid}
          usual={5}
          most={MAX_GRID}
          disabled={!grid}
          hint="Crops a side"
          onChange={(value) => {
            change({ grid: value });
          }}
        />
        <NumberField
          id="align"
          label="Align"
          value={settings.align}
          usual={grid ? 8 : 1}
          most={MAX_ALIGN}
          hint="Pixels; 1: the paper’s"
          onChange={(value) => {
            change({ align: value });
          }}
        />
        <NumberField
          id="top"
          label="Top"
          value={settings.top}
          usual={DEFAULTS.top}
          most={MAX_TOP}
          hint="Classes shown"
          onChange={(value) => {
            change({ top: value ?? DEFAULTS.top });
          }}
        />
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={settings.exact}
          onChange={({ currentTarget }) => {
            change({ exact: currentTarget.checked });
          }}
        />
        Stop as soon as the first class is certain
      </label>
    </form>
  );
}

interface ProtocolFieldProps {
  label: string;
  value: Protocol;
  onChange: (protocol: Protocol) => void;
}

function ProtocolField({ label, value, onChange }: ProtocolFieldProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select
        value={value}
        onChange={({ currentTarget }) => {
          onChange(PROTOCOLS[currentTarget.selectedIndex] ?? 'MULTI_CROP');
        }}
      >
        {PROTOCOLS.map((name) => (
          <option key={name} value={name}>
            {PROTOCOL_NAMES[name]}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ModelsFieldProps {
  settings: Settings;
  models: readonly Model[];
  change: (part: Partial<Settings>) => void;
}

function ModelsField({ settings, models, change }: ModelsFieldProps) {
  const chosen = settings.models.length > 0 ? settings.models : models.slice(0, 1).map(({ name }) => name);
  const toggle = (name: string, on: boolean) => {
    const next = models
      .map((each) => each.name)
      .filter((each) => (each === name ? on : chosen.includes(each)));
    const isDefault = next.length === 1 && next[0] === models[0]?.name;
    if (next.length > 0) change({ models: isDefault ? [] : next });
  };
  return (
    <fieldset class="models">
      <legend>{models.length > 1 ? 'Models; several are averaged' : 'Model'}</legend>
      {models.map(({ name, network, classes }) => (
        <div class="model" key={name}>
          <label class="check">
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              disabled={chosen.length === 1 && chosen.includes(name)}
              onChange={({ currentTarget }) => {
                toggle(name, currentTarget.checked);
              }}
            />
            <span>
              {name}{' '}
              <span class="hint">
                {network}, {classes} classes
              </span>
            </span>
          </label>
          <a href={`#/models/${encodeURIComponent(name)}`} aria-label={`About ${name}`}>
            About
          </a>
        </div>
      ))}
    </fieldset>
  );
}
