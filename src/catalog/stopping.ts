/** Whether a line ends toolgate's own processes: by their name, by the desk's port, or by numbers that a search has found. Pure. */
import type { OwnPlaces } from './own.ts';
import { STOPS } from './programs.ts';
import type { ShellWord } from './shell-line.ts';

/** Programs that look for processes. */
const FINDS_PROCESSES: ReadonlySet<string> = new Set('pgrep pidof lsof ss netstat fuser'.split(' '));
/** Programs that go through what `ps` prints. */
const GOES_THROUGH: ReadonlySet<string> = new Set('grep egrep rg awk sed'.split(' '));

/** Programs that end what is named to them, or listens on a port. */
const ENDS_BY_NAME: ReadonlySet<string> = new Set(
  'kill-port fkill pm2 launchctl supervisorctl service skill'.split(' '),
);

/** What a process of toolgate's is called, as programs that end processes look for it. */
const CALLED = ['toolgate', 'node /opt/toolgate/dist/toolgate.js serve', 'toolgate desk'];

export class Stopping {
  readonly #ports: OwnPlaces['ports'];
  /** the line looks for toolgate's processes */
  #searches = false;
  /** it lists processes */
  #lists = false;
  /** it ends processes whose numbers only the shell knows */
  #ends = false;

  constructor(ports: OwnPlaces['ports']) {
    this.#ports = ports;
  }

  /** Takes the next program of the line; says whether it, or what came before it with it, ends toolgate. */
  isBy(name: string, words: readonly ShellWord[]): boolean {
    const texts = words.map(({ text }) => text);
    const line = texts.join(' ').toLowerCase();
    const isByName = line.includes('toolgate') || (SEARCHES_BY_PATTERN.has(name) && texts.some(mayMeanToolgate));
    const numbers = new Set(line.match(/\d+/g)?.map(Number));
    const isMeant = isByName || this.#ports.some((port) => numbers.has(port));
    const has = (option: RegExp) => words.some(({ text }) => option.test(text));
    if (ENDS_BY_NAME.has(name)) return isMeant && !(LOOKS.test(texts[0] ?? '') && name !== 'service');
    if (name === 'fuser' && has(/^(-\w*k|--kill)/)) return isMeant;
    if (name === 'ps') this.#lists = true;
    if (STOPS.has(name)) {
      const onlyLooks =
        name === 'systemctl'
          ? LOOKS.test(texts.find((text) => !text.startsWith('-')) ?? '')
          : texts[0] === '-0' && !has(/^-([1-9]|[A-Z]|-signal)/);
      if (onlyLooks) return false;
      if (isByName) return true;
      // `$!` is what the line has started itself.
      this.#ends ||= words.some(({ text, dynamic }) => dynamic && text !== '$!');
    } else if (FINDS_PROCESSES.has(name) || (GOES_THROUGH.has(name) && this.#lists)) this.#searches ||= isMeant;
    return this.#ends && this.#searches;
  }
}

/** What such programs only show. */
const LOOKS = /^(status|list|ls|show|print|is-active|cat|describe|logs|info)$/;

const SEARCHES_BY_PATTERN: ReadonlySet<string> = new Set(['pkill', 'pgrep', 'skill', 'killall']);

/** Whether a pattern of theirs finds a process of toolgate's. One that could take long is taken to. */
function mayMeanToolgate(pattern: string): boolean {
  if (pattern.startsWith('-') || pattern.length < 3) return false;
  if (pattern.length > 60 || /[+*?{(].*[+*?{(].*[+*?{(]/.test(pattern)) return true;
  try {
    const matches = new RegExp(pattern, 'i');
    // What finds every Node finds it too, and is not about it.
    return (
      CALLED.some((each) => matches.test(each)) && !matches.test('node') && !matches.test('/opt/x/server.js serve')
    );
  } catch {
    return false;
  }
}
