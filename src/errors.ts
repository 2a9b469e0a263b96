/** The closed list of what can be broken (an expected answer, such as a block, is a value instead). */
export type ErrorCode =
  | 'config_invalid'
  | 'policy_invalid'
  | 'catalog_invalid'
  | 'store_unavailable'
  | 'upstream_unavailable'
  | 'result_too_large'
  | 'timeout'
  | 'internal';

/** The built program is of several files, each with a class of its own: they know each other's errors by it. */
const BRAND = Symbol.for('toolgate.GatewayError');

/** Something is broken. Carries its cause; caught once, at the door. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly [BRAND] = true;

  static override [Symbol.hasInstance](value: unknown): value is GatewayError {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'GatewayError';
    this.code = code;
  }
}

/** Any thrown thing as a GatewayError; what isn't one becomes `internal`. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError('internal', messageOf(thrown), { cause: thrown });
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
