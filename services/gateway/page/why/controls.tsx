// The few controls that the figures share: one of several, a share, a legend.

import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { gradient, type Range } from './colours.ts';

interface ChoiceProps<Value> {
  label: string;
  options: readonly { value: Value; label: string }[];
  value: Value;
  onChange: (value: Value) => void;
}

/** One of several, all in sight. */
export function Choice<Value extends string>({ label, options, value, onChange }: ChoiceProps<Value>) {
  // A page may explain several answers side by side.
  const name = useId();
  return (
    <fieldset class="why-choice">
      <legend>{label}</legend>
      <div class="why-options">
        {options.map((option) => (
          <label key={option.value}>
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              onChange={() => {
                onChange(option.value);
              }}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A share from nothing to all. */
export function Share({
  label,
  value,
  onChange,
}: {
  label: string;
  value: number;
  onChange: (value: number) => void;
}) {
  return (
    <label class="why-share">
      <span>{label}</span>
      <input
        type="range"
        min="0"
        max="1"
        step="0.05"
        value={value}
        aria-valuetext={`${(value * 100).toFixed(0)} %`}
        onInput={({ currentTarget }) => {
          onChange(Number(currentTarget.value));
        }}
      />
    </label>
  );
}

/** A box to tick. */
export function Tick(props: { label: string; value: boolean; onChange: (value: boolean) => void }) {
  const { label, value, onChange } = props;
  return (
    <label class="why-tick">
      <input
        type="checkbox"
        checked={value}
        onChange={({ currentTarget }) => {
          onChange(currentTarget.checked);
        }}
      />
      <span>{label}</span>
    </label>
  );
}

/** What the colours stand for. */
export function Legend(props: {
  range: Range;
  format: (value: number) => string;
  children: ComponentChildren;
}) {
  const { range, format, children } = props;
  const middle = (range.least + range.most) / 2;
  return (
    <div class="why-legend">
      <span class="why-caption">{children}</span>
      <div class="why-ramp" style={{ background: gradient() }} />
      <div class="why-ends">
        {[range.least, middle, range.most].map((value, i) => (
          <span key={i}>{format(value)}</span>
        ))}
      </div>
    </div>
  );
}
