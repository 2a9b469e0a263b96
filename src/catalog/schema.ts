/** The format of a catalog file: one integration, the servers that offer it, and what each tool does (docs/catalog.md). */
import { z } from 'zod';
import { OPERATIONS } from '../call.ts';
import { choice, custom, faultAndMend, flag, strict, text, texts } from '../schema.ts';
import { HTTP_METHODS } from './requests.ts';
import { STATEMENT_LANGUAGES } from './statements.ts';

const toolId = text('a tool id').regex(/^[a-z0-9_]+$/, {
  error: faultAndMend('a tool id is written in lower case, digits and "_"', 'such as delete_issue'),
});

/** Canonical argument → the server's own: a path, several to try in order, or a template such as `{owner}/{repo}`. */
const argumentMap = z.record(z.string(), texts('an argument name'));

const select = strict({
  /** the argument whose value chooses */
  argument: text('argument'),
  /** value → an operation, or the id of the tool it makes this call */
  values: z.record(z.string(), text('what the value means')),
});

const raise = strict({
  argument: text('argument'),
  /** raised by this value, or by a list that contains it; without it by anything but absent, false and null */
  is: texts('is').optional(),
  /** raised by a text that matches one of these patterns */
  like: texts('like').optional(),
  /** raised by what is no text, or one that matches none of these patterns */
  unlike: texts('unlike').optional(),
  /** raised only by an object with a null among its values: what is set to null is taken away */
  holds_null: flag('holds_null').optional(),
  to: choice('operation', OPERATIONS).default('Delete'),
});

const lower = strict({ argument: text('argument'), to: choice('operation', OPERATIONS).default('Read') });

const inner = strict({
  /** the argument that names the real tool of the same server */
  argument: text('argument'),
  /** the argument that holds the real tool's arguments */
  arguments: text('arguments').default('arguments'),
});

const statement = strict({
  /** the argument that holds what is to be run */
  argument: text('argument'),
  language: choice('language', STATEMENT_LANGUAGES),
  /** without it the tool does what its operation says; else it may then do anything */
  optional: flag('optional').default(false),
});

const request = strict({
  /** a method, or `{argument}` for the argument that names it */
  method: text('method').regex(/^(\{.+\}|GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE)$/, {
    error: faultAndMend('this is neither a method nor an argument', 'write POST, or "{method}" for an argument'),
  }),
  /** the argument that holds the path, from the API's root */
  path: text('path'),
});

