/**
 * Numbers that a double can't hold, kept as they were written: `JSON.parse(text, keepExact)` gives them as raw JSON,
 * which `JSON.stringify` writes out unchanged.
 */
export function keepExact(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return decimal(context.source) === decimal(String(value)) ? value : JSON.rawJSON(context.source);
}

/** A decimal number in one form: sign, digits without outer zeros, exponent. */
function decimal(source: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source);
  if (match === null) return source;
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  if (trimmed === '') return '0';
  return `${sign}${trimmed}e${Number(exponent) - fraction.length + (digits.length - trimmed.length)}`;
}
