// One answer, from the question to the last view. Knows the states of an answer and where each is shown.

import { useEffect, useState } from 'preact/hooks';
import type { Model } from '../../../sdk/models.ts';
import type { Protocol } from '../../../vgg/views/evaluation.ts';
import { Announcer } from './announcer.tsx';
import { useAsking, type Asked } from './asking.ts';
import { Bars } from './bars.tsx';
import { Elsewhere } from './elsewhere.tsx';
import { Notice } from './notice.tsx';
import type { Photo } from './photo.ts';
import { queryOf, type Settings } from './settings.ts';
import { PROTOCOL_NAMES } from './settings-form.tsx';
import { TimeSplit } from './time-split.tsx';
import { Why } from './why/why.tsx';

interface AnswerColumnProps {
  photo: Photo;
  settings: Settings;
  protocol: Protocol;
  model: Model;
  apiKey: string;
  onKey: (key: string) => void;
}

/** Asks, and shows what comes. */
export function AnswerColumn({ photo, settings, protocol, model, apiKey, onKey }: AnswerColumnProps) {
  const query = queryOf(settings, protocol).toString();
  const { asked, left, cancel, again } = useAsking(photo.blob, query, apiKey);
  const [chosen, setChosen] = useState<number>();
  useEffect(() => {
    setChosen(undefined);
  }, [photo, query]);
  const answer = 'answer' in asked ? asked.answer : undefined;
  const whole = asked.state === 'answered' ? asked.answer : undefined;
  const classIndex = chosen ?? whole?.predictions[0]?.classIndex;
  const name = PROTOCOL_NAMES[protocol];
  const title = `answer-${protocol.toLowerCase()}`;
  return (
    <section class="card answer" aria-labelledby={title} data-state={asked.state} aria-busy={isBusy(asked)}>
      <header>
        <h2 id={title}>{name}</h2>
        <p class="hint">{describe(asked, settings, model)}</p>
      </header>
      <Announcer asked={asked} name={name} />
      {asked.state === 'trouble' ? (
        <Notice trouble={asked.trouble} left={left} onAgain={again} onKey={onKey} />
      ) : (
        <>
          <Bars
            name={`${name}: most probable classes`}
            predictions={answer?.predictions ?? []}
            rows={Math.min(settings.top, model.classes)}
            classIndex={classIndex}
            onClass={whole ? setChosen : undefined}
          />
          <Progress asked={asked} onCancel={cancel} onAgain={again} name={name} />
        </>
      )}
      {whole && (
        <>
          <TimeSplit timing={whole.timing} />
          {classIndex !== undefined && photo.width > 0 && (
            <Why
              photo={photo}
              answer={whole}
              classIndex={classIndex}
              labels={model.labels}
              onClass={setChosen}
            />
          )}
          <Elsewhere
            answer={whole}
            question={{
              settings,
              protocol,
              photo: { name: photo.name, type: photo.blob.type || 'application/octet-stream' },
              origin: new URL('.', location.href.split('#')[0]).href.replace(/\/$/, ''),
              keyed: apiKey !== '',
            }}
          />
        </>
      )}
    </section>
  );
}

function isBusy({ state }: Asked): boolean {
  return state === 'waiting' || state === 'forming';
}

function describe(asked: Asked, settings: Settings, model: Model): string {
  if (asked.state !== 'answered')
    return settings.models.length > 0 ? settings.models.join(' + ') : model.name;
  const { model: name, network, scales, engine } = asked.answer;
  return `${name.replaceAll('+', ' + ')} (${network.replaceAll('+', ' + ')}) at ${scales.join(', ')}, ${engine}`;
}

interface ProgressProps {
  asked: Asked;
  name: string;
  onCancel: () => void;
  onAgain: () => void;
}

function Progress({ asked, name, onCancel, onAgain }: ProgressProps) {
  const { done, total, words } = progressOf(asked);
  return (
    <div class="progress">
      <progress aria-label={`${name}: views scored`} max={total} value={done} />
      <span class="hint">{words}</span>
      {isBusy(asked) ? (
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      ) : (
        <button type="button" onClick={onAgain}>
          Ask again
        </button>
      )}
    </div>
  );
}

function progressOf(asked: Asked): { done: number; total: number; words: string } {
  switch (asked.state) {
    case 'forming': {
      const { viewsDone: done, viewsTotal: total } = asked.answer;
      return { done, total, words: `${String(done)} of ${String(total)} views` };
    }
    case 'answered': {
      const { views: done, viewsTotal: total = done } = asked.answer;
      const words =
        done < total ? `certain after ${String(done)} of ${String(total)} views` : `${String(done)} views`;
      return { done, total, words };
    }
    case 'cancelled': {
      const { viewsDone: done = 0, viewsTotal: total = 1 } = asked.answer ?? {};
      return {
        done,
        total,
        words: done > 0 ? `cancelled after ${String(done)} of ${String(total)} views` : 'cancelled',
      };
    }
    case 'waiting':
    case 'trouble':
      return { done: 0, total: 1, words: 'asking' };
  }
}
