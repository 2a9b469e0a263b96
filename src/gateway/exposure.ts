/** What the gate shows a client: the tools, prompts and resources of all upstreams, under names that stay. */
import { UriTemplate } from '@modelcontextprotocol/server';
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
        if (typeof uri !== 'string') continue;
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
      upstream.lists.resources.map((item) =>
        typeof item.uri === 'string' ? { ...item, uri: this.exposedUri(upstream, item.uri) } : item,
      ),
    );
  }

  templateList(): ListItem[] {
    const owners = (template: unknown) =>
      this.#upstreams.filter(({ lists }) => lists.templates.some(({ uriTemplate }) => uriTemplate === template)).length;
    return this.#upstreams.flatMap((upstream) =>
      upstream.lists.templates.map((item) =>
        owners(item.uriTemplate) > 1 ? { ...item, uriTemplate: wrap(upstream, String(item.uriTemplate)) } : item,
      ),
    );
  }

  /** A URI as a client sees it: wrapped with its server only where two servers offer the same. */
  exposedUri(upstream: Upstream, uri: string): string {
    return (this.#uriOwners.get(uri)?.length ?? 0) > 1 ? wrap(upstream, uri) : uri;
  }

  /** Whose a URI is. Several possible owners are refused, never guessed: their policies may differ. */
  ownerOf(uri: string): { readonly upstream: Upstream; readonly uri: string } | { readonly fault: string } {
    for (const upstream of this.#upstreams) {
      const start = wrap(upstream, '');
      if (uri.startsWith(start)) return { upstream, uri: uri.slice(start.length) };
    }
    const listed = this.#uriOwners.get(uri) ?? [];
    if (listed.length === 1) return { upstream: listed[0]!, uri };
    const byTemplate =
      listed.length > 0
        ? listed
        : this.#upstreams.filter(({ lists }) =>
            lists.templates.some(({ uriTemplate }) => matchesTemplate(uriTemplate, uri)),
          );
    if (byTemplate.length === 1) return { upstream: byTemplate[0]!, uri };
    if (byTemplate.length > 1)
      return {
        fault: `several servers offer ${uri}: read ${byTemplate.map((upstream) => wrap(upstream, uri)).join(' or ')}`,
      };
    const offering = this.#upstreams.filter(({ capabilities }) => capabilities['resources'] !== undefined);
    if (offering.length === 1) return { upstream: offering[0]!, uri };
    return { fault: `Resource not found: ${uri}` };
  }

  #collect(list: 'tools' | 'prompts', names: StickyNames, withheld: Withheld[]): Map<string, Exposed> {
    const result = new Map<string, Exposed>();
    for (const upstream of this.#upstreams) {
      const { key, prefix, hide } = upstream.spec;
      const hidden = hide.map(compileGlob);
      for (const item of upstream.lists[list]) {
        const name = item.name as string;
        const fault = nameFault(name);
        if (fault !== null) {
          withheld.push({ server: key, name: String(name), why: fault });
          continue;
        }
        if (list === 'tools' && hidden.some((glob) => glob(name))) continue;
        const exposed = exposedName(prefix, key, name);
        if (result.has(exposed) || !names.claim(exposed, `${key}\u0000${name}`))
          withheld.push({ server: key, name, why: `its exposed name ${exposed} is already another's` });
        else result.set(exposed, { exposedName: exposed, upstream, item, name });
      }
    }
    return result;
  }
}

function wrap(upstream: Upstream, uri: string): string {
  return `${WRAP}${upstream.spec.prefix === '' ? upstream.spec.key : upstream.spec.prefix}:${uri}`;
}

function matchesTemplate(template: unknown, uri: string): boolean {
  if (typeof template !== 'string' || uri.length > 10_000) return false;
  try {
    return new UriTemplate(template).match(uri) !== null;
  } catch {
    return false;
  }
}
