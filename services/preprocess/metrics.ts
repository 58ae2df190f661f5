// The metrics of preprocess: photos by format and size, time by step, refusals by code.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { ERROR_CODES, type ErrorCode } from '../../vgg/errors.ts';
import { FORMATS } from './formats.ts';
import type { Step } from './prepare.ts';
import type { Slots } from './slots.ts';

/** Photos whose header was read and accepted, by format. */
export const PHOTOS = 'vgg_preprocess_photos_total';
/** Megapixels of those photos. */
export const MEGAPIXELS = 'vgg_preprocess_photo_megapixels';
/** Seconds that a step (decode, resize) took. */
export const STEP_DURATION = 'vgg_preprocess_step_duration_seconds';
/** Photos that were not prepared, by code. */
export const REFUSED = 'vgg_preprocess_refused_total';
/** Photos that are worked on now. */
export const RUNNING = 'vgg_preprocess_running';
/** Photos that wait for a slot. */
export const WAITING = 'vgg_preprocess_waiting';

/** Counts what happens to photos. */
export interface PreprocessMetrics {
  step(step: Step): void;
  refused(code: ErrorCode): void;
}

/** The metrics of one server; the gauges read the slots when they are asked. */
export function preprocessMetrics(
  registry: Registry,
  slots: Pick<Slots, 'running' | 'waiting'>,
): PreprocessMetrics {
  const registers = [registry];
  const photos = new Counter({
    name: PHOTOS,
    help: 'Photos whose header was accepted, by format.',
    labelNames: ['format'],
    registers,
  });
  const megapixels = new Histogram({
    name: MEGAPIXELS,
    help: 'Megapixels of accepted photos.',
    buckets: [0.1, 0.5, 1, 2, 5, 10, 20, 50],
    registers,
  });
  const duration = new Histogram({
    name: STEP_DURATION,
    help: 'Seconds that one decoding or resizing took.',
    labelNames: ['step'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    registers,
  });
  const refused = new Counter({
    name: REFUSED,
    help: 'Photos that were not prepared, by code.',
    labelNames: ['code'],
    registers,
  });
  // Counters start at 0, so that rates see the first photo.
  for (const format of FORMATS) photos.inc({ format }, 0);
  for (const step of ['decode', 'resize']) duration.zero({ step });
  for (const code of ERROR_CODES) refused.inc({ code }, 0);
  gauge(RUNNING, 'Photos that are worked on now.', () => slots.running);
  gauge(WAITING, 'Photos that wait to be worked on.', () => slots.waiting);
  return {
    step(step) {
      if (step.step === 'header') {
        photos.inc({ format: step.header.format });
        megapixels.observe((step.header.upright.width * step.header.upright.height) / 1e6);
      } else {
        duration.observe({ step: step.step }, step.ms / 1000);
      }
    },
    refused(code) {
      refused.inc({ code });
    },
  };

  function gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  }
}