const apiRule = strict({
  method: choice('method', HTTP_METHODS),
  /** a pattern: `*` is one part of the path, `**` any number */
  path: text('path').regex(/^\//, { error: faultAndMend('a path of the API starts with "/"', 'such as /repos/*/*') }),
  tool: toolId.optional(),
  /** what it does, where no tool is named for it */
  operation: choice('operation', OPERATIONS).optional(),
  /** only of a request whose body may hold one of these fields, at any depth, with such a value; `true` is any but false and null */
  body: z.record(z.string(), z.union([z.literal(true), z.string()])).optional(),
}).check((ctx) => {
  if ((ctx.value.tool === undefined) === (ctx.value.operation === undefined))
    ctx.issues.push(
      custom(
        ctx.value,
        'a rule for the API names a tool or an operation, one of them',
        'write tool: create_issue, or operation: Read',
      ),
    );
});

const modifiers = {
  select: select.optional(),
  raise: z.array(raise).optional(),
  lower: z.array(lower).optional(),
  inner: inner.optional(),
  statement: statement.optional(),
  request: request.optional(),
};

const tool = strict({
  title: text('title', 80),
  operation: choice('operation', OPERATIONS),
  /** canonical arguments that are paths: normalised lexically before matching */
  paths: texts('paths').optional(),
  /** canonical arguments that are git refspecs: read as the branch they write to, and `+` or `:x` make it a Delete */
  refspecs: texts('refspecs').optional(),
  /** canonical arguments that name a branch or a commit: a path, a pattern or an option there makes it a Delete */
  refs: texts('refs').optional(),
  /** canonical arguments that name commits or ranges of them: an option there makes it a Delete */
  revisions: texts('revisions').optional(),
  /** canonical arguments that the server puts into a URL as they are: what could lead elsewhere makes it a Delete */
  url_parts: texts('url_parts').optional(),
  /** canonical arguments that may hold several values in one text, with commas between */
  lists: texts('lists').optional(),
  /** canonical arguments that hold mail addresses, several in one text too */
  addresses: texts('addresses').optional(),
  ...modifiers,
});

const serverTool = z.unknown().transform((input, ctx) => {
  const value = typeof input === 'string' ? { tool: input } : input;
  const parsed = strict({ tool: toolId.optional(), arguments: argumentMap.optional(), ...modifiers }).safeParse(value);
  if (parsed.success) {
    if (parsed.data.tool !== undefined || parsed.data.select !== undefined || parsed.data.inner !== undefined)
      return parsed.data;
    ctx.issues.push(
      custom(input, 'it says neither which tool this is nor how to tell', 'add "tool", "select" or "inner"'),
    );
    return z.NEVER;
  }
  for (const issue of parsed.error.issues) ctx.issues.push({ ...issue, input } as never);
  return z.NEVER;
});

const server = strict({
  title: text('title').optional(),
  official: flag('official').optional(),
  /** npm or PyPI packages that launch it, without a version */
  packages: texts('packages').optional(),
  docker: texts('docker').optional(),
  /** hosts of its URL, or host and the start of its path */
  hosts: texts('hosts').optional(),
  /** what it calls itself, or the name of its binary: labels it, never lowers an operation */
  names: texts('names').optional(),
  arguments: argumentMap.optional(),
  /** it reads arguments that its tools don't declare */
  undeclared: flag('undeclared').optional(),
  /** it puts its arguments into lines that a shell runs: one that a shell could take for more makes a call a Delete */
  shell: flag('shell').optional(),
  /** canonical arguments that it takes URL-encoded too: `acme%2Fweb` is `acme/web` */
  encoded: texts('encoded').optional(),
  tools: z.record(z.string(), serverTool),
});

/**
 * Where a command has a canonical argument: an option, the how-manieth operand, all from one on, those after `--`, or the
 * part of an option's value after a name: `--force`, `1`, `2+`, `--`, `-f:query` for `-f query=…`.
 */
const commandArguments = z.record(z.string(), texts('an option or an operand'));

const commandShape = {
  tool: toolId.optional(),
  /** options that take a value, so that the word after them is no operand */
  values: texts('values').optional(),
  arguments: commandArguments.optional(),
  /** the canonical argument that the folder is which it works in, where nothing else says */
  cwd: text('cwd').optional(),
  /** canonical arguments that the folder implies where they are left out */
  implied: texts('implied').optional(),
  /** the type of a remote that is this integration's, of a program that names its remotes itself */
  remote: text('remote').optional(),
  /** options that take a value only where it is attached: `-Oless`, `--open=less` */
  attached: texts('attached').optional(),
  /** options and operands that a shell runs: a text, or the words from that operand on */
  runs: texts('runs').optional(),
  cases: z
    .array(strict({ if: texts('if'), tool: toolId, arguments: commandArguments.optional(), ...modifiers }))
    .optional(),
  ...modifiers,
};

interface Modifiers {
  readonly select?: Select | undefined;
  readonly raise?: Raise[] | undefined;
  readonly lower?: Lower[] | undefined;
  readonly inner?: unknown;
  readonly statement?: Statement | undefined;
  readonly request?: Request | undefined;
}

/**
 * What a command is where one of these fits: an option, so many operands (`0` none, `2` two or more), `=x` as the first operand,
 * `local` where the last one is a path here and no remote's.
 */
interface CommandCase extends Modifiers {
  readonly if: readonly string[];
  readonly tool: string;
  readonly arguments?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** A command by its words: a tool's id, or what its options make of it. The first of its cases that fits counts. */
export interface CatalogCommand extends Modifiers {
  readonly tool?: string | undefined;
  readonly values?: readonly string[] | undefined;
  readonly arguments?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly cwd?: string | undefined;
  readonly implied?: readonly string[] | undefined;
  readonly attached?: readonly string[] | undefined;
  readonly runs?: readonly string[] | undefined;
  readonly remote?: string | undefined;
  readonly cases?: readonly CommandCase[] | undefined;
  readonly subcommands?: Readonly<Record<string, CatalogCommand>> | undefined;
}

const command: z.ZodType<CatalogCommand> = z.lazy(() =>
  z.preprocess(
    (input) => (typeof input === 'string' ? { tool: input } : input),
    strict({ ...commandShape, subcommands: z.record(z.string(), command).optional() }),
  ),
);

export const catalogFile = strict({
  integration: text('integration').regex(/^[a-z0-9-]+$/, {
    error: faultAndMend('an integration id is written in lower case, digits and "-"', 'such as google-drive'),
  }),
  title: text('title', 60),
  aliases: texts('aliases').optional(),
  /** hosts of its API, for commands that call it directly */
  api_hosts: texts('api_hosts').optional(),
  /** which tool a request to its API is; the first that fits counts */
  api: z.array(apiRule).default([]),
  /** programs, by their names */
  commands: z.record(z.string(), command).default({}),
  servers: z.record(z.string(), server).default({}),
  tools: z.record(toolId, tool),
}).check((ctx) => {
  const { tools, servers } = ctx.value;
  const refer = (id: string, path: PropertyKey[]) => {
    if (!(id in tools))
      ctx.issues.push(
        custom(id, `there is no tool "${id}" in this file`, 'add it under "tools", or correct the id', path),
      );
  };
  const checkSelect = (value: z.infer<typeof select> | undefined, path: PropertyKey[]) => {
    for (const [key, meaning] of Object.entries(value?.values ?? {}))
      if (!(OPERATIONS as readonly string[]).includes(meaning)) refer(meaning, [...path, 'select', 'values', key]);
  };
  ctx.value.api.forEach(({ tool }, index) => {
    if (tool !== undefined) refer(tool, ['api', index, 'tool']);
  });
  const checkCommand = (value: CatalogCommand, path: PropertyKey[]) => {
    if (value.tool !== undefined) refer(value.tool, [...path, 'tool']);
    checkSelect(value.select, path);
    value.cases?.forEach((each, index) => {
      refer(each.tool, [...path, 'cases', index, 'tool']);
    });
    for (const [name, inner] of Object.entries(value.subcommands ?? {}))
      checkCommand(inner, [...path, 'subcommands', name]);
  };
  for (const [name, value] of Object.entries(ctx.value.commands)) checkCommand(value, ['commands', name]);
  for (const [id, value] of Object.entries(tools)) checkSelect(value.select, ['tools', id]);
  for (const [name, value] of Object.entries(servers)) {
    for (const [called, entry] of Object.entries(value.tools)) {
      const path = ['servers', name, 'tools', called];
      if (entry.tool !== undefined) refer(entry.tool, path);
      checkSelect(entry.select, path);
    }
  }
});

export type CatalogFile = z.output<typeof catalogFile>;
export type CatalogServer = CatalogFile['servers'][string];
export type CatalogTool = CatalogFile['tools'][string];
export type CatalogServerTool = CatalogServer['tools'][string];
export type Select = z.output<typeof select>;
export type Raise = z.output<typeof raise>;
export type Lower = z.output<typeof lower>;
export type Request = z.output<typeof request>;
export type ApiRule = z.output<typeof apiRule>;
export type Statement = z.output<typeof statement>;
