// S3 for tests: moto behind a front that can make trouble, two buckets, and the credentials for it.

import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { startMoto } from '../../../models/fetch/moto.ts';
import { startFront, type Front } from './front.ts';

/** S3, as a test has it. */
export interface S3Under {
  /** Of moto itself: calls that no trouble befalls. */
  direct: string;
  front: Front;
  /** What a process needs to be told. */
  env: Record<string, string>;
  put(bucket: string, key: string, body: string | Uint8Array): Promise<void>;
  /** All files of a folder, under a prefix. */
  putFolder(bucket: string, prefix: string, folder: string): Promise<void>;
  get(bucket: string, key: string): Promise<Buffer>;
  /** At most a thousand. */
  keys(bucket: string, prefix?: string): Promise<string[]>;
  close(): Promise<void>;
}

/** Starts it, with buckets `photos` and `results`. @param program of the emulator, if not moto's own */
export async function startS3(program?: readonly string[]): Promise<S3Under> {
  const front = await startFront();
  // What services of the emulator ask each other goes through the front, too.
  const moto = await startMoto({ MOTO_PORT: String(front.port) }, program);
  front.to = moto.endpoint;
  const client = new S3Client({
    ...{ endpoint: moto.endpoint, region: 'us-east-1', forcePathStyle: true },
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  for (const Bucket of ['photos', 'results']) await client.send(new CreateBucketCommand({ Bucket }));
  const put = async (Bucket: string, Key: string, Body: string | Uint8Array) => {
    await client.send(new PutObjectCommand({ Bucket, Key, Body }));
  };
  return {
    direct: moto.endpoint,
    front,
    env: {
      ...{ AWS_ENDPOINT_URL: front.endpoint, AWS_REGION: 'us-east-1' },
      ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    },
    put,
    async putFolder(bucket, prefix, folder) {
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        const file = join(entry.parentPath, entry.name);
        if (entry.isFile()) await put(bucket, `${prefix}/${relative(folder, file)}`, await readFile(file));
      }
    },
    async get(Bucket, Key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    async keys(Bucket, Prefix = '') {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
      return Contents.map(({ Key = '' }) => Key);
    },
    async close() {
      client.destroy();
      await front.close();
      await moto.close();
    },
  };
}
