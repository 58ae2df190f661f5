// Where photos and results are, as a person names them: folders, or s3://BUCKET/PREFIX. Knows addresses alone.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { openJob, type OpenJob } from '../../infra/bulk/job.ts';
import { listedPhotos } from '../../infra/bulk/photo-list.ts';
import { FolderPhotos, type PhotoEntry, type PhotoSource } from '../../infra/bulk/photos.ts';
import { openS3, s3Address, s3Place, type S3 } from '../../infra/bulk/s3.ts';
import { FolderStore, type Store } from '../../infra/bulk/store.ts';
import { VggError, expected } from '../../vgg/errors.ts';

/** Where a job's photos are. */
export async function sourceAt(address: string, anyName: boolean): Promise<PhotoSource> {
  const place = s3Place(address, 'SOURCE');
  return place ? (await s3()).photos(place, anyName) : new FolderPhotos(resolve(address), anyName);
}

/** Where a job's results go. */
export async function storeAt(address: string, field: string): Promise<Store> {
  const place = s3Place(address, field);
  return place ? (await s3()).store(place) : new FolderStore(resolve(address));
}

/** The address of a source as a job has it: the same one for the same photos. */
export function sourceAddress(address: string): string {
  const place = s3Place(address, 'SOURCE');
  return place ? s3Address(place) : resolve(address);
}

/** The job at a place. @throws VggError NOT_FOUND if there is none */
export async function jobAt(address: string): Promise<OpenJob> {
  const open = await openJob(await storeAt(address, 'JOB'));
  if (!open) throw expected('a job of vgg bulk', 'none', address, 'NOT_FOUND');
  return open;
}

/** Photos of a list in a file or an object. @throws VggError NOT_FOUND, INVALID_ARGUMENT naming the line at fault */
export async function photosOfList(address: string): Promise<PhotoEntry[]> {
  return listedPhotos(await textAt(address), address);
}

async function textAt(address: string): Promise<string> {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(address) ?? [];
  if (bucket !== undefined && key !== undefined) return await (await s3()).text(bucket, key);
  try {
    return await readFile(address, 'utf8');
  } catch (cause) {
    throw new VggError('NOT_FOUND', `Expected a readable list but received ${address} (--manifest)`, {
      cause,
    });
  }
}

let opened: Promise<S3> | undefined;

function s3(): Promise<S3> {
  // Its versions are pinned for the Node.js that the package promises: advice to take another is nobody's to follow.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  // Only Amazon gives each bucket a host of its own.
  const pathStyle = (AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL ?? '') !== '';
  return (opened ??= openS3({ pathStyle }));
}
