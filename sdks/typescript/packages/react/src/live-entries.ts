import { queryKey } from "@vibe/client";
import type { Document, JsonObject, Live, Query } from "@vibe/client";
import type { AppClient } from "./provider.js";

/** Nothing is known yet. */
export const pending: Live<never> = { data: [], status: "pending", fromCache: false, pendingWrites: 0 };

// How long a query nobody shows any more is kept up: a page that is left and comes back, a component that waits.
const lingerMs = 5_000;

/** A live query that components share: it runs from when it is first shown until a while after the last has gone. */
export class LiveEntry {
  /** Changed only as a whole. */
  state: Live<JsonObject>;
  /** Resolves when there is something to show, or a reason why not. */
  readonly ready: Promise<void>;
  private readonly listeners = new Set<() => void>();
  private stop: (() => void) | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private settle!: () => void;
  private grown: boolean;

  constructor(private readonly read: (callback: (state: Live<JsonObject>) => void) => () => void, private readonly dropped: () => void, first: Live<JsonObject>) {
    this.state = first;
    this.grown = first !== pending;
    this.ready = new Promise((resolve) => (this.settle = resolve));
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    this.run();
    return () => {
      this.listeners.delete(listener);
      this.linger();
    };
  };

  /** For `useSyncExternalStore`. */
  readonly snapshot = (): Live<JsonObject> => this.state;

  /** Starts, for a component that cannot subscribe before there is something to show. */
  prepare(): Promise<void> {
    this.run();
    this.linger();
    return this.ready;
  }

  private run(): void {
    clearTimeout(this.timer);
    this.stop ??= this.read((state) => {
      if (state.status !== "pending") {
        this.grown = false;
        this.settle();
      }
      // While nothing is known of a list that has grown, what it grew out of is shown.
      this.state = this.grown ? { ...state, data: this.state.data, fromCache: this.state.fromCache } : state;
      this.listeners.forEach((listener) => listener());
    });
  }

  private linger(): void {
    clearTimeout(this.timer);
    if (this.listeners.size > 0) return;
    this.timer = setTimeout(() => {
      this.stop?.();
      this.stop = undefined;
      this.dropped();
    }, lingerMs);
  }
}

/** The live queries of one client. */
export class LiveEntries {
  private static readonly ofClient = new WeakMap<AppClient, LiveEntries>();
  private readonly entries = new Map<string, LiveEntry>();

  private constructor(private readonly client: AppClient) {}

  static of(client: AppClient): LiveEntries {
    let entries = this.ofClient.get(client);
    if (!entries) this.ofClient.set(client, entries = new LiveEntries(client));
    return entries;
  }

  /**
   * The one of a query; queries that say the same share it.
   *
   * @param before What to show until the first state comes: that of a query this one grew out of.
   */
  get(collection: string, query: Query, before?: Query): LiveEntry {
    const key = queryKey(collection, query);
    let entry = this.entries.get(key);
    if (!entry) {
      const shown = before && this.entries.get(queryKey(collection, before))?.state;
      const made = new LiveEntry(
        (callback) => this.client.read(collection as never, query as never, callback as never),
        () => this.entries.get(key) === made && this.entries.delete(key),
        shown ? { ...shown, status: "pending" } : pending,
      );
      this.entries.set(key, entry = made);
    }
    return entry;
  }
}

/** What a server has rendered, until the browser knows better. */
export function initialState<T extends object>(data: readonly Document<T>[]): Live<T> {
  return { data, status: "stale", fromCache: true, pendingWrites: 0 };
}
