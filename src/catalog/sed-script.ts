/** What a sed script does beside editing what it reads: runs commands, writes files. Pure. */

export interface SedScript {
  /** it has a shell run something, or nobody can tell */
  readonly runs: boolean;
  /** files that it writes */
  readonly writes: readonly string[];
}

const UNREADABLE: SedScript = { runs: true, writes: [] };

/** Of the script's text (POSIX and GNU sed). */
export function readSedScript(script: string): SedScript {
  const writes: string[] = [];
  let runs = false;
  let at = 0;
  const restOfLine = () => {
    const end = script.indexOf('\n', at);
    const text = script.slice(at, end === -1 ? script.length : end);
    at = end === -1 ? script.length : end + 1;
    return text;
  };
  /** Behind the next delimiter that is not escaped and not in brackets; false if there is none. */
  const skipPast = (delimiter: string): boolean => {
    let inBrackets = false;
    for (; at < script.length; at++) {
      const char = script[at]!;
      if (char === '\\') at++;
      else if (inBrackets && /^\[[:.=]/.test(script.slice(at, at + 2))) {
        const end = script.indexOf(`${script[at + 1]}]`, at + 2);
        if (end === -1) return false;
        at = end + 1;
      } else if (char === '[' && !inBrackets && delimiter !== '[') {
        inBrackets = true;
        // A bracket that comes first is one of the characters.
        at += /^\[\^?\]/.exec(script.slice(at, at + 3))?.[0].length ?? 1;
        at--;
      } else if (char === ']' && inBrackets) inBrackets = false;
      else if (char === delimiter && !inBrackets) {
        at++;
        return true;
      }
    }
    return false;
  };
  /** One address, or nothing; false if it has no end. */
  const skipAddress = (): boolean => {
    const char = script[at];
    if (char === '/') {
      at++;
      if (!skipPast('/')) return false;
    } else if (char === '\\') {
      at += 2;
      if (!skipPast(script[at - 1]!)) return false;
    } else {
      while (/[\d$~+]/.test(script[at] ?? '')) at++;
      return true;
    }
    while (/[IM]/.test(script[at] ?? '')) at++;
    return true;
  };
  while (at < script.length) {
    if (/[\s;{}]/.test(script[at]!)) {
      at++;
      continue;
    }
    if (!skipAddress()) return UNREADABLE;
    if (script[at] === ',') {
      at++;
      if (!skipAddress()) return UNREADABLE;
    }
    while (/[\s!]/.test(script[at] ?? '')) at++;
    const command = script[at++];
    switch (command) {
      case undefined:
      case '{':
      case '}':
        break;
      case 'e':
        runs = true;
        restOfLine();
        break;
      case 'w':
      case 'W':
        writes.push(restOfLine().trim());
        break;
      case '#':
      case 'a':
      case 'i':
      case 'c':
      case 'r':
      case 'R':
        while (restOfLine().endsWith('\\') && at < script.length);
        break;
      case 'b':
      case 't':
      case 'T':
      case ':':
        while (at < script.length && !/[;\n}]/.test(script[at]!)) at++;
        break;
      case 's':
      case 'y': {
        const delimiter = script[at++];
        if (delimiter === undefined || !skipPast(delimiter) || !skipPast(delimiter)) return UNREADABLE;
        if (command === 'y') break;
        const flags = /^[gpiImMe\d]*/.exec(script.slice(at, at + 20))![0];
        at += flags.length;
        if (flags.includes('e')) runs = true;
        if (script[at] === 'w') {
          at++;
          writes.push(restOfLine().trim());
        }
        break;
      }
      default:
        if (!/[=dDgGhHlnNpPqQxzFv]/.test(command)) return UNREADABLE;
        while (/[\d ]/.test(script[at] ?? '')) at++;
    }
  }
  return { runs, writes };
}

/** The scripts among sed's words, and whether it reads one from a file as well. */
export function sedScripts(texts: readonly string[]): {
  readonly scripts: readonly string[];
  readonly inFile: boolean;
} {
  const scripts: string[] = [];
  let inFile = false;
  let first: string | null = null;
  for (let at = 0; at < texts.length; at++) {
    const text = texts[at]!;
    const attached = /^(?:-[nrEsuz]*e|--e[a-z]*=)([\s\S]+)$/.exec(text)?.[1];
    if (/^(-[nrEsuz]*f|--fi)/.test(text)) inFile = true;
    else if (/^(-[nrEsuz]*e|--e[a-z]*)$/.test(text)) scripts.push(texts[++at] ?? '');
    else if (attached !== undefined) scripts.push(attached);
    else if (/^(-[nrEsuz]*l|--l[a-z-]*)$/.test(text)) at++;
    else if (!text.startsWith('-') || text === '-') first ??= text;
  }
  // BSD's `-i ''` takes a word of its own.
  return { scripts: scripts.length > 0 || first === null ? scripts : [first], inFile };
}
