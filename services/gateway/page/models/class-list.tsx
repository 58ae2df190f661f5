// What a model can answer: its classes, with a search.

import { useState } from 'preact/hooks';

/** The list. */
export function ClassList({ labels }: { labels: readonly string[] }) {
  const [text, setText] = useState('');
  const wanted = text.trim().toLowerCase();
  const found = [...labels.entries()].filter(([, label]) => label.toLowerCase().includes(wanted));
  return (
    <section aria-labelledby="model-classes">
      <h2 id="model-classes">Classes</h2>
      <label class="model-search">
        <span>Search {labels.length} classes</span>
        <input
          type="search"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
          }}
        />
      </label>
      <p role="status" class="model-note">
        {wanted === '' ? '' : `${String(found.length)} of ${String(labels.length)}`}
      </p>
      <div class="model-classes" tabIndex={0} role="region" aria-label="List of classes">
        <ul>
          {found.map(([index, label]) => (
            <li key={index}>
              <small>{index}</small> {label}
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
