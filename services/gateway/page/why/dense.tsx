// Whole planes: the class score map as a heat map over the photo, place by place.

import { useId, useMemo, useRef, useState } from 'preact/hooks';
import { PROBABILITIES, rangeOf, wideRange } from './colours.ts';
import { Choice, Legend, Share, Tick } from './controls.tsx';
import {
  denseMaps,
  denseSurface,
  locations,
  nearestLocation,
  strongestLocation,
  type Location,
} from './dense-maps.ts';
import { PhotoFigure } from './photo-figure.tsx';
import type { ModelViews } from './slots.ts';
import type { MapDrawing } from './surface.ts';
import type { MapValue } from './votes.ts';
import type { Subject } from './why.tsx';
import { percent, score, whereabouts, wholePercent } from './words.ts';

type Flip = 'both' | 'plain' | 'mirrored';
const FLIPS: { value: Flip; label: string }[] = [
  { value: 'both', label: 'both' },
  { value: 'plain', label: 'plain' },
  { value: 'mirrored', label: 'mirrored' },
];
const VALUES: { value: MapValue; label: string }[] = [
  { value: 'probability', label: 'probability' },
  { value: 'score', label: 'raw score' },
];
const DRAWINGS: { value: MapDrawing; label: string }[] = [
  { value: 'cells', label: 'cells' },
  { value: 'smooth', label: 'smooth' },
  { value: 'windows', label: 'mean of windows' },
];
const WHOLE = { x: 0, y: 0, width: 1, height: 1 };
const MEANING: Record<MapDrawing, string> = {
  cells: 'at the centre of each window',
  smooth: 'between the centres of windows',
  windows: 'mean of the windows that see each place',
};

/** All about the whole planes of one model. */
export function Dense({ photo, classIndex, labels, views }: Subject & { views: ModelViews }) {
  const planes = views.slots.filter(({ dense }) => dense);
  const scales = [...new Set(planes.map(({ scale }) => scale))];
  const title = useId();
  const [scale, setScale] = useState(Math.max(...scales));
  const [flip, setFlip] = useState<Flip>('both');
  const [value, setValue] = useState<MapValue>('probability');
  const [drawing, setDrawing] = useState<MapDrawing>('smooth');
  const [opacity, setOpacity] = useState(0.7);
  const [stretched, setStretched] = useState(true);
  const [active, setActive] = useState<number>();
  const maps = useMemo(() => denseMaps(views, classIndex, value), [views, classIndex, value]);
  const label = labels[classIndex] ?? String(classIndex);
  const format = value === 'probability' ? percent : score;
  const shown = maps.filter(
    (map) => map.scale === scale && (flip === 'both' || map.mirrored === (flip === 'mirrored')),
  );
  const surface = useMemo(() => denseSurface(shown, drawing), [maps, scale, flip, drawing]);
  // Of all scales, so that they can be compared; stretched, of what is in sight.
  const range = stretched
    ? wideRange(rangeOf(surface.values))
    : value === 'probability'
      ? PROBABILITIES
      : rangeOf(maps.flatMap(({ map }) => map.values));
  const first = shown[0];
  const places = first ? locations(first) : [];
  const strongest = strongestLocation(shown);
  const index =
    active !== undefined && active < places.length
      ? active
      : (nearestLocation(places, strongest?.window ?? WHOLE)?.index ?? 0);
  const place = places[index];
  const other = shown[1] && place && nearestLocation(locations(shown[1]), place.window);
  if (maps.length === 0) {
    return (
      <section class="why-part" aria-labelledby={title}>
        <h3 id={title}>Whole photo</h3>
        <p class="why-note">
          {planes.some(({ view }) => view)
            ? 'This answer came without score maps.'
            : 'The whole photo was never computed: the first class was certain without it.'}
        </p>
      </section>
    );
  }
  return (
    <section class="why-part" aria-labelledby={title}>
      <h3 id={title}>Whole photo</h3>
      <p class="why-summary">
        {strongest && (
          <strong>
            At {scale}
            {strongest.mirrored ? ', mirrored' : ''}, {label} is strongest{' '}
            {whereabouts(strongest.window) === 'centre'
              ? 'in the centre'
              : `at the ${whereabouts(strongest.window)}`}
            : {format(strongest.value)}.
          </strong>
        )}{' '}
        The network sees the whole photo at once; each location of its class score map speaks of a window of{' '}
        {views.inputSize} × {views.inputSize} pixels, 32 pixels from the next. Mirrored maps are laid back.
      </p>
      <div class="why-controls">
        {scales.length > 1 && (
          <Choice
            label="Scale"
            options={scales.map((each) => ({ value: String(each), label: String(each) }))}
            value={String(scale)}
            onChange={(text) => {
              setScale(Number(text));
            }}
          />
        )}
        <Choice label="Flip" options={FLIPS} value={flip} onChange={setFlip} />
        <Choice label="Value" options={VALUES} value={value} onChange={setValue} />
        <Choice label="Drawn as" options={DRAWINGS} value={drawing} onChange={setDrawing} />
        <Share label="Colour over photo" value={opacity} onChange={setOpacity} />
        <Tick label="Stretch colours to what is there" value={stretched} onChange={setStretched} />
      </div>
      <div class="why-columns">
        <figure class="why-main">
          <PhotoFigure
            {...{ photo, surface, range, opacity }}
            label={`The photo, coloured by the map of ${label}`}
            outlines={place ? [{ ...place.cell, dashed: true }, place.window] : []}
          >
            <Places
              {...{ places, index, label, format }}
              columns={first?.map.lefts.length ?? 1}
              onActive={setActive}
            />
          </PhotoFigure>
          <figcaption>
            <Legend range={range} format={format}>
              {value === 'probability' ? 'Probability' : 'Score'} of {label}, {MEANING[drawing]}
            </Legend>
          </figcaption>
        </figure>
        <div class="why-side">
          {place && (
            <p class="why-readout">
              <span class="why-name">{format(place.value)}</span> {label}, window of row {place.row + 1},
              column {place.column + 1} at {scale}
              {flip === 'mirrored' ? ', mirrored' : ''} ({whereabouts(place.window)}).
              {other && ` The nearest window of the mirrored photo: ${format(other.value)}.`}
            </p>
          )}
          {shown.map((map) => (
            <MapTable
              key={String(map.mirrored)}
              {...{ map, label }}
              cellText={value === 'score' ? score : wholePercent}
              unit={value === 'score' ? '' : ', in %'}
            />
          ))}
        </div>
      </div>
    </section>
  );
}

