// Every crop's vote as a cell that can be pointed at or walked to: one table for each scale and flip.

import { useRef } from 'preact/hooks';
import { colourAt, css, inkOn } from './colours.ts';
import { neighbour, type Cell, type Grid, type Step } from './grids.ts';
import { percent, viewName, wholePercent, type Selection } from './words.ts';

const STEPS: Record<string, Step> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};

interface VoteGridsProps {
  grids: readonly Grid[];
  classIndex: number;
  label: string;
  selection: Selection;
  active: number | undefined;
  onActive: (index: number) => void;
}

/** Tables of votes; one stop of the Tab key, arrows walk inside and across. */
export function VoteGrids(props: VoteGridsProps) {
  const { grids, label, selection, active, onActive } = props;
  const root = useRef<HTMLDivElement>(null);
  const go = (index: number | undefined, event: KeyboardEvent) => {
    if (index === undefined) return;
    event.preventDefault();
    onActive(index);
    root.current?.querySelector<HTMLElement>(`[data-view="${String(index)}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    const slots = grids.flatMap(({ cells }) => cells.map(({ slot }) => slot));
    if (step !== undefined && active !== undefined) go(neighbour(grids, active, step)?.index, event);
    if (event.key === 'Home') go(slots[0]?.index, event);
    if (event.key === 'End') go(slots.at(-1)?.index, event);
  };
  return (
    <div
      class={grids.some(({ columns }) => columns > 6) ? 'why-grids why-wide' : 'why-grids'}
      ref={root}
      role="group"
      aria-label={`Votes of all crops for ${label}, in per cent. Arrow keys walk from crop to crop`}
      onKeyDown={onKeyDown}
    >
      {grids.map((grid) => {
        const { scale, mirrored, rows, columns, cells } = grid;
        const meant = (selection.scale ?? scale) === scale && (selection.mirrored ?? mirrored) === mirrored;
        return (
          <div key={`${String(scale)} ${String(mirrored)}`} class={meant ? 'why-grid' : 'why-grid why-apart'}>
            <div class="why-caption">
              {scale}
              {mirrored ? ', mirrored' : ''}
            </div>
            <div
              class="why-cells"
              style={{
                gridTemplateColumns: `repeat(${String(columns)}, var(--why-cell))`,
                gridTemplateRows: `repeat(${String(rows)}, var(--why-cell))`,
              }}
            >
              {cells.map((cell) => (
                <VoteCell key={cell.slot.index} {...props} cell={cell} />
              ))}
            </div>
          </div>
        );
      })}
    </div>
  );
}

function VoteCell({ cell, classIndex, label, active, onActive }: VoteGridsProps & { cell: Cell }) {
  const { slot, row, column } = cell;
  const { index, view } = slot;
  const vote = view?.posterior[classIndex];
  const colour = vote === undefined ? undefined : colourAt(vote);
  const say = vote === undefined ? 'never computed' : `${percent(vote)} ${label}`;
  const take = () => {
    onActive(index);
  };
  return (
    <button
      type="button"
      class={vote === undefined ? 'why-cell why-missing' : 'why-cell'}
      data-view={index}
      tabIndex={index === active ? 0 : -1}
      aria-current={index === active ? 'true' : undefined}
      aria-label={`${viewName(slot)}: ${say}`}
      style={{
        gridColumn: String(column + 1),
        gridRow: String(row + 1),
        ...(colour && { background: css(colour), color: inkOn(colour) }),
      }}
      onMouseEnter={take}
      onFocus={take}
      onClick={take}
      // Drawn by the style sheet: the label says it better.
      data-vote={vote === undefined ? '·' : wholePercent(vote)}
    />
  );
}
