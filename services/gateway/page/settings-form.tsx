// The choices of how a photo is evaluated. Knows what can be chosen; asks nobody.

import { useId } from 'preact/hooks';
import type { Model } from '../../../sdk/models.ts';
import { VggError } from '../../../vgg/errors.ts';
import { MAX_ALIGN, MAX_GRID, PROTOCOLS, type Protocol } from '../../../vgg/views/evaluation.ts';
import { ModelsField } from './models-field.tsx';
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
      <p class="hint">{viewsOf(settings, chosen)}</p>
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
      {models.length > 0 && (
        <ModelsField
          chosen={settings.models}
          models={models}
          onChange={(names) => {
            change({ models: names });
          }}
        />
      )}
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
          hint="Pixels"
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
          hint="Classes"
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

// How many views there will be: what a choice costs.
function viewsOf(settings: Settings, model: Model | undefined): string {
  const counts = settings.protocols.map((protocol) => {
    const outlook = model && outlookOf(settings, protocol, model);
    return outlook && 'views' in outlook ? `${String(outlook.views)} views` : '–';
  });
  return counts.join(' beside ');
}

interface ProtocolFieldProps {
  label: string;
  value: Protocol;
  onChange: (protocol: Protocol) => void;
}

function ProtocolField({ label, value, onChange }: ProtocolFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
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
    </div>
  );
}
