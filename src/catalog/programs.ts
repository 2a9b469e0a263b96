/** What programs of no integration do with the words they are given: run them, run a shell on them, or run code that nobody sees. Pure data. */

import { type Words, wordSet } from './lists.ts';

/** How a program that runs another one is stripped off. */
export interface Wrapper {
  /** its options that take a value */
  readonly values?: readonly string[];
  /** those that take one only if it is attached */
  readonly attached?: readonly string[];
  /** so many operands of its own stand before the program */
  readonly operands?: number;
  /** `NAME=value` words stand before the program */
  readonly assignments?: true;
  /** the words are joined and given to a shell */
  readonly shell?: true;
  /** options whose value is a line for a shell */
  readonly text?: readonly string[];
  /** options whose value is split into the first of the words */
  readonly split?: readonly string[];
  /** options that name the folder it changes to */
  readonly folder?: readonly string[];
  /** it adds words that nobody knows: lines of its input */
  readonly adds?: true;
  /** options that name what stands for those words; then none are added at the end */
  readonly token?: readonly string[];
  /** with one of these it runs nothing */
  readonly unless?: readonly string[];
  /** with one of these, and no program, it is a shell */
  readonly feeds?: readonly string[];
  /** the shell runs it itself: a folder that it changes to stays */
  readonly here?: true;
  /** it runs another program only if its first operand is one of these */
  readonly verbs?: readonly string[];
}

