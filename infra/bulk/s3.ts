// Photos and pieces in S3, or in what speaks its language. Knows objects; not what is in them. The SDK is loaded by who
// needs it only.

import type { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { VggError, expected } from '../../vgg/errors.ts';
import { gone, isPhotoName, type PhotoEntry, type PhotoSource } from './photos.ts';
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
  const [, bucket = '', path = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(address) ?? [];
  if (bucket === '') throw expected('s3://BUCKET/PREFIX', address, field);
  return { bucket, prefix: path === '' || path.endsWith('/') ? path : `${path}/` };
}

/** The place as an address. */
export function s3Address({ bucket, prefix }: S3Place): string {
  return `s3://${bucket}/${prefix}`;
}

/**
 * S3 by the environment's credentials, region and endpoint.
 *
 * @param pathStyle whether buckets are in the path rather than the host's name: for servers that are not Amazon's
 */
export async function openS3(pathStyle: boolean): Promise<S3> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({ forcePathStyle: pathStyle, maxAttempts: 5 });
  return {
    photos: (place, anyName = false) => new S3Photos(sdk, client, place, anyName),
    store: (place) => new S3Store(sdk, client, place),
    text: async (bucket, key) => {
      const bytes = await new S3Store(sdk, client, { bucket, prefix: '' }).get(key);
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
    const { photo, etag } = entry;
    const Key = this.#at.prefix + photo;
    try {
      const command = new this.#sdk.GetObjectCommand({
        ...{ Bucket: this.#at.bucket, Key },
        ...(etag !== '' && { IfMatch: etag }),
      });
      const { Body } = await this.#client.send(command, { ...(signal && { abortSignal: signal }) });
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (error) {
      const status = statusOf(error);
      if (status === 404) throw gone(entry, 'nothing');
      if (status === 412) throw gone(entry, 'a newer one');
      throw failure(error, `Expected to read s3://${this.#at.bucket}/${Key}`);
    }
  }
}

class S3Store implements Store {
  readonly place: string;
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #at: S3Place;

  constructor(sdk: Sdk, client: S3Client, at: S3Place) {
    this.place = s3Address(at).replace(/\/$/, '');
    this.#sdk = sdk;
    this.#client = client;
    this.#at = at;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      const { Body } = await this.#client.send(new this.#sdk.GetObjectCommand(this.#object(key)));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw failure(error, `Expected to read ${this.place}/${key}`);
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#put(key, bytes);
  }

  async putNew(key: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#put(key, bytes, '*');
      return true;
    } catch (error) {
      // Somebody has put it, or is about to.
      const status = error instanceof VggError ? statusOf(error.cause) : undefined;
      if (status === 412) return false;
      if (status === 409) return (await this.get(key)) === undefined && this.putNew(key, bytes);
      throw error;
    }
  }

  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    const { bucket: Bucket, prefix: own } = this.#at;
    try {
      const pages = this.#sdk.paginateListObjectsV2({ client: this.#client }, { Bucket, Prefix: own + prefix });
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
      if (statusOf(error) !== 404) throw failure(error, `Expected to delete ${this.place}/${key}`);
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

function statusOf(error: unknown): number | undefined {
  return (error as Partial<S3ServiceException> | undefined)?.$metadata?.httpStatusCode;
}

function failure(error: unknown, expectation: string): VggError {
  if (error instanceof VggError) return error;
  const { name = 'an error', message = '' } = error as Partial<Error>;
  const status = statusOf(error);
  const code =
    name === 'CredentialsProviderError'
      ? 'UNAUTHENTICATED'
      : status === 403
        ? 'PERMISSION_DENIED'
        : status === 404
          ? 'NOT_FOUND'
          : 'UNAVAILABLE';
  return new VggError(code, `${expectation} but received ${name}: ${message}`, { cause: error });
}
