// Fetching models from an object store that somebody else wrote: moto's.

import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fetchModels } from '../../../models/fetch.ts';
import { openSource } from '../../../models/fetch/source.ts';
import { expectModels, objectsOf, SOURCE, threeModels } from './models.ts';
import { motoMissing, startMoto } from './moto.ts';

const missing = motoMissing();

test.skipIf(missing !== undefined)(
  `models come, a missing one does not${missing === undefined ? '' : `: ${missing}`}`,
  async () => {
    const moto = await startMoto();
    const { folder, names } = await threeModels();
    const to = await mkdtemp(join(tmpdir(), 'vgg-fetch-moto-'));
    const before = { ...process.env };
    Object.assign(process.env, {
      ...{ AWS_ENDPOINT_URL_S3: moto.endpoint, AWS_REGION: 'eu-west-1' },
      ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    });
    try {
      const client = new S3Client({});
      await client.send(
        new CreateBucketCommand({
          Bucket: 'the-bucket',
          CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' },
        }),
      );
      for (const [name, Body] of await objectsOf(folder, names)) {
        const Key = name.replace('the-bucket/', '');
        await client.send(new PutObjectCommand({ Bucket: 'the-bucket', Key, Body }));
      }
      client.destroy();
      const source = await openSource(SOURCE);
      await Promise.all(fetchModels(names, { source, directory: to }).values());
      await expectModels(to, names);
      const gone = fetchModels(['another'], { source, directory: to }).get('another');
      await expect(gone).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringContaining('404 (NoSuchKey)') as string,
      });
    } finally {
      process.env = before;
      await moto.close();
      for (const each of [folder, to]) await rm(each, { recursive: true });
    }
  },
);
