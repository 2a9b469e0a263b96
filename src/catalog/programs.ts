/** What programs of no integration do with the words they are given: run them, run a shell on them, or run code that nobody sees. Pure data. */

import { wordSet } from './lists.ts';

/** How a program that runs another one is stripped off. */
export interface Wrapper {
  /** its options that take a value */
  readonly values?: readonly string[];
  /** so many operands of its own stand before the program */
  readonly operands?: number;
  /** `NAME=value` words stand before the program */
  readonly assignments?: true;
  /** the words are joined and given to a shell */
  readonly shell?: true;
  /** it adds words that nobody knows: lines of its input */
  readonly adds?: true;
  /** with one of these it runs nothing */
  readonly unless?: readonly string[];
}

export const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map<string, Wrapper>([
  [
    'sudo',
    {
      values: words(
        '-u -g -h -p -C -r -t -T -U -D -R --user --group --host --prompt --chdir --chroot --role --type --other-user --close-from --command-timeout',
      ),
      assignments: true,
    },
  ],
  ['doas', { values: words('-u -C') }],
  [
    'env',
    {
      values: words('-u --unset -C --chdir -S --split-string --block-signal --default-signal --ignore-signal'),
      assignments: true,
    },
  ],
  ['command', { unless: words('-v -V') }],
  ['builtin', {}],
  ['exec', { values: words('-a') }],
  ['nohup', {}],
  ['nice', { values: words('-n --adjustment') }],
  ['ionice', { values: words('-c -n -p -P -u --class --classdata') }],
  ['chrt', { operands: 1 }],
  ['taskset', { operands: 1 }],
  ['time', { values: words('-f --format -o --output') }],
  ['timeout', { values: words('-k --kill-after -s --signal'), operands: 1 }],
  ['gtimeout', { values: words('-k --kill-after -s --signal'), operands: 1 }],
  ['stdbuf', { values: words('-i -o -e --input --output --error') }],
  ['setsid', {}],
  ['watch', { values: words('-n --interval -q --equexit'), shell: true }],
  [
    'xargs',
    {
      values: words(
        '-I -n -P -L -d -E -s -a --replace --max-args --max-procs --max-lines --delimiter --eof --max-chars --arg-file',
      ),
      adds: true,
    },
  ],
  [
    'parallel',
    {
      values: words(
        '-j --jobs -I -N -n -a --arg-file -S --sshlogin --colsep -d --delimiter --results --joblog --tmpdir --timeout --delay --retries',
      ),
      adds: true,
      shell: true,
    },
  ],
  ['unbuffer', {}],
  ['caffeinate', { values: words('-t -w') }],
  ['chroot', { values: words('--userspec --groups'), operands: 1 }],
  ['strace', { values: words('-e -o -p -s -u -E -P -a -b -I -O -S -U -X') }],
  ['ltrace', { values: words('-e -o -p -s -u -n -l -a -x -F -D -S') }],
  ['flock', { values: words('-w --timeout --wait -E --conflict-exit-code'), operands: 1 }],
  ['npx', { values: words('-p --package -w --workspace') }],
  ['bunx', { values: words('-p --package') }],
  ['uvx', { values: words('--from --with --python -p --index-url --refresh-package') }],
  ['pipx', { operands: 1, values: words('--spec --python --pip-args') }],
  ['doppler', { operands: 1, values: words('-p --project -c --config -t --token') }],
  ['op', { operands: 1, values: words('--env-file --account') }],
  ['dotenv', { values: words('-f -e -c') }],
  ['direnv', { operands: 2 }],
  ['mise', { operands: 1, values: words('-C --cd') }],
]);

/** Words before a command that zsh knows and that change nothing of what runs. */
export const ZSH_PRECOMMANDS: ReadonlySet<string> = new Set(['noglob', 'nocorrect', '-']);

export const SHELLS: ReadonlySet<string> = wordSet('sh bash zsh dash ksh mksh ash fish rbash busybox tcsh csh');

/** Shells of other languages than we read. */
export const FOREIGN_SHELLS: ReadonlySet<string> = wordSet('pwsh powershell cmd wsl nu xonsh elvish');

/** Interpreters, with the options that give them code. */
export const INTERPRETERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['python', words('-c')],
  ['python2', words('-c')],
  ['python3', words('-c')],
  ['node', words('-e --eval -p --print')],
  ['nodejs', words('-e --eval -p --print')],
  ['deno', words('eval')],
  ['bun', words('-e --eval')],
  ['ruby', words('-e')],
  ['perl', words('-e -E')],
  ['php', words('-r')],
  ['lua', words('-e')],
  ['osascript', words('-e')],
  ['awk', []],
  ['gawk', []],
  ['expect', words('-c')],
  ['tclsh', []],
]);

/** Programs that run code which is not in the line. */
export const RUNS_UNSEEN: ReadonlySet<string> = wordSet(
  'make gmake ninja cmake rake just task tox nox npm yarn pnpm bun deno cargo go gradle gradlew mvn mvnw ant sbt bazel dotnet swift mix composer bundle pytest jest vitest source . docker podman kubectl ssh tmux screen ansible ansible-playbook terraform vagrant at batch crontab systemd-run systemctl start open xdg-open code cursor vim nvim vi emacs nano gdb lldb java jshell ts-node tsx uv poetry pipenv hatch conda pre-commit husky lerna nx turbo sqlite3 psql mysql act gitk git-gui tig lazygit claude codex gemini copilot aider goose opencode',
);

/** Programs that print or look only, whatever their words: what is in their words is no code. */
export const HARMLESS: ReadonlySet<string> = wordSet(
  'echo printf cat ls rg grep head tail wc sort true false test [ : pwd',
);

function words(text: string): string[] {
  return text.split(' ');
}
