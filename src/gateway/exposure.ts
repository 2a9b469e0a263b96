/** What the gate shows a client: the tools, prompts and resources of all upstreams, under names that stay. */
import { compileGlob } from '../glob.ts';
import type { ListItem, Upstream } from '../upstream/connection.ts';
import { exposedName, nameFault, StickyNames } from './names.ts';

/** One tool or prompt, and whose it is. */
export interface Exposed {
  readonly exposedName: string;
  readonly upstream: Upstream;
  /** as the upstream gave it */
  readonly item: ListItem;
  readonly name: string;
}

export interface Withheld {
  readonly server: string;
  readonly name: string;
  readonly why: string;
}

const WRAP = 'toolgate+';

export class Exposure {
  readonly #toolNames = new StickyNames();
  readonly #promptNames = new StickyNames();
  #upstreams: readonly Upstream[];
  tools: ReadonlyMap<string, Exposed> = new Map();
  prompts: ReadonlyMap<string, Exposed> = new Map();
  withheld: readonly Withheld[] = [];
  /** how often each URI is listed, over all upstreams */
  #uriOwners = new Map<string, Upstream[]>();

  constructor(upstreams: readonly Upstream[]) {
    this.#upstreams = upstreams;
  }

  /** Takes the lists of all upstreams as they are now, in the order of servers.json. */
  rebuild(): void {
    const withheld: Withheld[] = [];
    this.tools = this.#collect('tools', this.#toolNames, withheld);
    this.prompts = this.#collect('prompts', this.#promptNames, withheld);
    this.withheld = withheld;
    this.#uriOwners = new Map();
    for (const upstream of this.#upstreams) {
      for (const { uri } of upstream.lists.resources) {
        if (typeof uri !== 'string' || isWrapped(uri)) continue;
        const owners = this.#uriOwners.get(uri);
        if (owners === undefined) this.#uriOwners.set(uri, [upstream]);
        else if (!owners.includes(upstream)) owners.push(upstream);
      }
    }
  }

  /** Every field as the upstream gave it, but the name. */
  toolList(): ListItem[] {
    return [...this.tools.values()].map(({ item, exposedName: name }) => ({ ...item, name }));
  }

  promptList(): ListItem[] {
    return [...this.prompts.values()].map(({ item, exposedName: name }) => ({ ...item, name }));
  }

  resourceList(): ListItem[] {
    return this.#upstreams.flatMap((upstream) =>
      upstream.lists.resources.flatMap((item) =>
        // A URI in our own form could be taken for another server's.
        typeof item.uri === 'string' && !isWrapped(item.uri)
          ? [{ ...item, uri: this.exposedUri(upstream, item.uri) }]
          : [],
      ),
    );
  }

  templateList(): ListItem[] {
    const owners = (template: unknown) =>
      this.#upstreams.filter(({ lists }) => lists.templates.some(({ uriTemplate }) => uriTemplate === template)).length;
    return this.#upstreams.flatMap((upstream) =>
      upstream.lists.templates.flatMap((item) => {
        if (typeof item.uriTemplate !== 'string' || isWrapped(item.uriTemplate)) return [];
        return [owners(item.uriTemplate) > 1 ? { ...item, uriTemplate: wrap(upstream, item.uriTemplate) } : item];
      }),
    );
  }

  /** A URI as a client sees it: wrapped with its server only where it could be another's too. */
  exposedUri(upstream: Upstream, uri: string): string {
    return this.#candidates(uri).some((other) => other !== upstream) ? wrap(upstream, uri) : uri;
  }

  /** Whose a URI is. Several possible owners are refused, never guessed: their policies may differ. */
  ownerOf(uri: string): { readonly upstream: Upstream; readonly uri: string } | { readonly fault: string } {
    if (isWrapped(uri)) {
      const upstream = this.#upstreams.find((each) => uri.startsWith(wrap(each, '')));
      return upstream === undefined
        ? { fault: `Resource not found: ${uri}` }
        : { upstream, uri: uri.slice(wrap(upstream, '').length) };
    }
    const candidates = this.#candidates(uri);
    if (candidates.length === 1) return { upstream: candidates[0]!, uri };
    if (candidates.length > 1)
      return {
        fault: `several servers offer ${uri}: read ${candidates.map((upstream) => wrap(upstream, uri)).join(' or ')}`,
      };
    const offering = this.#upstreams.filter(({ capabilities }) => capabilities['resources'] !== undefined);
    if (offering.length === 1) return { upstream: offering[0]!, uri };
    return { fault: `Resource not found: ${uri}` };
  }

  /** Every upstream that lists the URI, or has a template that it fits. */
  #candidates(uri: string): Upstream[] {
    const listed = this.#uriOwners.get(uri) ?? [];
    return this.#upstreams.filter(
      (upstream) =>
        listed.includes(upstream) || upstream.lists.templates.some(({ uriTemplate }) => fitsTemplate(uriTemplate, uri)),
    );
  }

  #collect(list: 'tools' | 'prompts', names: StickyNames, withheld: Withheld[]): Map<string, Exposed> {
    const result = new Map<string, Exposed>();
    for (const upstream of this.#upstreams) {
      const { key, prefix, hide } = upstream.spec;
      const hidden = hide.map((pattern) => compileGlob(pattern));
      for (const item of upstream.lists[list]) {
        const name = item.name as string;
        const fault = nameFault(name);
        if (fault !== null) {
          withheld.push({ server: key, name: typeof name === 'string' ? name : '(no text)', why: fault });
          continue;
        }
        if (list === 'tools' && hidden.some((glob) => glob(name))) continue;
        const exposed = exposedName(prefix, key, name);
        const owner = this.#upstreams.find(
          ({ spec }) => spec.key !== key && spec.prefix !== '' && exposed.startsWith(`${spec.prefix}__`),
        );
        if (prefix === '' && owner !== undefined) {
          withheld.push({ server: key, name, why: `it looks like a tool of ${owner.spec.key}` });
          continue;
        }
        if (result.has(exposed) || !names.claim(exposed, `${key}\u0000${name}`))
          withheld.push({ server: key, name, why: `its exposed name ${exposed} is already another's` });
        else result.set(exposed, { exposedName: exposed, upstream, item, name });
      }
    }
    return result;
  }
}

function wrap(upstream: Upstream, uri: string): string {
  return `${WRAP}${upstream.spec.key}:${uri}`;
}

function isWrapped(uri: string): boolean {
  return uri.startsWith(WRAP);
}

/** Whether a URI may come from a template: its literal parts stand in it in order. Linear, whatever the template. */
function fitsTemplate(template: unknown, uri: string): boolean {
  if (typeof template !== 'string') return false;
  const [start = '', ...rest] = template.split(/\{[^{}]*\}/);
  if (rest.length === 0) return uri === start;
  const end = rest.pop() ?? '';
  if (!uri.startsWith(start) || !uri.endsWith(end) || uri.length < start.length + end.length) return false;
  let at = start.length;
  for (const part of rest) {
    const found = uri.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= uri.length - end.length;
}
