// The most probable classes as a list with bars. Rows stay where they are while scores change.

interface Row {
  label: string;
  classIndex: number;
  score: number;
}

interface BarsProps {
  /** Most probable first; fewer than `rows` leave rows empty. */
  predictions: readonly Row[];
  rows: number;
  /** Of the row that is looked into. */
  classIndex: number | undefined;
  /** Undefined while there is nothing to look into yet. */
  onClass: ((classIndex: number) => void) | undefined;
  name: string;
}

/** Each row is a button: it says which class is looked into. */
export function Bars({ predictions, rows, classIndex, onClass, name }: BarsProps) {
  return (
    <ol class="bars" aria-label={name}>
      {Array.from({ length: rows }, (_, i) => {
        const row = predictions[i];
        return (
          <li key={i}>
            {row ? <Bar row={row} chosen={row.classIndex === classIndex} onClass={onClass} /> : <Empty />}
          </li>
        );
      })}
    </ol>
  );
}

function Bar({ row, chosen, onClass }: { row: Row; chosen: boolean; onClass: BarsProps['onClass'] }) {
  const { label, score, classIndex } = row;
  return (
    <button
      type="button"
      class="bar"
      disabled={!onClass}
      aria-pressed={onClass ? chosen : undefined}
      onClick={() => onClass?.(classIndex)}
    >
      <span class="label">{label}</span>
      <span class="score">{percent(score)}</span>
      <span class="track" aria-hidden="true">
        <span class="fill" style={{ transform: `scaleX(${String(score)})` }} />
      </span>
    </button>
  );
}

function Empty() {
  return (
    <div class="bar empty" aria-hidden="true">
      <span class="label">–</span>
      <span class="track" />
    </div>
  );
}

/** A probability as it is written: 76.5 %. */
export function percent(score: number): string {
  return `${(score * 100).toFixed(1)} %`;
}
