// A placeholder: the page comes from elsewhere.

import type { Model } from '../../../../sdk/models.ts';

/** The model's name. */
export function ModelPage({ model }: { model: Model }) {
  return <h1>{model.name}</h1>;
}
