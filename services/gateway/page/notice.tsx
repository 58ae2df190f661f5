// What stands in the way of an answer, and what a visitor can do about it. Knows every kind of trouble.

import { useState } from 'preact/hooks';
import type { Problem, Trouble } from './server.ts';

interface NoticeProps {
  trouble: Trouble;
  /** Seconds until the next try, where there is one. */
  left: number | undefined;
  onAgain: () => void;
  onKey: (key: string) => void;
}

/** One trouble, said once. */
export function Notice({ trouble, left, onAgain, onKey }: NoticeProps) {
  switch (trouble.kind) {
    case 'refused':
      return <Refused problem={trouble.problem} onAgain={onAgain} />;
    case 'busy':
      return (
        <div class="notice busy">
          <h3>The server has much to do</h3>
          <p>{trouble.problem.detail}.</p>
          <p role="timer">
            {left === undefined ? 'It stays busy; try again later.' : `Next try in ${String(left)} s.`}
          </p>
          <button type="button" onClick={onAgain}>
            Try now
          </button>
        </div>
      );
    case 'starting':
      return (
        <div class="notice starting">
          <h3>The server is starting</h3>
          <p>
            Models are being loaded. A server that sleeps while nobody asks takes some minutes to wake. The
            answer follows as soon as they are ready.
          </p>
          <span class="pulse" aria-hidden="true" />
        </div>
      );
    case 'offline':
      return (
        <div class="notice offline">
          <h3>The server cannot be reached</h3>
          <p>This page tries again as soon as there is a connection.</p>
          <button type="button" onClick={onAgain}>
            Try now
          </button>
        </div>
      );
    case 'key':
      return <KeyField refused={trouble.refused} onKey={onKey} />;
  }
}

const TITLES: Partial<Record<Problem['code'], string>> = {
  INVALID_ARGUMENT: 'This cannot be answered',
  UNSUPPORTED_FORMAT: 'This is no photo that the server knows',
  TOO_LARGE: 'This photo is too large',
  NOT_FOUND: 'There is no such model',
  DEADLINE_EXCEEDED: 'It took too long',
  PERMISSION_DENIED: 'This is not allowed',
};

function Refused({ problem, onAgain }: { problem: Problem; onAgain: () => void }) {
  const { status, code, detail, errors } = problem;
  const others = errors.filter(({ message }) => message !== detail);
  return (
    <div class="notice refused">
      <h3>{TITLES[code] ?? 'Something went wrong'}</h3>
      <p>{detail}</p>
      {others.length > 0 && (
        <ul>
          {others.map(({ field, message }) => (
            <li key={field}>{message}</li>
          ))}
        </ul>
      )}
      <p class="hint">
        {status} {code}
        {errors.length > 0 && `: ${errors.map(({ field }) => field).join(', ')}`}
      </p>
      <button type="button" onClick={onAgain}>
        Try again
      </button>
    </div>
  );
}

function KeyField({ refused, onKey }: { refused: boolean; onKey: (key: string) => void }) {
  const [key, setKey] = useState('');
  return (
    <form
      class="notice key"
      onSubmit={(event) => {
        event.preventDefault();
        if (key.trim() !== '') onKey(key.trim());
      }}
    >
      <h3>This server asks for an API key</h3>
      <label class="field">
        <span>API key</span>
        <input
          type="password"
          autocomplete="off"
          required
          value={key}
          aria-invalid={refused}
          aria-describedby="key-hint"
          onInput={({ currentTarget }) => {
            setKey(currentTarget.value);
          }}
        />
      </label>
      <p id="key-hint" class={refused ? 'wrong' : 'hint'}>
        {refused
          ? 'The server does not know this key.'
          : 'Kept until this tab is closed, and sent to this server alone.'}
      </p>
      <button type="submit" class="primary">
        Use this key
      </button>
    </form>
  );
}
