// vgg prepare: what a network would see of a photo, as files to look at.

import type { Command } from 'commander';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import sharp from 'sharp';
import { createClient, type Plane, type View } from '../sdk/index.ts';
import { readConfig } from '../services/preprocess/config.ts';
import { startPreprocess } from '../services/preprocess/main.ts';
import { meanColour } from '../vgg/pack.ts';
import { resolveEvaluation } from '../vgg/views.ts';
import { writeContactSheet } from './contact-sheet.ts';
import { interruptSignal } from './interrupt.ts';
import { modelsFolder, openNamed } from './models-folder.ts';
import { addEvaluationOptions, evaluationOf, type EvaluationFlags } from './options.ts';
import { print } from './terminal.ts';

interface PrepareFlags extends EvaluationFlags {
  model?: string;
  models?: string;
  out?: string;
  sheet?: string;
}

/** Adds the command. */
export function addPrepare(program: Command): void {
  const command = program
    .command('prepare')
    .argument('<photo>', 'a JPEG, PNG, WebP, AVIF, TIFF or GIF file')
    .description('write the planes and views of a photo: Q.png for each scale, and views.json')
    .option(
      '--model <name>',
      'model whose mean, input size, scales and kernel are used (default: the default model)',
    )
    .option('--models <dir>', 'folder of models (default: $VGG_MODELS, or the one in the package)');
  addEvaluationOptions(command)
    .option('--out <dir>', "folder to write to (default: the photo's name with -views)")
    .option('--sheet <file>', 'also write a contact sheet of every view, PNG')
    .addHelpText('after', '\nExample: vgg prepare cat.jpg --protocol ten-crop --sheet sheet.png')
    .action(run);
}

async function run(photo: string, flags: PrepareFlags): Promise<void> {
  const signal = interruptSignal();
  const { json, spec } = await openNamed(modelsFolder(flags.models), flags.model);
  const { inputSize } = spec;
  const evaluation = resolveEvaluation(evaluationOf(flags), { ...json, inputSize });
  const out = flags.out ?? `${basename(photo, extname(photo))}-views`;
  const server = await startPreprocess({ ...readConfig(process.env), port: 0, logLevel: 'silent' });
  const client = createClient({ preprocess: server.address });
  try {
    const planes: { file: string; plane: Plane }[] = [];
    const views: View[] = [];
    const mean = meanColour(json.mean);
    for await (const prepared of client.prepare(photo, { ...evaluation, mean, inputSize, signal })) {
      planes.push({ file: fileName(prepared.plane, planes), plane: prepared.plane });
      views.push(...prepared.views);
    }
    await mkdir(out, { recursive: true });
    for (const { file, plane } of planes) {
      const { width, height } = plane;
      await sharp(plane.rgb8, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(join(out, file));
      print(join(out, file));
    }
    const facts = planes.map(({ file, plane: { index, scale, width, height, square } }) => ({
      file,
      index,
      scale,
      width,
      height,
      square,
    }));
    const text = JSON.stringify(
      { photo, inputSize, mean: json.mean, ...evaluation, planes: facts, views },
      null,
      1,
    );
    await writeFile(join(out, 'views.json'), `${text}\n`);
    print(join(out, 'views.json'));
    if (flags.sheet !== undefined) {
      await writeContactSheet(
        flags.sheet,
        planes.map(({ plane }) => plane),
        views,
      );
      print(flags.sheet);
    }
  } finally {
    client.close();
    await server.close();
  }
}

// Q.png; a square of GoogLeNet's says where it is; a scale that is asked for twice has a number.
function fileName({ scale, square }: Plane, before: readonly { file: string }[]): string {
  const stem = square ? `${String(scale)}-square-${String(square.x)}-${String(square.y)}` : String(scale);
  const taken = (file: string) => before.some((each) => each.file === file);
  let file = `${stem}.png`;
  for (let again = 2; taken(file); again++) file = `${stem}-${String(again)}.png`;
  return file;
}
