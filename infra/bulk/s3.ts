// Photos and pieces in S3, or in what speaks its language. Knows objects; not what is in them. The SDK is loaded by who
// needs it only.

import type { GetObjectCommandInput, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { sleep, systemClock, type Clock } from '../../sdk/clock.ts';
import { VggError, expected, type ErrorCode } from '../../vgg/errors.ts';
import { gone, isPhotoName, NoSource, type PhotoEntry, type PhotoSource } from './photos.ts';
import type { Store } from './store.ts';

/** A place in S3. */
export interface S3Place {
  bucket: string;
  /** Empty, or ends in `/`. */
  prefix: string;
}

/** What S3 does for a job. */
export interface S3 {
  photos(place: S3Place, anyName?: boolean): PhotoSource;
  store(place: S3Place): Store;
  /** An object as text. @throws VggError NOT_FOUND */
  text(bucket: string, key: string): Promise<string>;
}

/** The place that an address names; undefined if it is none of S3. @throws VggError INVALID_ARGUMENT without a bucket */
export function s3Place(address: string, field: string): S3Place | undefined {
  if (!address.startsWith('s3://')) return undefined;
  const [, bucket = '', path = ''] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(address) ?? [];
  if (bucket === '') throw expected('s3://BUCKET/PREFIX', address, field);
  return { bucket, prefix: path === '' || path.endsWith('/') ? path : `${path}/` };
}

/** The place as an address. */
export function s3Address({ bucket, prefix }: S3Place): string {
  return `s3://${bucket}/${prefix}`;
}

/** How S3 is reached. */
export interface S3Options {
  /** Whether buckets are in the path rather than the host's name: for servers that are not Amazon's. */
  pathStyle: boolean;
  /** Milliseconds until a connection is made, and in which nothing at all moves on it. */
  connectMs?: number;
  silenceMs?: number;
  clock?: Clock;
}

// The SDK's own attempts, which wait longer and longer; it does not make any for a body that breaks off, nor for a
// write that another one was in the way of.
const ATTEMPTS = 5;
const CONFLICT_WAIT_MS = 200;

/** S3 by the environment's credentials, region and endpoint. */
export async function openS3({
  pathStyle,
  connectMs = 5000,
  silenceMs = 20_000,
  clock = systemClock,
}: S3Options): Promise<S3> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    forcePathStyle: pathStyle,
    maxAttempts: ATTEMPTS,
    // By default it waits for a silent server for ever.
    requestHandler: { connectionTimeout: connectMs, socketTimeout: silenceMs },
  });
  return {
    photos: (place, anyName = false) => new S3Photos(sdk, client, place, anyName),
    store: (place) => new S3Store(sdk, client, place, clock),
    text: async (bucket, key) => {
      const bytes = await new S3Store(sdk, client, { bucket, prefix: '' }, clock).get(key);
      if (!bytes) throw expected('an object', 'nothing', `s3://${bucket}/${key}`, 'NOT_FOUND');
      return Buffer.from(bytes).toString();
    },
  };
}

type Sdk = typeof import('@aws-sdk/client-s3');

class S3Photos implements PhotoSource {
  readonly place: string;
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #at: S3Place;
  readonly #anyName: boolean;

  constructor(sdk: Sdk, client: S3Client, at: S3Place, anyName: boolean) {
    this.place = s3Address(at);
    this.#sdk = sdk;
    this.#client = client;
    this.#at = at;
    this.#anyName = anyName;
  }

  async *list(): AsyncGenerator<PhotoEntry> {
    const { bucket: Bucket, prefix: Prefix } = this.#at;
    try {
      const pages = this.#sdk.paginateListObjectsV2({ client: this.#client }, { Bucket, Prefix });
      for await (const { Contents = [] } of pages) {
        for (const { Key = '', Size = 0, ETag = '' } of Contents) {
          const photo = Key.slice(Prefix.length);
          const named = this.#anyName ? !photo.endsWith('/') : isPhotoName(photo);
          if (photo !== '' && named) yield { photo, size: Size, etag: ETag };
        }
      }
    } catch (error) {
      throw failure(error, `Expected to list ${this.place}`);
    }
  }

  async read(entry: PhotoEntry, signal?: AbortSignal): Promise<Uint8Array> {
    const { photo, size, etag } = entry;
    const Key = this.#at.prefix + photo;
    try {
      const bytes = await bytesOf(
        this.#sdk,
        this.#client,
        { Bucket: this.#at.bucket, Key, ...(etag !== '' && { IfMatch: quoted(etag) }) },
        signal,
      );
      if (size >= 0 && bytes.length !== size) {
        throw gone(entry, `one of ${String(bytes.length)} bytes instead of ${String(size)}`);
      }
      return bytes;
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 && !isBucketMissing(error)) throw gone(entry, 'nothing');
      if (status === 412) throw gone(entry, 'a newer one');
      if (nameOf(error) === 'InvalidObjectState') throw gone(entry, 'one in an archive');
      const failed = failure(error, `Expected to read s3://${this.#at.bucket}/${Key}`);
      // What is no matter of this photo and will not pass is the same for all others.
      if (failed === error || failed.code === 'UNAVAILABLE') throw failed;
      throw new NoSource(failed.code, failed.message, { cause: error });
    }
  }
}

