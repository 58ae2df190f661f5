// The folder that a page's commands run in: this checkout, as far as they read it, and the photos that pages speak of.
// What they write stays in it.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { packageRoot } from '../../proto/package-root.ts';

const PHOTO = join(packageRoot, 'test/golden/photo.png');
// Pages write to docs/ and models/; nobody should find it in the checkout.
const COPIED = ['docs'];
const OPENED = ['models'];
const LEFT_OUT = ['.git', 'out', 'coverage'];

/** Makes the folder, and in it photo.jpg, photo.png and photos/ with a folder a class. */
export async function makeScratch(): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), 'vgg-docs-'));
  for (const name of readdirSync(packageRoot)) {
    if (LEFT_OUT.includes(name)) continue;
    const from = join(packageRoot, name);
    const to = join(scratch, name);
    if (COPIED.includes(name)) cpSync(from, to, { recursive: true });
    else if (OPENED.includes(name)) {
      mkdirSync(to);
      for (const each of readdirSync(from)) symlinkSync(join(from, each), join(to, each));
    } else symlinkSync(from, to);
  }
  cpSync(PHOTO, join(scratch, 'photo.png'));
  const photo = () => sharp(PHOTO);
  const jpeg = { quality: 95 };
  await photo().jpeg(jpeg).toFile(join(scratch, 'photo.jpg'));
  mkdirSync(join(scratch, 'photos/elephant'), { recursive: true });
  mkdirSync(join(scratch, 'photos/rhino'), { recursive: true });
  await photo().jpeg(jpeg).toFile(join(scratch, 'photos/elephant/1.jpg'));
  await photo().flop().jpeg(jpeg).toFile(join(scratch, 'photos/elephant/2.jpg'));
  await photo().resize(200, 200).jpeg(jpeg).toFile(join(scratch, 'photos/rhino/1.jpg'));
  return scratch;
}