export const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map<string, Wrapper>([
  [
    'sudo',
    {
      values: words(
        '-u -g -h -p -C -r -t -T -U -D -R --user --group --host --prompt --chdir --chroot --role --type --other-user --close-from --command-timeout',
      ),
      folder: words('-D --chdir'),
      feeds: words('-s -i --shell --login'),
      assignments: true,
    },
  ],
  ['doas', { values: words('-u -C') }],
  [
    'env',
    {
      values: words('-u --unset -C --chdir -S --split-string'),
      attached: words('--block-signal --default-signal --ignore-signal'),
      split: words('-S --split-string'),
      folder: words('-C --chdir'),
      assignments: true,
    },
  ],
  ['command', { unless: words('-v -V'), here: true }],
  ['builtin', { here: true }],
  ['exec', { values: words('-a') }],
  ['nohup', {}],
  ['nice', { values: words('-n --adjustment') }],
  ['ionice', { values: words('-c -n -p -P -u --class --classdata') }],
  ['chrt', { operands: 1, values: words('-T -P -D --sched-runtime --sched-period --sched-deadline') }],
  ['taskset', { operands: 1 }],
  ['time', { values: words('-f --format -o --output') }],
  ['timeout', { values: words('-k --kill-after -s --signal'), operands: 1 }],
  ['gtimeout', { values: words('-k --kill-after -s --signal'), operands: 1 }],
  ['stdbuf', { values: words('-i -o -e --input --output --error') }],
  ['setsid', {}],
  ['watch', { values: words('-n --interval -q --equexit'), attached: words('-d --differences'), shell: true }],
  [
    'xargs',
    {
      values: words(
        '-I -J -n -P -L -R -d -E -s -a --max-args --max-procs --delimiter --max-chars --arg-file --process-slot-var',
      ),
      attached: words('-i -l -e --replace --max-lines --eof'),
      token: words('-I -J -i --replace'),
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
  ['xcrun', { values: words('--sdk --toolchain -sdk -toolchain') }],
  ['caffeinate', { values: words('-t -w') }],
  ['entr', { text: words('-s') }],
  ['ssh-agent', { values: words('-a -E -O -P -t') }],
  ['dbus-run-session', { values: words('--config-file --dbus-daemon') }],
  [
    'xvfb-run',
    { values: words('-e -f -n -p -s --error-file --auth-file --server-num --xauth-protocol --server-args') },
  ],
  ['chroot', { values: words('--userspec --groups'), operands: 1 }],
  ['strace', { values: words('-e -o -p -s -u -E -P -a -b -I -O -S -U -X') }],
  ['ltrace', { values: words('-e -o -p -s -u -n -l -a -x -F -D -S') }],
  ['flock', { values: words('-w --timeout --wait -E --conflict-exit-code'), text: words('-c --command'), operands: 1 }],
  ['npx', { values: words('-p --package -w --workspace'), text: words('-c --call') }],
  ['bunx', { values: words('-p --package') }],
  ['uvx', { values: words('--from --with --python -p --index-url --refresh-package') }],
  ['pipx', { operands: 1, values: words('--spec --python --pip-args') }],
  ['doppler', { operands: 1, values: words('-p --project -c --config -t --token'), text: words('--command') }],
  ['op', { operands: 1, values: words('--env-file --account') }],
  ['dotenv', { values: words('-f -e -c') }],
  ['direnv', { operands: 2 }],
  ['asdf', { operands: 1, verbs: words('exec env') }],
  ['aws-vault', { operands: 2, values: words('-d --duration -t --mfa-token --region') }],
  ['mise', { operands: 1, verbs: words('exec x en'), values: words('-C --cd') }],
]);

/** Options, and operands, that are lines for a shell. */
export interface TextProgram {
  readonly text: readonly string[];
  readonly operands?: true;
}

/** Programs with such options or operands, wherever these stand among the words. */
export const TEXT_PROGRAMS: ReadonlyMap<string, TextProgram> = new Map([
  ['script', { text: words('-c --command') }],
  ['su', { text: words('-c --command --session-command') }],
  ['runuser', { text: words('-c --command --session-command') }],
  ['emulate', { text: words('-c') }],
  ['nix-shell', { text: words('--run --command') }],
  ['split', { text: words('--filter') }],
  ['mapfile', { text: words('-C') }],
  ['readarray', { text: words('-C') }],
  ['compgen', { text: words('-C -W') }],
  ['complete', { text: words('-C -W') }],
  ['hyperfine', { text: words('-p --prepare -s --setup -c --cleanup -C --conclude -r'), operands: true }],
]);

/** Words before a command that zsh knows and that change nothing of what runs. */
export const ZSH_PRECOMMANDS: ReadonlySet<string> = new Set(['noglob', 'nocorrect', '-']);

export const SHELLS: Words = wordSet('sh bash zsh dash ksh mksh ash fish rbash busybox tcsh csh');

/** Shells of other languages than we read. */
export const FOREIGN_SHELLS: Words = wordSet('pwsh powershell cmd wsl nu xonsh elvish');

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
export const RUNS_UNSEEN: Words = wordSet(
  'make gmake ninja cmake rake just task tox nox npm yarn pnpm bun deno cargo go gradle gradlew mvn mvnw ant sbt bazel dotnet swift mix composer bundle pytest jest vitest source . docker podman kubectl ssh tmux screen ansible ansible-playbook terraform vagrant at batch crontab systemd-run systemctl start open xdg-open code cursor vim nvim vi emacs nano gdb lldb java jshell ts-node tsx uv poetry pipenv hatch conda pre-commit husky lerna nx turbo sqlite3 psql mysql act gitk git-gui tig lazygit claude codex gemini copilot aider goose opencode',
);

/** Programs that print, look or copy only, whatever their words: what is in their words is no code. */
export const HARMLESS: Words = wordSet(
  'echo printf cat tac ls tree stat file rg grep egrep fgrep ag ack head tail wc sort uniq cut tr rev nl fold column paste diff cmp comm true false test [ [[ : pwd cd which type whereis basename dirname realpath readlink date sleep seq touch mkdir rmdir rm cp mv ln chmod chown tee jq yq less more bat say cowsay espeak notify-send set unset let shopt read wait sha256sum md5sum du df ps kill pgrep pkill uname id whoami hostname export declare typeset local readonly hash alias unalias exit return break continue shift man tldr apropos whatis info cheat ping dig nslookup host traceroute whois',
);

/** Programs that show an address to a person, or only ask where it is. */
export const SHOWS_ADDRESSES: Words = wordSet('open xdg-open start ping dig nslookup host traceroute whois');

/** Programs that only look into the files that they are given. */
export const READS_FILES: Words = wordSet(
  'cat tac ls tree stat file rg grep egrep fgrep ag ack head tail wc sort uniq cut nl fold column paste diff cmp comm test [ [[ du md5sum sha1sum sha256sum sha512sum cksum xxd od hexdump strings base64 less more man bat jless jq yq sed awk gawk yamllint shellcheck readlink realpath basename dirname find fd echo printf source . open xdg-open code cursor cd which type',
);

/** Programs that take away, move or change a folder with all that is below. */
export const DESTROYS_FILES: Words = wordSet('rm rmdir mv shred unlink rsync find trash srm');

/** Programs whose last operand is what they write, with what becomes of the others. */
export const SOURCE_OF_COPIES: ReadonlyMap<string, 'reads' | 'destroys'> = new Map([
  ['cp', 'reads'],
  ['scp', 'reads'],
  ['rsync', 'reads'],
  ['install', 'reads'],
  ['ditto', 'reads'],
  ['mv', 'destroys'],
]);

/** Options with which a program that reads files changes them. */
export const CHANGING_OPTIONS: ReadonlyMap<string, RegExp> = new Map([
  ['sed', /^(-[a-zA-Z]*i|--in-place)/],
  ['gawk', /^(-i|--include)/],
  ['awk', /^(-i|--include)|>/],
  ['tree', /^-o/],
  ['less', /^-[a-zA-Z]*[oO]/],
  ['diff', /^--output/],
  ['base64', /^(-o|--output)/],
  ['xxd', /^-[a-zA-Z]*r/],
  ['yq', /^(-[a-zA-Z]*i|--inplace)/],
  ['sort', /^(-[a-zA-Z]*o|--output)/],
  ['find', /^-(delete|exec|execdir|ok|okdir|fprint.*|fls)$/],
  ['fd', /^(-x|-X|--exec.*)$/],
]);

/** Builtins that evaluate what stands in brackets in their words: `test -v 'a[$(…)]'`. */
export const EVALUATES: Words = wordSet(
  'let test [ [[ printf read set unset declare typeset local export readonly wait mapfile readarray getopts',
);

/** Programs that print what sets a shell up for them. */
export const SETS_UP_A_SHELL =
  /^\$\((\S*\/)?(ssh-agent|pyenv|rbenv|nodenv|goenv|jenv|direnv|brew|mise|asdf|fnm|zoxide|starship|dircolors|conda|opam|luarocks|perl -i?MLocal::Lib|nix|gpg-agent|minikube|docker-machine|thefuck|atuin)( [\w.=:/@-]+)*\)$/i;

/** Variables that hold a command for the programs that heed them. */
export const RUN_BY_PROGRAMS =
  /(PAGER|EDITOR|VISUAL|BROWSER|ASKPASS|LESSOPEN|LESSCLOSE|PROMPT_COMMAND|COMMAND)$|^(GIT_|BASH_FUNC_|PS\d$|RSYNC_RSH$|SHELL$)/;

/** Variables that name what a shell runs first. */
export const STARTUP = /^(BASH_ENV|ENV|ZDOTDIR|BASH_FUNC_.*)$/;

/** Programs that end others. */
export const STOPS: ReadonlySet<string> = new Set(['kill', 'pkill', 'killall', 'systemctl']);

/** Arrays of the shell in which a name is what runs. */
export const REBINDING: ReadonlySet<string> = new Set([
  'BASH_ALIASES',
  'BASH_CMDS',
  'aliases',
  'galiases',
  'functions',
  'commands',
]);

/** Programs that run a package by its name. */
export const PACKAGE_RUNNERS: ReadonlySet<string> = new Set(['npx', 'bunx', 'uvx', 'pipx']);

function words(text: string): string[] {
  return text.split(' ');
}
