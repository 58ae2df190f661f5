// Evaluations and enum names between the wire and the method: PROTOCOL_MULTI_CROP ↔ MULTI_CROP,
// zero ↔ left out.

import { expected } from '../vgg/errors.ts';
import {
  KERNELS,
  PROTOCOLS,
  SCORE_ORDERS,
  SHARES,
  STOPS,
  type Evaluation as MethodEvaluation,
} from '../vgg/views/evaluation.ts';
import type { Evaluation, Evaluation__Output } from './generated/vgg/v1/Evaluation.ts';

/**
 * An enum's name without its prefix; undefined for _UNSPECIFIED. A number that the contract does not
 * know arrives as that number.
 *
 * @throws VggError INVALID_ARGUMENT naming the field
 */
export function enumName<const Name extends string>(
  came: string | number | undefined,
  prefix: string,
  names: readonly Name[],
  field: string,
): Name | undefined {
  if (came === undefined || came === 0 || came === `${prefix}UNSPECIFIED`) return undefined;
  const name = names.find((each) => wireName(prefix, each) === came);
  if (name === undefined) throw expected(`${field} to be one of ${names.join(', ')}`, came, field);
  return name;
}

/** The enum name on the wire. */
export function wireName<const Prefix extends string, const Name extends string>(
  prefix: Prefix,
  name: Name,
): `${Prefix}${Uppercase<Name>}` {
  return `${prefix}${name.toUpperCase() as Uppercase<Name>}`;
}

/**
 * What the caller chose; what is unset is left out.
 *
 * @throws VggError INVALID_ARGUMENT naming an enum that the contract does not know
 */
export function evaluationOptions(message: Evaluation__Output | null | undefined): Partial<MethodEvaluation> {
  const protocol = enumName(message?.protocol, 'PROTOCOL_', PROTOCOLS, 'protocol');
  const kernel = enumName(message?.kernel, 'KERNEL_', KERNELS, 'kernel');
  const scoreOrder = enumName(message?.scoreOrder, 'SCORE_ORDER_', SCORE_ORDERS, 'scoreOrder');
  const share = enumName(message?.share, 'SHARE_', SHARES, 'share');
  const stop = enumName(message?.stop, 'STOP_', STOPS, 'stop');
  return {
    ...(protocol && { protocol }),
    ...(kernel && { kernel }),
    ...(scoreOrder && { scoreOrder }),
    ...(share && { share }),
    ...(stop && { stop }),
    ...(message?.scales.length && { scales: message.scales }),
    ...(message?.grid && { grid: message.grid }),
    ...(message?.align && { align: message.align }),
  };
}

/** An evaluation for the wire. */
export function evaluationMessage(evaluation: Partial<MethodEvaluation>): Evaluation {
  const { protocol, kernel, scoreOrder, share, stop, scales, grid, align } = evaluation;
  return {
    ...(protocol && { protocol: wireName('PROTOCOL_', protocol) }),
    ...(kernel && { kernel: wireName('KERNEL_', kernel) }),
    ...(scoreOrder && { scoreOrder: wireName('SCORE_ORDER_', scoreOrder) }),
    ...(share && { share: wireName('SHARE_', share) }),
    ...(stop && { stop: wireName('STOP_', stop) }),
    ...(scales && { scales: [...scales] }),
    ...(grid !== undefined && { grid }),
    ...(align !== undefined && { align }),
  };
}