interface PlacesProps {
  places: readonly Location[];
  columns: number;
  index: number;
  label: string;
  format: (value: number) => string;
  onActive: (index: number) => void;
}

// A button on each cell: one stop of the Tab key, arrows walk.
function Places({ places, columns, index, label, format, onActive }: PlacesProps) {
  const root = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowLeft: index % columns > 0 ? -1 : 0,
      ArrowRight: (index + 1) % columns > 0 ? 1 : 0,
      ArrowUp: -columns,
      ArrowDown: columns,
    };
    const next = index + (steps[event.key] ?? 0);
    if (steps[event.key] === undefined || !places[next]) return;
    event.preventDefault();
    onActive(next);
    (root.current?.children.item(next) as HTMLElement | null)?.focus();
  };
  return (
    <div
      ref={root}
      class="why-places"
      role="group"
      aria-label="Locations of the map. Arrow keys walk"
      onKeyDown={onKeyDown}
    >
      {places.map(({ row, column, value, cell }, i) => {
        const take = () => {
          onActive(i);
        };
        return (
          <button
            key={i}
            type="button"
            tabIndex={i === index ? 0 : -1}
            aria-label={`Row ${String(row + 1)}, column ${String(column + 1)}: ${format(value)} ${label}`}
            style={{
              left: `${String(cell.x * 100)}%`,
              top: `${String(cell.y * 100)}%`,
              width: `${String(cell.width * 100)}%`,
              height: `${String(cell.height * 100)}%`,
            }}
            onMouseEnter={take}
            onFocus={take}
            onClick={take}
          />
        );
      })}
    </div>
  );
}

interface MapTableProps {
  map: { mirrored: boolean; scale: number; map: { lefts: number[]; tops: number[]; values: number[] } };
  label: string;
  cellText: (value: number) => string;
  unit: string;
}

function MapTable({ map: { mirrored, scale, map }, label, cellText, unit }: MapTableProps) {
  return (
    <details class="why-details">
      <summary>
        Map at {scale}
        {mirrored ? ', mirrored' : ', plain'}, as numbers
      </summary>
      <div
        class="why-scroll"
        tabIndex={0}
        role="region"
        aria-label={`Map at ${String(scale)}${mirrored ? ', mirrored' : ''}`}
      >
        <table>
          <caption>
            {label} by row and column of the map, as on the upright photo{unit}
          </caption>
          <tbody>
            {map.tops.map((top, row) => (
              <tr key={top}>
                {map.lefts.map((left, column) => (
                  <td key={left}>{cellText(map.values[row * map.lefts.length + column] ?? NaN)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
