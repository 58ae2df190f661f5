// vgg models pull NAME: published weights come here, are verified, and become a model.

import type { Command } from 'commander';
import { rm, rmdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { CATALOGUE, publishedBytes, publishedFile, type PublishedRelease } from '../models/catalogue.ts';
import { digestFits, digestOfFile, digestText, type Digest } from '../models/digest.ts';
import { download } from '../models/download.ts';
import { imagenetLabels } from '../models/labels.ts';
import { checkNameFree } from '../models/store.ts';
import { VggError, expected } from '../vgg/errors.ts';
import { addStorageOptions, importAndReport } from './import.ts';
import { interruptSignal } from './interrupt.ts';
import { progress, say, size, type Progress } from './terminal.ts';

/** What the person at the terminal asked for. */
export interface PullFlags {
  to: string;
  from?: string;
  name?: string;
  dtype?: 'F32' | 'F16';
  compare?: string[];
  keep?: boolean;
}

/** Adds the command. */
export function addPull(models: Command): void {
  const command = models
    .command('pull')
    .argument('<name>', 'name of a published release; vgg models list --available shows them')
    .description('download published weights, verify them, and make a model of them')
    .option(
      '--from <file-or-url>',
      'a copy that is here already, or a mirror; it must have the published digest',
    )
    .option('--name <name>', 'name of the model (default: the release’s)');
  addStorageOptions(command)
    .option('--keep', 'keep the downloaded file')
    .addHelpText(
      'after',
      `
What is downloaded lies in $VGG_CACHE (default: $XDG_CACHE_HOME/vgg-serve, or
~/.cache/vgg-serve) until it is imported. An interrupted download goes on where
it ended: run the same command again. HTTP_PROXY, HTTPS_PROXY and NO_PROXY are
respected. A file whose digest is not the published one is refused.

Releases:
${releaseNames(CATALOGUE)}

Examples:
  vgg models pull torchvision-vgg16
  vgg models pull torchvision-vgg16-bn --dtype f16 --to ~/models
  vgg models pull oxford-vgg16 --from VGG_ILSVRC_16_layers.caffemodel
  vgg models pull keras-vgg19 --from https://mirror.example/vgg19.h5`,
    )
    .action(async (name: string, flags: PullFlags) => {
      await pull(name, flags, { signal: interruptSignal(), cache: cacheFolder(process.env, homedir()) });
    });
}

/** The folder that downloads lie in: VGG_CACHE, or vgg-serve in the user's cache. */
export function cacheFolder(env: NodeJS.ProcessEnv, home: string): string {
  if (env['VGG_CACHE']) return resolve(env['VGG_CACHE']);
  const caches = env['XDG_CACHE_HOME'] ?? '';
  // A relative path there is to be ignored, says the XDG Base Directory Specification.
  return join(isAbsolute(caches) ? caches : join(home, '.cache'), 'vgg-serve');
}

/**
 * Pulls a release; prints the new model's folder.
 *
 * @param cache folder that the download lies in until it is imported
 * @throws VggError NOT_FOUND naming the releases; all that download.ts and import.ts throw
 */
export async function pull(
  name: string,
  { to, from, keep = false, compare, ...flags }: PullFlags,
  {
    signal,
    cache,
    catalogue = CATALOGUE,
  }: { signal?: AbortSignal; cache: string; catalogue?: readonly PublishedRelease[] },
): Promise<void> {
  const release = catalogue.find((each) => each.name === name);
  if (!release) {
    throw new VggError(
      'NOT_FOUND',
      `Expected a published release but received ${name}; there are:\n${releaseNames(catalogue)}`,
    );
  }
  const model = flags.name ?? release.name;
  // Half a gigabyte is a long wait for a name that is taken.
  await checkNameFree(resolve(to), model);
  const weights = await weightsOf(release, from, cache, signal);
  await importAndReport(
    weights.path,
    {
      name: model,
      to: resolve(to),
      network: release.network,
      ...(release.classes === 1000 && { labels: await imagenetLabels() }),
      mean: release.mean,
      kernel: release.kernel,
      ...(flags.dtype && { dtype: flags.dtype }),
      provenance: provenanceOf(release, weights),
      licence: release.licence,
      url: weights.url,
      ...(signal && { signal }),
    },
    compare,
  );
  if (weights.downloaded && !keep) await removeDownload(weights.path);
  else if (weights.downloaded) say(`The download is kept: ${weights.path}`);
  say(`Try it: vgg classify photo.jpg --models ${to} --model ${model}`);
}

interface Weights {
  path: string;
  /** Where they were published, or the mirror that they are from. */
  url: string;
  downloaded: boolean;
  /** Undefined if there is nothing to verify a local file against. */
  digest?: Digest;
}

async function weightsOf(
  release: PublishedRelease,
  from: string | undefined,
  cache: string,
  signal: AbortSignal | undefined,
): Promise<Weights> {
  if (from !== undefined && !/^https?:\/\//i.test(from)) return await localWeights(release, from, signal);
  const url = webAddress(from ?? release.url);
  const path = join(cache, release.name, publishedFile(release));
  // Nobody's password belongs into model.json.
  const shown = `${url.origin}${url.pathname}`;
  say(`Downloading ${shown} (${size(publishedBytes(release))}, ${release.licence})`);
  const bar = new TransferBar(publishedBytes(release));
  try {
    const { digest } = await download(url, path, {
      digest: release.digest,
      ...(release.bytes !== undefined && { expectedBytes: release.bytes }),
      // What a file has beside its parameters is little.
      maxBytes: Math.ceil(1.05 * publishedBytes(release)) + (1 << 20),
      ...(signal && { signal }),
      onProgress: (bytes) => {
        bar.update(bytes);
      },
      onRetry: (why, waitMs) => {
        bar.stop();
        say(`${why}; trying again in ${String(Math.ceil(waitMs / 1000))} s`);
      },
    });
    bar.stop();
    say(`Verified: ${digestText(digest)}`);
    return { path, url: shown, downloaded: true, digest };
  } catch (error) {
    bar.stop();
    if (signal?.aborted) say('What came is kept; the same command goes on from there.');
    throw error;
  }
}

async function localWeights(
  release: PublishedRelease,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Weights> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts?.isFile()) throw expected('a file or a web address', path, '--from', 'NOT_FOUND');
  const { digest: published, bytes = facts.size } = release;
  const local = { path, url: release.url, downloaded: false };
  if (facts.size !== bytes)
    throw expected(
      `${release.name}'s file of ${String(bytes)} bytes`,
      `one of ${String(facts.size)}`,
      '--from',
    );
  if (published === 'host') {
    say(`Not verified: no digest of ${release.name} is published apart from the download itself`);
    return local;
  }
  const digest = await digestOfFile(path, published.algorithm, signal);
  if (!digestFits(published, digest)) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected ${release.name}'s file with ${digestText(published)} but ${path} has ${digestText(digest)}`,
    );
  }
  say(`Verified: ${digestText(digest)}`);
  return { ...local, digest };
}

