// Photos to try the page with, and whose they are. Knows three files.

import chair from './photos/chair.jpg';
import dolphin from './photos/dolphin.jpg';
import elephant from './photos/elephant.jpg';

const EXAMPLES = [
  { name: 'elephant', address: elephant, width: 320, height: 256 },
  { name: 'dolphin', address: dolphin, width: 480, height: 414 },
  { name: 'chair', address: chair, width: 230, height: 300 },
];

/** Buttons that choose an example. */
export function Examples({ onPhoto }: { onPhoto: (blob: Blob, name: string) => void }) {
  const choose = async (address: string, name: string) => {
    const response = await fetch(address);
    if (response.ok) onPhoto(await response.blob(), `${name}.jpg`);
  };
  return (
    <div class="examples">
      <p id="examples-title">Try one of these:</p>
      <ul aria-labelledby="examples-title">
        {EXAMPLES.map(({ name, address, width, height }) => (
          <li key={name}>
            <button type="button" class="example" onClick={() => void choose(address, name)}>
              <img src={address} alt="" width={width} height={height} />
              <span>{name}</span>
            </button>
          </li>
        ))}
      </ul>
      <p class="credit">
        Photos: Caltech-101 by Li, Andreeto, Ranzato and Perona (
        <a href="https://doi.org/10.22002/D1.20086">CaltechDATA</a>),{' '}
        <a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>, made smaller.
      </p>
    </div>
  );
}
