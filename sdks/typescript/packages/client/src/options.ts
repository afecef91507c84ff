import type { AuthOptions } from "./auth/state.js";
import type { CollectionName, Collections } from "./documents/collection.js";
import type { VibeError } from "./errors.js";
import type { ConflictPolicy, WriteOperation } from "./outbox/write.js";
import type { Store } from "./store/store.js";
import type { TokenSource } from "./transport.js";

/** Makes one body of three: what both built on, what was written here, what is stored now. */
export type Merge<T extends object> = (base: T, mine: T, theirs: T) => T;

/** What an app says of one of its collections. */
export interface CollectionOptions<T extends object> {
  /**
   * What happens to a write when others changed the document since it was shown here. Default `lastWriterPerField`; a function
   * merges, and may be called again when others were faster once more. What others changed is removed by `lastWriterPerField` only.
   */
  readonly conflict?: Exclude<ConflictPolicy, "merge"> | Merge<T>;
}

/** How to make a client. */
export interface ClientOptions<C extends object = Collections> {
  /** The server's URL, for example `http://vibe.localhost:5080`. */
  readonly url: string;
  /** The app's DID, which people sign in to. What is cached and the session are kept apart for each app. */
  readonly app?: string;
  /** How people sign in to the app. */
  readonly auth?: AuthOptions;
  /** Gives access tokens, in place of `signIn`. Without it and an app, the caller is a signed-out visitor. */
  readonly token?: TokenSource;
  /** What the app says of its collections. */
  readonly collections?: { readonly [K in CollectionName<C>]?: CollectionOptions<C[K] & object> };
  /**
   * Where the cache and the queued writes are kept. Default in a browser: IndexedDB, shared by all tabs; elsewhere:
   * memory. A store of one's own is not shared with other tabs.
   */
  readonly store?: Store;
  /** Starts the shared worker, where a bundler needs it spelled out; `false`: one of the tabs does its work. */
  readonly worker?: (() => SharedWorker) | false;
  /** In place of the global `fetch`. With it nothing is shared between tabs. */
  readonly fetch?: typeof globalThis.fetch;
  /** The deadline of a call that sets none, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Silence after which the connection counts as lost, in milliseconds. Default 45,000. */
  readonly silenceMs?: number;
  /** The longest pause between two attempts to connect, in milliseconds. Default 30,000. */
  readonly longestPauseMs?: number;
}

/** A write that the server has refused, perhaps made before a reload. */
export interface RejectedWrite {
  readonly operations: readonly WriteOperation[];
  readonly error: VibeError;
}