class S3Store implements Store {
  readonly place: string;
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #at: S3Place;
  readonly #clock: Clock;

  constructor(sdk: Sdk, client: S3Client, at: S3Place, clock: Clock) {
    this.#clock = clock;
    this.place = s3Address(at).replace(/\/$/, '');
    this.#sdk = sdk;
    this.#client = client;
    this.#at = at;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      return await bytesOf(this.#sdk, this.#client, this.#object(key));
    } catch (error) {
      if (statusOf(error) === 404 && !isBucketMissing(error)) return undefined;
      throw failure(error, `Expected to read ${this.place}/${key}`);
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#put(key, bytes);
  }

  async putNew(key: string, bytes: Uint8Array): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#put(key, bytes, '*');
        return true;
      } catch (error) {
        const status = error instanceof VggError ? statusOf(error.cause) : undefined;
        if (status === 412) return false;
        // Another write or delete of the key is under way: S3 asks for another attempt.
        if (status !== 409 || attempt === ATTEMPTS) throw error;
        await sleep(CONFLICT_WAIT_MS * 2 ** (attempt - 1) * (0.5 + this.#clock.random() / 2), this.#clock);
      }
    }
  }

  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    const { bucket: Bucket, prefix: own } = this.#at;
    try {
      const pages = this.#sdk.paginateListObjectsV2(
        { client: this.#client },
        { Bucket, Prefix: own + prefix },
      );
      for await (const { Contents = [] } of pages) {
        for (const { Key = '' } of Contents) keys.push(Key.slice(own.length));
      }
      return keys;
    } catch (error) {
      throw failure(error, `Expected to list ${this.place}/${prefix}`);
    }
  }

  async delete(key: string): Promise<void> {
    try {
      await this.#client.send(new this.#sdk.DeleteObjectCommand(this.#object(key)));
    } catch (error) {
      if (statusOf(error) !== 404 || isBucketMissing(error)) {
        throw failure(error, `Expected to delete ${this.place}/${key}`);
      }
    }
  }

  // An object is there whole or not at all, and read by everybody from the moment it is put.
  async #put(key: string, bytes: Uint8Array, IfNoneMatch?: string): Promise<void> {
    const object = { ...this.#object(key), Body: bytes, ...(IfNoneMatch !== undefined && { IfNoneMatch }) };
    try {
      await this.#client.send(new this.#sdk.PutObjectCommand(object));
    } catch (error) {
      throw failure(error, `Expected to write ${this.place}/${key}`);
    }
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#at.bucket, Key: this.#at.prefix + key };
  }
}

// An object whole. A body may break off after the SDK's attempts are over: it is asked for again.
async function bytesOf(
  sdk: Sdk,
  client: S3Client,
  object: GetObjectCommandInput,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    const { Body } = await client.send(new sdk.GetObjectCommand(object), {
      ...(signal && { abortSignal: signal }),
    });
    try {
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (error) {
      if (attempt === ATTEMPTS || signal?.aborted) throw error;
    }
  }
}

// A list of somebody else's may leave the quotes out.
function quoted(etag: string): string {
  return etag.startsWith('"') ? etag : `"${etag}"`;
}

function statusOf(error: unknown): number | undefined {
  return (error as Partial<S3ServiceException> | undefined)?.$metadata?.httpStatusCode;
}

function nameOf(error: unknown): string {
  return (error as Partial<Error> | undefined)?.name ?? 'an error';
}

function isBucketMissing(error: unknown): boolean {
  return nameOf(error) === 'NoSuchBucket';
}

const NOBODY =
  /^(CredentialsProviderError|ExpiredToken|InvalidToken|InvalidAccessKeyId|SignatureDoesNotMatch)$/;

function failure(error: unknown, expectation: string): VggError {
  if (error instanceof VggError) return error;
  const { message = '' } = error as Partial<Error>;
  const name = nameOf(error);
  return new VggError(
    codeOf(name, statusOf(error)),
    `${expectation} but received ${name}${message === '' ? '' : `: ${message}`}`,
    { cause: error },
  );
}

function codeOf(name: string, status: number | undefined): ErrorCode {
  if (NOBODY.test(name)) return 'UNAUTHENTICATED';
  if (name === 'AbortError') return 'CANCELLED';
  if (status === 403) return 'PERMISSION_DENIED';
  if (status === 404) return 'NOT_FOUND';
  // Too slow, too many, in each other's way: this passes. What else the client is told it did wrong, such as to ask in
  // the wrong region, does not.
  const passes = status === undefined || status >= 500 || [408, 409, 412, 429].includes(status);
  return passes || name === 'RequestTimeout' ? 'UNAVAILABLE' : 'INVALID_ARGUMENT';
}
