// A whole number that may be left out. Knows its range.

interface NumberFieldProps {
  id: string;
  label: string;
  value: number | undefined;
  /** What counts where nothing is given. */
  usual: number;
  /** Largest; the smallest is 1. */
  most: number;
  hint: string;
  disabled?: boolean;
  onChange: (value: number | undefined) => void;
}

/** What is no number from 1 to `most` is said beside the field, and changes nothing. */
export function NumberField({ id, label, value, usual, most, hint, disabled, onChange }: NumberFieldProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        min={1}
        max={most}
        step={1}
        value={value ?? ''}
        placeholder={String(usual)}
        disabled={disabled ?? false}
        aria-describedby={`${id}-hint`}
        onInput={({ currentTarget }) => {
          const { value: text, valueAsNumber: given } = currentTarget;
          const fits = Number.isInteger(given) && given >= 1 && given <= most;
          currentTarget.ariaInvalid = String(text !== '' && !fits);
          if (text === '' || fits) onChange(text === '' ? undefined : given);
        }}
      />
      <p id={`${id}-hint`} class="hint">
        {hint}, up to {most}
      </p>
    </div>
  );
}
