/** `--stdin`: a JSON object on each line is one question, answered by one line of JSON. */
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { isObject } from '../call.ts';
import { messageOf } from '../errors.ts';
import { keepExact } from '../exact.ts';
import { didYouMean } from '../problem.ts';
import { print } from './output.ts';

/** What one command is asked. */
export interface Questions<Asked> {
  readonly format: z.ZodType<Asked> & { readonly shape: object };
  /** the key that may not be left out, and what to write there */
  readonly needs: readonly [key: string, mend: string];
  /** one whole line, for messages */
  readonly example: string;
}

/** One question's failure is its own answer, and the next line goes on. Exit 0: all were answered; 1: some could not be. */
export async function answerLines<Asked>(
  questions: Questions<Asked>,
  answer: (asked: Asked) => object,
): Promise<number> {
  let failed = false;
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    const found = answerTo(line, questions, answer);
    failed ||= 'error' in found;
    print(JSON.stringify(found));
  }
  return failed ? 1 : 0;
}

function answerTo<Asked>(line: string, questions: Questions<Asked>, answer: (asked: Asked) => object): object {
  const asked = readQuestion(line, questions);
  if (typeof asked === 'string') return { error: { code: 'config_invalid', message: asked } };
  try {
    return answer(asked.question);
  } catch (error) {
    return { error: { code: 'internal', message: messageOf(error) } };
  }
}

/** One line, or what is wrong with it. */
function readQuestion<Asked>(
  line: string,
  { format, needs: [needed, mend], example }: Questions<Asked>,
): { question: Asked } | string {
  let value: unknown;
  try {
    value = JSON.parse(line, keepExact);
  } catch (error) {
    return `this line is not JSON: ${messageOf(error)}`;
  }
  if (!isObject(value)) return `a line must be a JSON object, such as ${example}`;
  const keys = Object.keys(format.shape);
  for (const key of Object.keys(value)) {
    const guess = keys.includes(key) ? null : didYouMean(key, keys);
    if (guess !== null && !(guess in value)) return `"${key}" is not a key of a question: did you mean "${guess}"?`;
  }
  const parsed = format.safeParse(value);
  if (parsed.success) return { question: parsed.data };
  const { path, message } = parsed.error.issues[0]!;
  return value[needed] === undefined ? `"${needed}" is missing: ${mend}` : `"${path.join('.')}": ${message}`;
}
