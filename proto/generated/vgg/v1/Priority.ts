// Original file: proto/vgg/v1/inference_service.proto

/**
 * Who is served first when views queue.
 */
export const Priority = {
  /**
   * INTERACTIVE.
   */
  PRIORITY_UNSPECIFIED: 'PRIORITY_UNSPECIFIED',
  /**
   * Somebody waits for the answer.
   */
  PRIORITY_INTERACTIVE: 'PRIORITY_INTERACTIVE',
  /**
   * Bulk work: served when no interactive view waits.
   */
  PRIORITY_BATCH: 'PRIORITY_BATCH',
} as const;

/**
 * Who is served first when views queue.
 */
export type Priority =
  /**
   * INTERACTIVE.
   */
  | 'PRIORITY_UNSPECIFIED'
  | 0
  /**
   * Somebody waits for the answer.
   */
  | 'PRIORITY_INTERACTIVE'
  | 1
  /**
   * Bulk work: served when no interactive view waits.
   */
  | 'PRIORITY_BATCH'
  | 2

/**
 * Who is served first when views queue.
 */
export type Priority__Output = typeof Priority[keyof typeof Priority]
