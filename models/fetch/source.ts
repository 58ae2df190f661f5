// Where models are published for services: a prefix of an object store or of a web server, with NAME/FILE beneath it.
// Knows addresses and who signs them; not how a file comes, nor what is in it.

import { VggError, expected } from '../../vgg/index.ts';

/** A place that models come from. */
export interface ModelsSource {
  /** Which file a model's file is. */
  file(model: string, name: string): URL;
  /** The address to ask for a file now, where that must be signed. */
  locate?: (file: URL) => Promise<URL>;
}

/** What a source may look like, for messages. */
export const SOURCE_FORM = 's3://bucket/prefix or https://host/prefix';

/** Whether a text is a source. */
export function isSource(text: string): boolean {
  return parsed(text) !== undefined;
}

/**
 * Opens a source. An object store's client, its region and its credentials are those of the AWS SDK: from the
 * environment, a container's task role, a machine's profile.
 *
 * @throws VggError INVALID_ARGUMENT for what is none
 */
export async function openSource(text: string): Promise<ModelsSource> {
  const prefix = parsed(text);
  if (!prefix) throw expected(SOURCE_FORM, text, 'source');
  const file = (model: string, name: string) => new URL(`${prefix.href}${model}/${name}`);
  return prefix.protocol === 's3:' ? { file, locate: await signer() } : { file };
}

// With a slash at its end. A query would have to be repeated for each file, and a password is one more secret.
function parsed(text: string): URL | undefined {
  if (!/^(s3|https?):\/\/[^\s?#@]+$/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text.endsWith('/') ? text : `${text}/`);
  return url.hostname === '' ? undefined : url;
}

// A signed address is good for so long; each attempt at a file gets a fresh one.
const SIGNED_FOR_S = 3600;

async function signer(): Promise<(file: URL) => Promise<URL>> {
  // Loaded by those who need it: it takes a fifth of a second.
  const [{ GetObjectCommand, S3Client }, { getSignedUrl }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/s3-request-presigner'),
  ]);
  const client = new S3Client({ responseChecksumValidation: 'WHEN_REQUIRED' });
  return async (file) => {
    const object = { Bucket: file.hostname, Key: decodeURIComponent(file.pathname.slice(1)) };
    try {
      return new URL(
        await getSignedUrl(client, new GetObjectCommand(object), { expiresIn: SIGNED_FOR_S }),
      );
    } catch (cause) {
      throw new VggError(
        'UNAUTHENTICATED',
        `Expected a region and credentials that ${file.href} can be asked for with but there are none: ${(cause as Error).message}`,
        { cause },
      );
    }
  };
}
