// The photo: from whatever a visitor brings to bytes that can be sent and an address that can be shown.

/** A chosen photo. */
export interface Photo {
  blob: Blob;
  /** Name of its file, or one for a photo without. */
  name: string;
  /** Object URL; given back by {@link release}. */
  url: string;
  /** Size of the upright photo in pixels; 0 where the browser cannot show it: the server may still know it. */
  width: number;
  height: number;
}

/** The photo that a file or blob is. The browser's failure to show it is no error: the server decides. */
export async function photoOf(blob: Blob, name = 'name' in blob ? String(blob.name) : ''): Promise<Photo> {
  const url = URL.createObjectURL(blob);
  const picture = new Image();
  picture.src = url;
  const size = await picture.decode().then(
    () => ({ width: picture.naturalWidth, height: picture.naturalHeight }),
    () => ({ width: 0, height: 0 }),
  );
  return { blob, name: name || `photo.${endingOf(blob.type)}`, url, ...size };
}

/** Gives the photo's address back. */
export function release(photo: Photo): void {
  URL.revokeObjectURL(photo.url);
}

/** The first file in what was dropped or pasted. */
export function fileIn(data: DataTransfer | null): File | undefined {
  return [...(data?.files ?? [])][0];
}

function endingOf(type: string): string {
  return /^image\/(png|webp|avif|gif|tiff)$/.exec(type)?.[1] ?? 'jpg';
}
