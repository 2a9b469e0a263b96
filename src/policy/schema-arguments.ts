/** How policies compare one argument: the schema of a value below `args`. */
import { z } from 'zod';
import { custom, describe } from '../schema.ts';

export type Literal = string | number | boolean | null;

/** How one argument is compared. Every key must hold; in a list value any element does. */
export interface ArgumentMatch {
  readonly is?: readonly Literal[];
  readonly is_not?: readonly Literal[];
  readonly like?: readonly string[];
  readonly not_like?: readonly string[];
  readonly over?: number;
  readonly under?: number;
  readonly at_least?: number;
  readonly at_most?: number;
  readonly contains?: readonly Literal[];
  readonly exists?: boolean;
  readonly missing?: boolean | 'match';
}

const ARGUMENT_KEYS = [
  'is',
  'is_not',
  'like',
  'not_like',
  'over',
  'under',
  'at_least',
  'at_most',
  'contains',
  'exists',
  'missing',
] as const;
const NUMBER_KEYS = new Set<string>(['over', 'under', 'at_least', 'at_most']);

/** A literal (text is a pattern), a list of literals, or a block of comparisons. */
export const argumentMatch = z
  .unknown()
  .transform((input, ctx): ArgumentMatch => {
    if (input === null || typeof input !== 'object') return literals([input as Literal]);
    if (Array.isArray(input)) {
      if (input.length === 0)
        ctx.issues.push(custom(input, 'the list is empty, so it can never match', 'name at least one value'));
      return literals(input.map((item, index) => literal(item, ctx.issues, [index])));
    }
    const result: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(input)) {
      if (!(ARGUMENT_KEYS as readonly string[]).includes(key)) {
        ctx.issues.push({
          code: 'unrecognized_keys',
          keys: [key],
          input,
          path: [],
          message: ['', ...ARGUMENT_KEYS].join('\u0000'),
        } as never);
      } else if (NUMBER_KEYS.has(key)) {
        if (typeof value === 'number' && Number.isFinite(value)) result[key] = value;
        else
          ctx.issues.push(
            custom(value, `"${key}" must be a number, not ${describe(value)}`, 'write a number without quotes', [key]),
          );
      } else if (key === 'exists' || key === 'missing') {
        if (typeof value === 'boolean' || (key === 'missing' && value === 'match')) result[key] = value;
        else
          ctx.issues.push(
            custom(
              value,
              `"${key}" must be ${key === 'missing' ? 'true or match' : 'true or false'}, not ${describe(value)}`,
              'see docs/policies.md',
              [key],
            ),
          );
      } else {
        const items = Array.isArray(value) ? value : [value];
        const asText = key === 'like' || key === 'not_like';
        result[key] = items.map((item, index) => {
          const found = literal(item, ctx.issues, Array.isArray(value) ? [key, index] : [key]);
          return asText ? String(found) : found;
        });
      }
    }
    if ('exists' in result && 'missing' in result)
      ctx.issues.push(custom(input, '"exists" and "missing" ask the same', 'keep one of them'));
    if (Object.keys(input).length === 0)
      ctx.issues.push(custom(input, 'the comparison is empty', `use one of: ${ARGUMENT_KEYS.join(', ')}`));
    return result as ArgumentMatch;
  })
  .meta({
    description: 'a value (text is a pattern), a list of values, or comparisons',
    anyOf: [
      { type: ['string', 'number', 'boolean', 'null'] },
      { type: 'array' },
      {
        type: 'object',
        properties: Object.fromEntries(ARGUMENT_KEYS.map((key) => [key, {}])),
        additionalProperties: false,
      },
    ],
  });

/** Texts are patterns, the rest must be equal; both kinds in one list are one `any of`. */
function literals(items: readonly Literal[]): ArgumentMatch {
  return { is: items };
}

function literal(item: unknown, issues: unknown[], path: PropertyKey[]): Literal {
  if (item === null || ['string', 'number', 'boolean'].includes(typeof item)) return item as Literal;
  issues.push(
    custom(item, `a value to compare with can't be ${describe(item)}`, 'write a text, a number, true or false', path),
  );
  return null;
}
