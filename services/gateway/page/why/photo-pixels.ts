// The photo's pixels, decoded once for all crops that are drawn from it.

let last: { url: string; image: Promise<HTMLImageElement> } | undefined;

/** The photo behind an address, decoded and upright. */
export function decodedPhoto(url: string): Promise<HTMLImageElement> {
  if (last?.url !== url) {
    const image = new Image();
    image.src = url;
    last = { url, image: image.decode().then(() => image) };
  }
  return last.image;
}
