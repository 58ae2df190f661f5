// Which models answer: one, or several whose answers are averaged. Knows their names.

import type { Model } from '../../../sdk/models.ts';

interface ModelsFieldProps {
  /** None: the default one. */
  chosen: readonly string[];
  /** The default one first. */
  models: readonly Model[];
  onChange: (names: readonly string[]) => void;
}

/** A choice where there is one; at least one model stays chosen. */
export function ModelsField({ chosen: given, models, onChange }: ModelsFieldProps) {
  const names = models.map(({ name }) => name);
  const chosen = given.length > 0 ? given : names.slice(0, 1);
  const toggle = (name: string, on: boolean) => {
    const next = names.filter((each) => (each === name ? on : chosen.includes(each)));
    const isDefault = next.length === 1 && next[0] === names[0];
    if (next.length > 0) onChange(isDefault ? [] : next);
  };
  return (
    <fieldset class="models">
      <legend>{models.length > 1 ? 'Models; several are averaged' : 'Model'}</legend>
      {models.map((model) => (
        <div class="model-choice" key={model.name}>
          {models.length > 1 ? (
            <label class="check">
              <input
                type="checkbox"
                checked={chosen.includes(model.name)}
                disabled={chosen.length === 1 && chosen.includes(model.name)}
                onChange={({ currentTarget }) => {
                  toggle(model.name, currentTarget.checked);
                }}
              />
              <Named model={model} />
            </label>
          ) : (
            <Named model={model} />
          )}
          <a href={`#/models/${encodeURIComponent(model.name)}`} aria-label={`About ${model.name}`}>
            About
          </a>
        </div>
      ))}
    </fieldset>
  );
}

function Named({ model: { name, network, classes } }: { model: Model }) {
  return (
    <span>
      {name}{' '}
      <span class="hint">
        {network}, {classes} classes
      </span>
    </span>
  );
}
