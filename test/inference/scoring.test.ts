// What a call may hold, and what becomes of it when it ends early: over a socket, with an engine that can be held.

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BACKLOG, DROPPED, PLANE_BYTES, QUEUED, VIEWS } from '../../services/inference/metrics.ts';
import {
  backlog,
  metric,
  modelFolder,
  occupy,
  options,
  plane,
  PLANE,
  serving,
  talk,
  until,
  view,
} from './serving.ts';

let folder: string;
beforeAll(async () => {
  folder = await modelFolder();
});
afterAll(() => rm(folder, { recursive: true }));

describe('what is dropped before it is computed', () => {
  test.each(['message', 'reset'])('views of a call that is ended by a %s', async (way) => {
    await serving(folder, async (all) => {
      const { client, server, held } = all;
      const busy = await occupy(all);
      const call = talk(client, [options({ views: 9 }), plane(5)], { keepOpen: true });
      await backlog(server, 5);
      if (way === 'message') call.call.write({ cancel: {} });
      else call.call.cancel();
      const { responses, error } = await call.ended;
      expect([responses.length, error?.code]).toEqual([0, 'CANCELLED']);
      if (way === 'message') expect(error?.message).toBe('The caller ended the call');
      await until(async () => {
        expect(await metric(server, `${DROPPED}{code="CANCELLED"}`)).toBe(5);
      });
      expect([await metric(server, QUEUED), await metric(server, BACKLOG)]).toEqual([0, 0]);
      await until(async () => {
        expect(await metric(server, PLANE_BYTES)).toBe(PLANE.width * PLANE.height * 3);
      });
      held.release();
      expect((await busy.ended).responses).toHaveLength(1);
      expect(await metric(server, VIEWS)).toBe(1);
      expect(held.batches).toEqual([[900]]);
    });
  });

  test('views whose deadline passes while they wait', async () => {
    await serving(folder, async (all) => {
      const { client, server, held } = all;
      const busy = await occupy(all);
      const late = talk(client, [options(), plane(4)], { deadline: Date.now() + 300 });
      await backlog(server, 4);
      expect((await late.ended).error?.code).toBe('DEADLINE_EXCEEDED');
      await until(async () => {
        expect(await metric(server, `${DROPPED}{code="DEADLINE_EXCEEDED"}`)).toBe(4);
      });
      held.release();
      await busy.ended;
      expect(held.batches).toEqual([[900]]);
      expect(await metric(server, VIEWS)).toBe(1);
    });
  });

  test('a call that fails half way: what waits of it, not what others wait for', async () => {
    await serving(folder, async (all) => {
      const { client, server, held } = all;
      const busy = await occupy(all);
      const good = talk(client, [options(), plane(2, 1)]);
      const bad = talk(client, [options(), plane(3, 10), plane([view(13, { x: 9 })])]);
      expect((await bad.ended).error?.message).toBe('Expected x from 0 to 8 but received 9 (views[0].x)');
      await backlog(server, 2);
      expect(await metric(server, `${DROPPED}{code="INVALID_ARGUMENT"}`)).toBe(3);
      held.release();
      expect((await good.ended).responses).toHaveLength(2);
      await busy.ended;
      expect(held.batches.flat().sort((a, b) => a - b)).toEqual([1, 2, 900]);
    });
  });
});

describe('bounds', () => {
  test('a full queue refuses with a time to wait, before anything is computed; room comes back', async () => {
    await serving(
      folder,
      async (all) => {
        const { client, server, held } = all;
        const busy = await occupy(all);
        const waiting = talk(client, [options({ views: 4 }), plane(3, 1)], { keepOpen: true });
        await backlog(server, 3);
        for (const messages of [[options({ views: 1 })], [options(), plane(1, 50)]]) {
          const { error } = await talk(client, messages).ended;
          expect(error).toMatchObject({
            code: 'RESOURCE_EXHAUSTED',
            message: 'Expected room for 1 views but 4 of 4 places in the queue are taken',
            retryAfterMs: 1000,
          });
        }
        held.release();
        waiting.call.end();
        expect((await waiting.ended).responses).toHaveLength(3);
        await busy.ended;
        expect(held.batches.flat()).not.toContain(50);
        expect((await talk(client, [options({ views: 4 }), plane(4)]).ended).responses).toHaveLength(4);
      },
      { env: { VGG_INFERENCE_QUEUE: '4' } },
    );
  });

  test('planes of all calls together; what a call held is given back', async () => {
    const large = (bytes: number) => ({ width: 512, height: bytes / 3 / 512, rgb8: Buffer.alloc(bytes) });
    const half = 3 * 512 * 200;
    await serving(
      folder,
      async (all) => {
        const { client, server, held } = all;
        held.hold();
        const first = talk(client, [options(), plane(1, 1, large(3 * half))]);
        await until(async () => {
          expect(await metric(server, PLANE_BYTES)).toBe(3 * half);
        });
        const { error } = await talk(client, [options(), plane(1, 2, large(half))]).ended;
        expect(error).toMatchObject({
          code: 'RESOURCE_EXHAUSTED',
          message: `Expected room for ${String(half)} bytes of planes but ${String(3 * half)} of 1048576 are held`,
          retryAfterMs: 1000,
        });
        held.release();
        expect((await first.ended).responses).toHaveLength(1);
        await until(async () => {
          expect(await metric(server, PLANE_BYTES)).toBe(0);
        });
        expect((await talk(client, [options(), plane(1, 2, large(half))]).ended).responses).toHaveLength(1);
        // What can never fit is not worth another try.
        expect((await talk(client, [options(), plane(1, 3, large(4 * half))]).ended).error).toMatchObject({
          code: 'TOO_LARGE',
          message: `Expected a plane of at most 1048576 bytes but received ${String(4 * half)} (rgb8)`,
          retryAfterMs: undefined,
        });
      },
      { env: { VGG_INFERENCE_PLANE_MEMORY: '1MiB' } },
    );
  });
});
