// The crops of a photo and their votes: laid over the photo, as tables to walk through, as a strip, and one by one.

import { useId, useMemo, useState } from 'preact/hooks';
import { planeSize } from '../../../../vgg/views/planes.ts';
import { PROBABILITIES, rangeOf, wideRange } from './colours.ts';
import { Choice, Legend, Share, Tick } from './controls.tsx';
import { gridsOf } from './grids.ts';
import { PhotoFigure } from './photo-figure.tsx';
import type { ModelViews, Slot } from './slots.ts';
import { meanOfCovering } from './surface.ts';
import { ViewDetail } from './view-detail.tsx';
import { VoteGrids } from './vote-grids.tsx';
import { VoteStrip } from './vote-strip.tsx';
import { tallyOf, votesOf } from './votes.ts';
import type { Subject } from './why.tsx';
import { countSentence, percent, viewName, type Selection } from './words.ts';

const FLIPS = [
  { value: 'both', label: 'both' },
  { value: 'plain', label: 'plain' },
  { value: 'mirrored', label: 'mirrored' },
] as const;

/** All about the crops of one model. */
export function Crops({ photo, answer, classIndex, labels, views }: Subject & { views: ModelViews }) {
  const crops = useMemo(() => views.slots.filter(({ dense }) => !dense), [views]);
  const grids = useMemo(() => gridsOf(crops, answer.protocol), [crops, answer.protocol]);
  const scales = [...new Set(crops.map(({ scale }) => scale))];
  const title = useId();
  const [scale, setScale] = useState('all');
  const [flip, setFlip] = useState<(typeof FLIPS)[number]['value']>('both');
  const [opacity, setOpacity] = useState(0.7);
  const [stretched, setStretched] = useState(true);
  const [active, setActive] = useState<number>();

  const selection: Selection = {
    ...(scale !== 'all' && { scale: Number(scale) }),
    ...(flip !== 'both' && { mirrored: flip === 'mirrored' }),
  };
  const selected = crops.filter((slot) => isSelected(slot, selection));
  const scored = selected.flatMap(({ view }) => view ?? []);
  const votes = votesOf(scored, classIndex);
  const tally = tallyOf(votes, classIndex);
  const label = labels[classIndex] ?? String(classIndex);
  const slotAt = (index: number | undefined) => crops.find((slot) => slot.index === index);
  const shown = slotAt(active) ?? slotAt(tally.strongest?.view.index) ?? crops[0];
  const surface = useMemo(() => {
    const size = planeSize(photo, Math.max(...selected.map((slot) => slot.scale)));
    const coverings = selected.flatMap(({ place, view }) =>
      view
        ? {
            x: place.x * size.width,
            y: place.y * size.height,
            width: place.width * size.width,
            height: place.height * size.height,
            value: view.posterior[classIndex] ?? 0,
            weight: view.weight,
          }
        : [],
    );
    return meanOfCovering(coverings, size);
  }, [crops, scale, flip, classIndex, photo.width, photo.height]);
  const range = stretched ? wideRange(rangeOf(surface.values)) : PROBABILITIES;
  const missing = crops.filter(({ view }) => view === undefined).length + views.unplaced;
  const nameOf = (index: number | undefined) => {
    const slot = slotAt(index);
    return slot ? viewName(slot) : '';
  };

  return (
    <section class="why-part" aria-labelledby={title}>
      <h3 id={title}>Crops</h3>
      <p class="why-summary">
        <strong>{countSentence(tally, label, selection)}</strong>{' '}
        {tally.strongest && tally.weakest && tally.count > 1 && (
          <>
            Strongest vote: {percent(tally.strongest.vote)} ({nameOf(tally.strongest.view.index)}); weakest:{' '}
            {percent(tally.weakest.vote)} ({nameOf(tally.weakest.view.index)}). Weighted mean:{' '}
            {percent(tally.mean)}.
          </>
        )}
        {missing > 0 &&
          ` ${String(missing)} crops were never computed: no vote of theirs could have changed the first class.`}
      </p>
      <div class="why-controls">
        {scales.length > 1 && (
          <Choice
            label="Scale"
            options={['all', ...scales.map(String)].map((value) => ({ value, label: value }))}
            value={scale}
            onChange={setScale}
          />
        )}
        {crops.some(({ mirrored }) => mirrored) && (
          <Choice label="Flip" options={FLIPS} value={flip} onChange={setFlip} />
        )}
        <Share label="Colour over photo" value={opacity} onChange={setOpacity} />
        <Tick label="Stretch colours to what is there" value={stretched} onChange={setStretched} />
      </div>
      <div class="why-columns">
        <div class="why-side">
          <figure class="why-main">
            <PhotoFigure
              {...{ photo, surface, range, opacity }}
              label={`The photo, coloured by the mean vote for ${label} of the crops that cover each place`}
              outlines={shown ? [shown.place] : []}
              onPoint={(x, y) => {
                setActive(nearestCrop(selected, { x, y }, shown)?.index);
              }}
            />
            <figcaption>
              <Legend range={range} format={percent}>
                Mean vote for {label} of the crops that cover each place
              </Legend>
            </figcaption>
          </figure>
          <VoteStrip
            {...{ crops, classIndex, label, selection }}
            active={shown?.index}
            onActive={setActive}
          />
        </div>
        <div class="why-side">
          <VoteGrids
            {...{ grids, classIndex, label, selection }}
            active={shown?.index}
            onActive={setActive}
          />
          {shown && (
            <ViewDetail {...{ photo, labels, classIndex }} slot={shown} inputSize={views.inputSize} />
          )}
        </div>
      </div>
    </section>
  );
}

/** Whether a view is among those that are meant. */
function isSelected(slot: Slot, { scale, mirrored }: Selection): boolean {
  return (
    (scale === undefined || slot.scale === scale) && (mirrored === undefined || slot.mirrored === mirrored)
  );
}

// The crop whose centre is nearest; of equals the one in hand, so that the outline is calm.
function nearestCrop(
  slots: readonly Slot[],
  { x, y }: { x: number; y: number },
  held: Slot | undefined,
): Slot | undefined {
  const distance = ({ place }: Slot) =>
    Math.hypot(place.x + place.width / 2 - x, place.y + place.height / 2 - y);
  const best = slots.reduce<Slot | undefined>(
    (least, slot) => (least === undefined || distance(slot) < distance(least) - 1e-9 ? slot : least),
    undefined,
  );
  if (held && best && slots.includes(held) && distance(held) <= distance(best) + 1e-9) return held;
  return best;
}
