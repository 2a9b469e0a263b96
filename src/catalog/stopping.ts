/** Whether a line ends toolgate's own processes: by their name, by the desk's port, or by numbers that a search has found. Pure. */
import type { OwnPlaces } from './own.ts';
import { STOPS } from './programs.ts';
import type { ShellWord } from './shell-line.ts';

/** Programs that look for processes, or go through what others print of them. */
const FINDS_PROCESSES: ReadonlySet<string> = new Set('pgrep pidof ps grep rg awk lsof ss netstat fuser'.split(' '));

/** Programs that end what is named to them, or listens on a port. */
const ENDS_BY_NAME: ReadonlySet<string> = new Set('kill-port fkill pm2 launchctl supervisorctl service'.split(' '));

/** What such programs only show. */
const LOOKS = /^(status|list|show|print|is-active|cat|describe|logs)\b/;

export class Stopping {
  readonly #ports: OwnPlaces['ports'];
  /** the line looks for toolgate's processes */
  #searches = false;
  /** it ends processes whose numbers only the shell knows */
  #ends = false;

  constructor(ports: OwnPlaces['ports']) {
    this.#ports = ports;
  }

  /** Takes the next program of the line; says whether it, or what came before it with it, ends toolgate. */
  isBy(name: string, words: readonly ShellWord[]): boolean {
    const line = words
      .map(({ text }) => text)
      .join(' ')
      .toLowerCase();
    const isByName = line.includes('toolgate') || line.includes('[t]oolgate');
    const numbers = new Set(line.match(/\d+/g)?.map(Number));
    const isMeant = isByName || this.#ports.some((port) => numbers.has(port));
    const has = (option: RegExp) => words.some(({ text }) => option.test(text));
    if (ENDS_BY_NAME.has(name)) return isMeant && !LOOKS.test(line);
    if (name === 'fuser' && has(/^-\w*k/)) return isMeant;
    if (STOPS.has(name)) {
      if (has(/^(-0|--signal=0|-l|-L)$/) || (name === 'systemctl' && LOOKS.test(line))) return false;
      if (isByName) return true;
      this.#ends ||= words.some(({ dynamic }) => dynamic);
    } else if (FINDS_PROCESSES.has(name)) this.#searches ||= isMeant;
    return this.#ends && this.#searches;
  }
}
