// Which class the figures are about: one of the answer's, or any other by its label.

import { useId, useState } from 'preact/hooks';
import type { AnswerJson } from '../../../../sdk/answer-json.ts';
import { percent } from './words.ts';

const MOST_FOUND = 8;

interface ClassChooserProps {
  answer: AnswerJson;
  classIndex: number;
  labels: readonly string[];
  onClass: (index: number) => void;
}

/** Chooses a class. */
export function ClassChooser({ answer, classIndex, labels, onClass }: ClassChooserProps) {
  const [text, setText] = useState('');
  const name = useId();
  const offered = [...answer.predictions];
  if (!offered.some((each) => each.classIndex === classIndex)) {
    offered.push({ classIndex, label: labels[classIndex] ?? String(classIndex), score: NaN });
  }
  const found = matching(labels, text);
  const choose = (index: number) => {
    setText('');
    onClass(index);
  };
  return (
    <div class="why-classes">
      <fieldset class="why-choice">
        <legend>Votes for</legend>
        <div class="why-options">
          {offered.map(({ classIndex: index, label, score }) => (
            <label key={index}>
              <input
                type="radio"
                name={name}
                checked={index === classIndex}
                onChange={() => {
                  choose(index);
                }}
              />
              <span>
                {label} {!Number.isNaN(score) && <small>{percent(score)}</small>}
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      <div class="why-search">
        <label>
          <span>Another of {labels.length} classes</span>
          <input
            type="search"
            autocomplete="off"
            spellcheck={false}
            value={text}
            onInput={({ currentTarget }) => {
              setText(currentTarget.value);
            }}
            onKeyDown={({ key }) => {
              if (key === 'Enter' && found[0] !== undefined) choose(found[0]);
              if (key === 'Escape') setText('');
            }}
          />
        </label>
        <div role="status" class="why-found-count">
          {text !== '' && `${String(found.length)} found`}
        </div>
        {text !== '' && (
          <ul class="why-found">
            {found.slice(0, MOST_FOUND).map((index) => (
              <li key={index}>
                <button
                  type="button"
                  onClick={() => {
                    choose(index);
                  }}
                >
                  {labels[index]} <small>{index}</small>
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}

// Those that begin with the text first.
function matching(labels: readonly string[], text: string): number[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  const at = labels.map((label) => label.toLowerCase().indexOf(wanted));
  const found = [...labels.keys()].filter((index) => (at[index] ?? -1) >= 0);
  return found.sort((a, b) => Number(at[a] !== 0) - Number(at[b] !== 0) || a - b);
}
