/** What commands print: the answer on stdout, everything else on stderr, outside text always made visible. */
import { visibleLine } from '../problem.ts';

/** What must be done before the process ends early. */
export const atExit = new Set<() => void>();

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

export function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `1 policy`, `2 policies`. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Columns padded to their widest cell; cells are shown on one line each. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(visibleLine))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `2026-11-25 22:14:03` in local time; empty for nothing. */
export function when(ms: number | null): string {
  if (ms === null) return '';
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Lets what was written leave first; whatever still runs must not keep us. */
export function finish(code: number): void {
  process.exitCode = code;
  process.stdout.write('', (error) => {
    if (error) process.stdout.emit('error', error);
    process.stderr.write('', () => process.exit(code));
  });
}
