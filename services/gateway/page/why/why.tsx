// Why this answer: the parts of the photo that voted for a class, crop by crop and place by place.
// Knows an answer with its views; how it was asked for is the page's.

import './why.css';
import './controls.css';
import { useMemo, useState } from 'preact/hooks';
import type { AnswerJson } from '../../../../sdk/answer-json.ts';
import type { Size } from '../../../../vgg/views/planes.ts';
import { ClassChooser } from './class-chooser.tsx';
import { Crops } from './crops.tsx';
import { Dense } from './dense.tsx';
import { modelsOf, modelViews } from './slots.ts';
import { Choice } from './controls.tsx';
import { ViewsTable } from './views-table.tsx';

/** A photo as the browser shows it, upright. */
export interface ShownPhoto extends Size {
  url: string;
}

/** What every part of the explanation is about. */
export interface Subject {
  photo: ShownPhoto;
  answer: AnswerJson;
  classIndex: number;
  labels: readonly string[];
}

/** Which parts of the photo made the answer. The answer has its views; dense ones have their score maps. */
export function Why(props: Subject & { onClass: (index: number) => void }) {
  const { photo, answer, classIndex, labels, onClass } = props;
  const models = modelsOf(answer);
  const [chosen, setChosen] = useState(models[0]);
  const model = chosen !== undefined && models.includes(chosen) ? chosen : (models[0] ?? '');
  const views = useMemo(() => modelViews(answer, model, photo), [answer, model, photo.width, photo.height]);
  if (models.length === 0) return <p class="why-note">This answer came without its views.</p>;
  const subject = { photo, answer, classIndex, labels };
  return (
    <div class="why">
      <ClassChooser {...{ answer, classIndex, labels, onClass }} />
      {models.length > 1 && (
        <Choice
          label="Model"
          options={models.map((name) => ({ value: name, label: name }))}
          value={model}
          onChange={setChosen}
        />
      )}
      {views.slots.some(({ dense }) => !dense) && <Crops key={`crops ${model}`} {...subject} views={views} />}
      {views.slots.some(({ dense }) => dense) && <Dense key={`dense ${model}`} {...subject} views={views} />}
      <ViewsTable {...subject} views={views} />
    </div>
  );
}
