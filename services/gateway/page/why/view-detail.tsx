// One view: what the network sees of it, and what it says.

import { useEffect, useRef } from 'preact/hooks';
import { decodedPhoto } from './photo-pixels.ts';
import type { Slot } from './slots.ts';
import { topClasses } from './votes.ts';
import type { ShownPhoto } from './why.tsx';
import { percent, viewName, weightName } from './words.ts';

interface ViewDetailProps {
  photo: ShownPhoto;
  labels: readonly string[];
  classIndex: number;
  slot: Slot;
  inputSize: number;
}

/** The view under the pointer or the focus. */
export function ViewDetail({ photo, labels, classIndex, slot, inputSize }: ViewDetailProps) {
  const { view, rectangle, place, mirrored } = slot;
  const { x, y, width, height } = rectangle;
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let current = true;
    void decodedPhoto(photo.url).then((image) => {
      if (current) draw(canvas.current, image, { slot, inputSize });
    });
    return () => {
      current = false;
    };
  }, [photo.url, place.x, place.y, place.width, place.height, mirrored, inputSize]);
  const top = view ? topClasses(view.posterior, 5) : [];
  return (
    <div class="why-detail">
      <canvas
        ref={canvas}
        width={inputSize}
        height={inputSize}
        role="img"
        aria-label={`What the network sees: ${viewName(slot)}`}
      />
      <div class="why-said">
        <div class="why-name">Crop at {viewName(slot)}</div>
        <div class="why-facts">
          {width} × {height} at ({x}, {y}){view && <> · weight {weightName(view.weight)}</>}
        </div>
        {view ? (
          <ol class="why-top">
            {top.map(({ classIndex: index, score }) => (
              <li key={index} class={index === classIndex ? 'why-chosen' : ''}>
                <span class="why-bar" style={{ width: `${String(score * 100)}%` }} />
                <span>{labels[index] ?? index}</span>
                <span>{percent(score)}</span>
              </li>
            ))}
          </ol>
        ) : (
          <p>Never computed: the first class was certain without it.</p>
        )}
      </div>
    </div>
  );
}

function draw(
  canvas: HTMLCanvasElement | null,
  image: HTMLImageElement,
  { slot: { place, mirrored }, inputSize }: { slot: Slot; inputSize: number },
): void {
  const context = canvas?.getContext('2d');
  if (!context) return;
  const { naturalWidth: width, naturalHeight: height } = image;
  context.imageSmoothingQuality = 'high';
  context.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? inputSize : 0, 0);
  context.clearRect(0, 0, inputSize, inputSize);
  context.drawImage(
    image,
    ...([place.x * width, place.y * height, place.width * width, place.height * height] as const),
    ...([0, 0, inputSize, inputSize] as const),
  );
}
