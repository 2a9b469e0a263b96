/** Keeps the rules in force: loads them, notices that a file changed, and says what became of it. */
import { GatewayError, messageOf } from '../errors.ts';
import type { Store } from '../store/store.ts';
import {
  type LoadedRules,
  loadRules,
  loadUnchanged,
  type OurCatalog,
  readRuleFiles,
  ruleFilesSignature,
} from './rules.ts';

const POLL_MS = 500;
/** So often others may be faster before it is given up. */
const TRIES = 10;

export interface RulesKeeper {
  /** loads them the first time it is asked; throws `store_unavailable` */
  readonly load: () => Promise<LoadedRules>;
  /** looks whether a file has changed, and reads it again if so; throws `store_unavailable` */
  readonly latest: () => Promise<LoadedRules>;
  /** reads them again, whatever has changed; throws `store_unavailable` */
  readonly again: () => Promise<LoadedRules>;
  /** as last loaded; null before that */
  readonly current: () => LoadedRules | null;
  /** notices changes until it is stopped; `onChange` gets each new state of the rules, again if it fails */
  readonly watch: (
    onChange: (loaded: LoadedRules) => Promise<unknown>,
    onFault: (message: string) => void,
  ) => () => void;
}

export function createRulesKeeper(store: Store, configFolder: string, ours: OurCatalog): RulesKeeper {
  let current: LoadedRules | null = null;
  let loading: Promise<LoadedRules> | null = null;
  let signature = '';
  /** of the store, when it was last asked whether a proposed change was accepted */
  let storeVersion = -1;
  /** of the state that was told last: what `latest` has read is still news */
  let told = '';

  const reload = (): Promise<LoadedRules> => {
    loading ??= (async () => {
      for (let tries = 0; tries < TRIES; tries++) {
        const read = ruleFilesSignature(configFolder);
        const version = await store.read(() => store.dataVersion());
        const loaded =
          (await loadUnchanged(store, configFolder, read, ours)) ??
          (await loadRules(store, readRuleFiles(configFolder), ours, read));
        if (loaded === null) continue;
        // Only together: what could not be loaded is read again.
        const isFirst = current === null;
        signature = read.text;
        current = loaded;
        if (isFirst) told = sign();
        storeVersion = version;
        return loaded;
      }
      throw new GatewayError('store_unavailable', 'the rules keep changing: try again');
    })().finally(() => {
      loading = null;
    });
    return loading;
  };

  /** A file has changed, or another process has written to the store while a change waits to be accepted. */
  const isOutOfDate = (): boolean =>
    ruleFilesSignature(configFolder).text !== signature ||
    (current?.proposed != null && store.dataVersion() !== storeVersion);
  const sign = (): string => `${signature} ${current?.rules?.hash} ${current?.proposed?.hash}`;

  return {
    load: async () => current ?? reload(),
    latest: async () => {
      // One that is being read may have been begun before the change: then once more.
      if (loading !== null) await loading;
      return current === null || isOutOfDate() ? reload() : current;
    },
    again: reload,
    current: () => current,
    watch: (onChange, onFault) => {
      let telling = false;
      const timer = setInterval(async () => {
        try {
          if (telling || current === null || loading !== null) return;
          const outOfDate = isOutOfDate();
          if (!outOfDate && sign() === told) return;
          telling = true;
          const loaded = outOfDate ? await reload() : current;
          const news = sign();
          if (news !== told) await onChange(loaded);
          told = news;
        } catch (error) {
          onFault(messageOf(error));
        } finally {
          telling = false;
        }
      }, POLL_MS).unref();
      return () => clearInterval(timer);
    },
  };
}
