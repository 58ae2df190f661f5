// The request as it came over the wire → a preparation with every choice made and checked.
// Knows the message's habits (enum names, zero for unset); no pixel.

import type { PrepareRequest__Output } from '../../proto/generated/vgg/v1/PrepareRequest.ts';
import { expected } from '../../vgg/errors.ts';
import { KERNELS, PROTOCOLS, resolveEvaluation, SCORE_ORDERS, type Rgb } from '../../vgg/views.ts';
import type { Preparation } from './prepare.ts';

const FORMS = ['RGB8_PLANES', 'FLOAT32_PLANES', 'FLOAT32_CROPS'] as const;

/** In which form the pixels are sent. */
export type Form = (typeof FORMS)[number];

/**
 * Reads everything but the photo.
 *
 * @throws VggError INVALID_ARGUMENT naming the field
 */
export function readRequest(request: PrepareRequest__Output): Preparation & { form: Form } {
  const { evaluation, inputSize } = request;
  const protocol = named(evaluation?.protocol, 'PROTOCOL_', PROTOCOLS, 'protocol');
  const kernel = named(evaluation?.kernel, 'KERNEL_', KERNELS, 'kernel');
  const scoreOrder = named(evaluation?.scoreOrder, 'SCORE_ORDER_', SCORE_ORDERS, 'scoreOrder');
  return {
    evaluation: resolveEvaluation(
      {
        ...(protocol && { protocol }),
        ...(kernel && { kernel }),
        ...(scoreOrder && { scoreOrder }),
        scales: evaluation?.scales ?? [],
        ...(evaluation?.grid && { grid: evaluation.grid }),
        ...(evaluation?.align && { align: evaluation.align }),
      },
      { inputSize },
    ),
    mean: readMean(request.mean),
    inputSize,
    form: named(request.realise, 'REALISE_', FORMS, 'realise') ?? 'RGB8_PLANES',
  };
}

function readMean(mean: Rgb | null): Rgb {
  if (!mean) throw expected('a mean of three levels from 0 to 255', 'none', 'mean');
  for (const channel of ['red', 'green', 'blue'] as const) {
    if (!(mean[channel] >= 0 && mean[channel] <= 255)) {
      throw expected('levels from 0 to 255', mean[channel], `mean.${channel}`);
    }
  }
  return { red: mean.red, green: mean.green, blue: mean.blue };
}

// An enum's name without its prefix; undefined for _UNSPECIFIED. A number that the contract does
// not know arrives as that number.
function named<const Name extends string>(
  came: string | number | undefined,
  prefix: string,
  names: readonly Name[],
  field: string,
): Name | undefined {
  if (came === undefined || came === 0 || came === `${prefix}UNSPECIFIED`) return undefined;
  const name = names.find((each) => `${prefix}${each.toUpperCase()}` === came);
  if (name === undefined) throw expected(`${field} to be one of ${names.join(', ')}`, came, field);
  return name;
}
