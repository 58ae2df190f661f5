// What a body is, judged by its first bytes alone: neither a file name nor a Content-Type is asked.
// Knows signatures; does not decode.

/** Formats that are decoded, by the names that libvips gives their loaders. */
export const FORMATS = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const;

/** See {@link FORMATS}. */
export type Format = (typeof FORMATS)[number];

/** The accepted formats as a sentence names them. */
export const ACCEPTED_FORMATS = 'JPEG, PNG, WebP, AVIF, TIFF or GIF';

/** A format that is decoded, or the name of what came instead. */
export type Sniffed = { format: Format } | { other: string };

/** How a sentence names a format. */
export function formatName(format: Format): string {
  return format === 'webp' ? 'WebP' : format.toUpperCase();
}

type Signature = readonly [format: Format, offset: number, bytes: string];
type OtherSignature = readonly [name: string, offset: number, bytes: string];

// Bytes as latin1 text. WebP needs RIFF too, which sniff checks.
const SIGNATURES: readonly Signature[] = [
  ['jpeg', 0, '\xff\xd8\xff'],
  ['png', 0, '\x89PNG\r\n\x1a\n'],
  ['gif', 0, 'GIF87a'],
  ['gif', 0, 'GIF89a'],
  ['webp', 8, 'WEBP'],
  ['tiff', 0, 'II*\0'],
  ['tiff', 0, 'MM\0*'],
  ['tiff', 0, 'II+\0'],
  ['tiff', 0, 'MM\0+'],
];

// What people send instead, so that the message can say it.
const OTHERS: readonly OtherSignature[] = [
  ['a PDF file', 0, '%PDF'],
  ['a PostScript file', 0, '%!PS'],
  ['a ZIP file', 0, 'PK\x03\x04'],
  ['a gzip file', 0, '\x1f\x8b'],
  ['a BMP image', 0, 'BM'],
  ['an icon', 0, '\0\0\x01\0'],
  ['a Photoshop file', 0, '8BPS'],
  ['a JPEG XL image', 0, '\xff\x0a'],
  ['a JPEG XL image', 4, 'JXL '],
  ['a JPEG 2000 image', 4, 'jP  '],
  ['a JPEG 2000 image', 0, '\xff\x4f\xff\x51'],
  ['a video', 0, '\x1a\x45\xdf\xa3'],
  ['an OpenEXR image', 0, '\x76\x2f\x31\x01'],
  ['a FITS image', 0, 'SIMPLE  ='],
  ['a DDS image', 0, 'DDS '],
];

// Brands of the ISO base media container (ISO/IEC 14496-12) that the decoder reads.
const AVIF_BRANDS = ['avif', 'avis'];
const HEIC_BRANDS = ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis'];

/** Judges a body by its content. */
export function sniff(body: Uint8Array): Sniffed {
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 1024)).toString('latin1');
  if (head === '') return { other: 'nothing' };
  const [format] = SIGNATURES.find(([, offset, bytes]) => head.startsWith(bytes, offset)) ?? [];
  if (format && (format !== 'webp' || head.startsWith('RIFF'))) return { format };
  if (head.startsWith('ftyp', 4)) return container(head);
  const [other] = OTHERS.find(([, offset, bytes]) => head.startsWith(bytes, offset)) ?? [];
  return { other: other ?? text(head) };
}

function container(head: string): Sniffed {
  const end = Math.min(256, head.charCodeAt(2) * 256 + head.charCodeAt(3));
  const brands = [head.slice(8, 12), ...(head.slice(16, end).match(/.{4}/gs) ?? [])];
  if (brands.some((brand) => AVIF_BRANDS.includes(brand))) return { format: 'avif' };
  return { other: brands.some((brand) => HEIC_BRANDS.includes(brand)) ? 'a HEIC image' : 'a video' };
}

function text(head: string): string {
  const start = head.replace(/^(\xef\xbb\xbf|\s)+/, '').toLowerCase();
  if (start.startsWith('<svg') || (start.startsWith('<?xml') && start.includes('<svg')))
    return 'an SVG image';
  if (start.startsWith('<!doctype svg')) return 'an SVG image';
  if (/^<(!doctype html|html|head|body)/.test(start)) return 'an HTML page';
  if (start.startsWith('<?xml')) return 'an XML document';
  // eslint-disable-next-line no-control-regex -- control characters are what tells text from data
  return /[\0-\x08\x0e-\x1a]/.test(head) ? 'data of an unknown format' : 'text';
}
