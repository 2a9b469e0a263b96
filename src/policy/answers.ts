/** Three-valued logic: how the answers of several conditions make one. Pure. */
import type { Answer } from '../call.ts';

/** AND: one no is no, whatever the rest; else one can't tell is can't tell. Of none: yes. */
export function every<Part>(parts: readonly Part[], ask: (part: Part) => Answer): Answer {
  return combined(parts, ask, 'no');
}

/** OR: one yes is yes, whatever the rest; else one can't tell is can't tell. Of none: no. */
export function some<Part>(parts: readonly Part[], ask: (part: Part) => Answer): Answer {
  return combined(parts, ask, 'yes');
}

/** NOT: what can't be told stays so. */
export function opposite(answer: Answer): Answer {
  return answer === 'yes' ? 'no' : answer === 'no' ? 'yes' : 'cant tell';
}

function combined<Part>(parts: readonly Part[], ask: (part: Part) => Answer, decisive: 'yes' | 'no'): Answer {
  let result: Answer = opposite(decisive);
  for (const part of parts) {
    const answer = ask(part);
    if (answer === decisive) return answer;
    if (answer === 'cant tell') result = answer;
  }
  return result;
}
