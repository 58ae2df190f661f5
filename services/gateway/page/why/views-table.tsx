// Every view as a row of a table: what the figures show, as text.

import type { ModelViews } from './slots.ts';
import { topClasses } from './votes.ts';
import type { Subject } from './why.tsx';
import { percent, weightName } from './words.ts';

/** The table, closed at first. */
export function ViewsTable({ classIndex, labels, views }: Subject & { views: ModelViews }) {
  const { model, slots } = views;
  const label = labels[classIndex] ?? String(classIndex);
  return (
    <details class="why-details">
      <summary>All {slots.length} views as a table</summary>
      <div class="why-scroll" tabIndex={0} role="region" aria-label="All views">
        <table>
          <caption>Views of {model}: rectangles in pixels of the photo rescaled to each scale</caption>
          <thead>
            <tr>
              <th scope="col">View</th>
              <th scope="col">Scale</th>
              <th scope="col">Left</th>
              <th scope="col">Top</th>
              <th scope="col">Size</th>
              <th scope="col">Mirrored</th>
              <th scope="col">Weight</th>
              <th scope="col">{label}</th>
              <th scope="col">First class</th>
            </tr>
          </thead>
          <tbody>
            {slots.map(({ index, scale, rectangle, mirrored, view }) => {
              const first = view && topClasses(view.posterior, 1)[0];
              return (
                <tr key={index}>
                  <th scope="row">{index + 1}</th>
                  <td>{scale}</td>
                  <td>{rectangle.x}</td>
                  <td>{rectangle.y}</td>
                  <td>
                    {rectangle.width} × {rectangle.height}
                  </td>
                  <td>{mirrored ? 'yes' : 'no'}</td>
                  <td>{view ? weightName(view.weight) : '–'}</td>
                  <td>{view ? percent(view.posterior[classIndex] ?? 0) : 'never computed'}</td>
                  <td>
                    {first
                      ? `${labels[first.classIndex] ?? String(first.classIndex)}, ${percent(first.score)}`
                      : '–'}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}