function webAddress(text: string): URL {
  if (!URL.canParse(text)) throw expected('a web address', text, '--from');
  return new URL(text);
}

function provenanceOf(release: PublishedRelease, { url, downloaded, digest }: Weights): string {
  const { publisher, network, batchNorm, page, reported } = release;
  const origin = downloaded ? `downloaded from ${url}` : `a copy of ${url}`;
  return (
    `${publisher}'s network ${network}${batchNorm ? ' with batch normalisation' : ''} for ILSVRC-2012, ${origin}, ` +
    `${digest ? digestText(digest) : 'not verified'}. ${page}. Error that the publisher reports, top-1 / top-5 %: ` +
    `${reported.top1.toFixed(1)} / ${reported.top5.toFixed(1)} (${reported.measured}).`
  );
}

async function removeDownload(path: string): Promise<void> {
  await rm(path, { force: true });
  // Its folder too, if nothing else is in it.
  await rmdir(dirname(path)).catch(() => undefined);
}

function releaseNames(catalogue: readonly PublishedRelease[]): string {
  const publishers = [...new Set(catalogue.map(({ publisher }) => publisher))];
  return publishers
    .map((publisher) => {
      const names = catalogue.filter((each) => each.publisher === publisher).map(({ name }) => name);
      const lines = Array.from({ length: Math.ceil(names.length / 4) }, (_, i) =>
        names.slice(4 * i, 4 * i + 4),
      );
      return lines.map((line) => `  ${line.join(' ')}`).join('\n');
    })
    .join('\n');
}

// Bytes so far, and how fast they come. What an earlier download left is not counted as speed.
class TransferBar {
  readonly #total: number;
  #shown: Progress | undefined;
  #first = { bytes: 0, at: 0 };

  constructor(total: number) {
    this.#total = total;
  }

  update(bytes: number): void {
    if (!this.#shown) {
      this.#shown = progress(Math.round(this.#total / 1e6), 'MB');
      this.#first = { bytes, at: performance.now() };
    }
    const seconds = (performance.now() - this.#first.at) / 1000;
    const rate = seconds > 0 ? (bytes - this.#first.bytes) / 1e6 / seconds : 0;
    this.#shown.update(Math.round(bytes / 1e6), `${rate.toFixed(1)} MB/s`);
  }

  stop(): void {
    this.#shown?.stop();
    this.#shown = undefined;
  }
}
