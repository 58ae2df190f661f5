// The photo in grey under a coloured surface, with outlines over both.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Rectangle } from '../../../../vgg/views/planes.ts';
import { colourAt, placeInRange, type Range } from './colours.ts';
import type { Surface } from './surface.ts';
import type { ShownPhoto } from './why.tsx';

interface PhotoFigureProps {
  photo: ShownPhoto;
  label: string;
  surface: Surface;
  range: Range;
  /** Of the surface, 0 to 1. */
  opacity: number;
  /** Outlines, in fractions of the photo; dashed ones are context. */
  outlines: readonly (Rectangle & { dashed?: boolean })[];
  /** Called with a place in fractions of the photo. */
  onPoint?: (x: number, y: number) => void;
  children?: ComponentChildren;
}

/** Draws them. */
export function PhotoFigure(props: PhotoFigureProps) {
  const { photo, label, surface, range, opacity, outlines, onPoint, children } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    paint(canvas.current, surface, range);
  }, [surface, range.least, range.most]);
  const point = (event: MouseEvent) => {
    const { left, top, width, height } = (event.currentTarget as Element).getBoundingClientRect();
    onPoint?.((event.clientX - left) / width, (event.clientY - top) / height);
  };
  return (
    <div
      class="why-photo"
      role="group"
      aria-label={label}
      style={{ aspectRatio: `${String(photo.width)} / ${String(photo.height)}` }}
      onMouseMove={point}
      onClick={point}
    >
      <img src={photo.url} alt="" style={{ filter: `grayscale(${opacity > 0 ? '1' : '0'})` }} />
      <canvas ref={canvas} aria-hidden="true" style={{ opacity: String(opacity) }} />
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
        {outlines.map(({ x, y, width, height, dashed }, i) => (
          <g key={i} class={dashed ? 'why-context' : 'why-outline'}>
            <rect {...{ x, y, width, height }} class="why-halo" />
            <rect {...{ x, y, width, height }} />
          </g>
        ))}
      </svg>
      {children}
    </div>
  );
}

function paint(canvas: HTMLCanvasElement | null, { width, height, values }: Surface, range: Range): void {
  const context = canvas?.getContext('2d');
  if (!canvas || !context) return;
  canvas.width = width;
  canvas.height = height;
  const image = context.createImageData(width, height);
  for (const [i, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    image.data.set([...colourAt(placeInRange(value, range)), 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}
