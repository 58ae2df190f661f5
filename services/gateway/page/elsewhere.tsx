// The same question elsewhere, and the answer as JSON: texts to copy. Knows tabs and the clipboard.

import { useId, useState } from 'preact/hooks';
import type { AnswerJson } from '../../../sdk/answer-json.ts';
import { cli, curl, python, typescript, type Question } from './snippets.ts';

interface ElsewhereProps {
  question: Question;
  answer: AnswerJson;
}

/** Closed until somebody asks. */
export function Elsewhere({ question, answer }: ElsewhereProps) {
  const texts = [
    { name: 'curl', text: () => curl(question) },
    { name: 'TypeScript', text: () => typescript(question) },
    { name: 'Python', text: () => python(question) },
    { name: 'vgg', text: () => cli(question) },
    { name: 'JSON', text: () => json(answer) },
  ];
  const [place, setPlace] = useState(0);
  const id = useId();
  const text = (texts[place] ?? texts[0])?.text() ?? '';
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -place, End: -1 - place }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (place + step + texts.length) % texts.length;
    setPlace(next);
    document.getElementById(`${id}-${String(next)}`)?.focus();
  };
  return (
    <details class="elsewhere">
      <summary>Ask from elsewhere, and the answer as JSON</summary>
      <div role="tablist" aria-label="Form" onKeyDown={move}>
        {texts.map(({ name }, i) => (
          <button
            type="button"
            role="tab"
            key={name}
            id={`${id}-${String(i)}`}
            aria-selected={i === place}
            aria-controls={`${id}-panel`}
            tabIndex={i === place ? 0 : -1}
            onClick={() => {
              setPlace(i);
            }}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${String(place)}`}>
        <pre tabIndex={0}>{text}</pre>
        <Copy text={text} key={place} />
      </div>
    </details>
  );
}

/** A button that copies a text and says so. */
export function Copy({ text, name = 'Copy' }: { text: string; name?: string }) {
  const [done, setDone] = useState('');
  return (
    <div class="row">
      <button
        type="button"
        onClick={() => {
          copy(text).then(
            () => {
              setDone('Copied');
            },
            () => {
              setDone('The browser does not allow it');
            },
          );
        }}
      >
        {name}
      </button>
      <span role="status" class="hint">
        {done}
      </span>
    </div>
  );
}

async function copy(text: string): Promise<void> {
  // Over plain http, browsers lend the clipboard to localhost alone.
  if (!isSecureContext) throw new Error('not secure');
  await navigator.clipboard.writeText(text);
}

// What the curl line prints: without the views, which the page asked for besides.
function json(answer: AnswerJson): string {
  return JSON.stringify(answer, (name, value: unknown) => (name === 'viewScores' ? undefined : value), 2);
}
