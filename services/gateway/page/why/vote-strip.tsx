// How the votes are spread: a dot for each view, one line for each scale. The tables say the same to those who cannot
// see it.

import { colourAt, css } from './colours.ts';
import type { Slot } from './slots.ts';
import type { Selection } from './words.ts';

// Votes nearer than this stand above each other.
const BIN = 0.0125;
const MOST_STACKED = 8;

interface VoteStripProps {
  crops: readonly Slot[];
  classIndex: number;
  label: string;
  selection: Selection;
  active: number | undefined;
  onActive: (index: number) => void;
}

/** The strip. */
export function VoteStrip({ crops, classIndex, label, selection, active, onActive }: VoteStripProps) {
  const scales = [...new Set(crops.map(({ scale }) => scale))];
  return (
    <div class="why-strip" aria-hidden="true">
      <div class="why-caption">
        Each crop's vote for {label}: <span class="why-key why-key-plain" /> plain{' '}
        <span class="why-key why-key-mirrored" /> mirrored
      </div>
      {scales.map((scale) => {
        const stacks = new Map<number, number>();
        const own = crops.filter((slot) => slot.scale === scale && slot.view);
        return (
          <div key={scale} class={(selection.scale ?? scale) === scale ? 'why-line' : 'why-line why-apart'}>
            <span class="why-scale">{scale}</span>
            <div class="why-axis">
              {own.map(({ index, view, mirrored }) => {
                const vote = view?.posterior[classIndex] ?? 0;
                const bin = Math.round(vote / BIN);
                const below = stacks.get(bin) ?? 0;
                stacks.set(bin, below + 1);
                const colour = css(colourAt(vote));
                const apart = (selection.mirrored ?? mirrored) !== mirrored ? ' why-apart' : '';
                return (
                  <span
                    key={index}
                    class={`why-dot${index === active ? ' why-active' : ''}${mirrored ? ' why-hollow' : ''}${apart}`}
                    style={{
                      left: `${String(vote * 100)}%`,
                      bottom: `${String(2 + 5 * Math.min(below, MOST_STACKED))}px`,
                      ...(mirrored ? { borderColor: colour } : { background: colour, borderColor: colour }),
                    }}
                    onMouseEnter={() => {
                      onActive(index);
                    }}
                  />
                );
              })}
            </div>
          </div>
        );
      })}
      <div class="why-line">
        <span class="why-scale" />
        <div class="why-ticks">
          {['0', '25', '50', '75', '100 %'].map((text) => (
            <span key={text}>{text}</span>
          ))}
        </div>
      </div>
    </div>
  );
}
