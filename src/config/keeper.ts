/** Keeps the rules in force: loads them, notices that a file changed, and says what became of it. */
import type { CatalogFile } from '../catalog/schema.ts';
import { messageOf } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { type LoadedRules, loadRules, readRuleFiles, ruleFilesSignature } from './rules.ts';

const POLL_MS = 500;

export interface RulesKeeper {
  /** loads them the first time it is asked; throws `store_unavailable` */
  readonly load: () => Promise<LoadedRules>;
  /** as last loaded; null before that */
  readonly current: () => LoadedRules | null;
  /** notices changes until it is stopped; `onChange` gets each new state of the rules */
  readonly watch: (onChange: (loaded: LoadedRules) => void, onFault: (message: string) => void) => () => void;
}

export function createRulesKeeper(
  store: Store,
  configFolder: string,
  ours: readonly CatalogFile[],
  oursHash: string,
): RulesKeeper {
  let current: LoadedRules | null = null;
  let loading: Promise<LoadedRules> | null = null;
  let signature = '';

  const reload = (): Promise<LoadedRules> => {
    loading ??= (async () => {
      signature = ruleFilesSignature(configFolder);
      current = await loadRules(store, readRuleFiles(configFolder), ours, oursHash);
      return current;
    })().finally(() => {
      loading = null;
    });
    return loading;
  };

  return {
    load: async () => current ?? reload(),
    current: () => current,
    watch: (onChange, onFault) => {
      const timer = setInterval(async () => {
        try {
          if (current === null || loading !== null || ruleFilesSignature(configFolder) === signature) return;
          onChange(await reload());
        } catch (error) {
          onFault(messageOf(error));
        }
      }, POLL_MS).unref();
      return () => clearInterval(timer);
    },
  };
}
