/** Keeps the rules in force: loads them, notices that a file changed, and says what became of it. */
import type { CatalogFile } from '../catalog/schema.ts';
import { messageOf } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { type LoadedRules, loadRules, readRuleFiles, ruleFilesSignature } from './rules.ts';

const POLL_MS = 500;

export interface RulesKeeper {
  /** loads them the first time it is asked; throws `store_unavailable` */
  readonly load: () => Promise<LoadedRules>;
  /** looks whether a file has changed, and reads it again if so; throws `store_unavailable` */
  readonly latest: () => Promise<LoadedRules>;
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
  /** of the state that was told last: what `latest` has read is still news */
  let told = '';

  const reload = (): Promise<LoadedRules> => {
    loading ??= (async () => {
      signature = ruleFilesSignature(configFolder);
      if (current === null) told = signature;
      current = await loadRules(store, readRuleFiles(configFolder), ours, oursHash);
      return current;
    })().finally(() => {
      loading = null;
    });
    return loading;
  };

  return {
    load: async () => current ?? reload(),
    latest: async () => {
      // One that is being read may have been begun before the change: then once more.
      if (loading !== null) await loading;
      return current === null || ruleFilesSignature(configFolder) !== signature ? reload() : current;
    },
    current: () => current,
    watch: (onChange, onFault) => {
      const timer = setInterval(async () => {
        try {
          if (current === null || loading !== null || ruleFilesSignature(configFolder) === told) return;
          const loaded = ruleFilesSignature(configFolder) === signature ? current : await reload();
          told = signature;
          onChange(loaded);
        } catch (error) {
          onFault(messageOf(error));
        }
      }, POLL_MS).unref();
      return () => clearInterval(timer);
    },
  };
}
