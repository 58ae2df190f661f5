// A peer is a process that answers line by line: one made up here, which is slow in all ways but one.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PEERS, posteriorRows, readyPeer, type Task } from '../../bench/crops/peers.ts';
import { parseAnswer, pythonPeer, startPeer, type Missing, type Peer } from '../../bench/peers/peer.ts';
import { goldenNetwork } from '../inference/engine-conformance/fixtures.ts';

const POSTERIORS = [Float32Array.of(0.25, 0.75), Float32Array.of(0.5, 0.5)];

// Scores 2 crops of 2 classes; in the way "wide" in batches of 8 it is the quickest.
const FAKE = `
import { createInterface } from 'node:readline';
const say = (fields) => process.stdout.write(JSON.stringify(fields) + '\\n');
say({ version: '1.2.3' });
for await (const line of createInterface(process.stdin)) {
  const asked = JSON.parse(line);
  if (asked.do === 'load') say({ ways: ['narrow', 'wide'], batches: [1, 8] });
  else if (asked.do === 'die') { console.error('first\\nout of memory'); process.exit(3); }
  else if (asked.do !== 'score') say({ error: 'KeyError: ' + asked.do });
  else {
    const ms = asked.count * (asked.way === 'wide' && asked.batch === 8 ? 3 : 5);
    const posteriors = Buffer.from(Float32Array.of(0.25, 0.75, 0.5, 0.5).buffer).toString('base64');
    say({ ms, posteriors });
  }
}`;

function node(code: string): string[] {
  return [process.execPath, '--input-type=module', '-e', code];
}

function ready(started: Peer | Missing): Peer {
  if ('missing' in started) throw new Error(started.missing);
  return started;
}

async function taskOf(posteriors: readonly Float32Array[]): Promise<Task> {
  const { model } = await goldenNetwork('D');
  const view = { index: 0, plane: 0, x: 0, y: 0, width: 32, height: 32, mirrored: false, weight: 1 };
  const plane = { width: 32, height: 32, rgb8: new Uint8Array(new SharedArrayBuffer(3072)) };
  const crop = { work: { protocol: 'MULTI_CROP', plane, views: [view] } as const, view };
  const two = { ...model, spec: { ...model.spec, classes: 2 } };
  return { folder: '', model: two, crops: [crop, crop], posteriors, threads: 2, device: 'cpu' };
}

describe('a peer', () => {
  test('chooses what is quickest, agrees, and takes its turns', async () => {
    const peer = ready(await startPeer(node(FAKE), 2));
    expect(peer.version).toBe('1.2.3');
    const side = await readyPeer(peer, 'ncnn', await taskOf(POSTERIORS));
    expect(side).toMatchObject({ name: 'ncnn', version: '1.2.3', way: 'wide', batch: 8, difference: 0 });
    expect(await side.time()).toBe(2 * 3);
    await side.end();
  });

  test('that answers otherwise is found out', async () => {
    const peer = ready(await startPeer(node(FAKE), 2));
    const others = [Float32Array.of(0.25, 0.75), Float32Array.of(0.375, 0.625)];
    const side = await readyPeer(peer, 'ncnn', await taskOf(others));
    expect(side.difference).toBe(0.125);
    await side.end();
  });

  test('that cannot do what it is asked says so, and goes on', async () => {
    const peer = ready(await startPeer(node(FAKE), 2));
    await expect(peer.ask('dance')).rejects.toThrow('KeyError: dance');
    expect(await peer.ask('load')).toEqual({ ways: ['narrow', 'wide'], batches: [1, 8] });
    await peer.end();
  });

  test('that dies is heard of, with the last that it printed', async () => {
    const peer = ready(await startPeer(node(FAKE), 2));
    await expect(peer.ask('die')).rejects.toThrow(/^out of memory$/);
    await peer.end();
  });

  test.each([
    ['whose library is missing', node(`console.log('{"missing": "No module named ncnn"}')`), 'named ncnn'],
    ['that nobody has installed', ['/nowhere/python', 'crops_ncnn.py'], 'ENOENT'],
    ['that fails at once', node(`throw new Error('broken')`), 'Node.js'],
    ['that says nothing', node('process.exit(4)'), 'status 4'],
    ['that chatters', node(`console.log('The device supports: fp16')`), 'The device supports'],
  ])('%s is missing', async (_, command, reason) => {
    const started = await startPeer(command, 2);
    expect(started).toEqual({ missing: expect.stringContaining(reason) as string });
  });
});

test.each(Object.entries(PEERS))('%s has a script, and a version of %s that was tried', (name, library) => {
  const [, script = ''] = pythonPeer('python3', `crops_${name}.py`);
  expect(existsSync(script), script).toBe(true);
  const [, requirements = ''] = pythonPeer('python3', 'requirements.txt');
  expect(readFileSync(requirements, 'utf8')).toMatch(new RegExp(`^${library}==\\d`, 'm'));
});

describe('an answer', () => {
  test('is an object', () => {
    expect(parseAnswer('{"ms": 12.5}')).toEqual({ ms: 12.5 });
  });

  test.each(['', 'null', '[1]', '12', '{"ms": 12'])('is not %o', (line) => {
    expect(() => parseAnswer(line)).toThrow(`received "${line}"`);
  });

  test('may say what failed', () => {
    expect(() => parseAnswer('{"error": "MemoryError: 12"}')).toThrow('MemoryError: 12');
  });
});

test('posteriors travel as bytes', () => {
  const bytes = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer).toString('base64');
  expect(posteriorRows(bytes, 3)).toEqual([Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)]);
  expect(posteriorRows('', 3)).toEqual([]);
});
