import type { Document } from "../documents/document.js";
import type { ConnectionState } from "../hub/protocol.js";
import type { Change, Store, Table } from "./store.js";

/** A query's result as it is kept. */
export interface CachedQuery {
  readonly members: readonly string[];
  /** Where the live query goes on; empty when it has to start again. */
  readonly cursor: string;
  /** Milliseconds of the epoch. */
  readonly usedAt: number;
}

const dayMs = 86_400_000;
// How often a device without room is asked whether it has some.
const retryMs = 30_000;

/** The documents the hub knows, in memory while they are looked at, and what of them the store keeps. */
export class Cache {
  /** How the store does. */
  storage: ConnectionState["storage"];
  private readonly documents = new Map<string, Document>();
  private readonly gone = new Map<string, number>();
  private readonly pending = new Map<string, Change>();
  private flushing: Promise<void> | undefined;
  private retrying: Promise<void> | undefined;
  private triedAt = 0;

  /**
   * @param storageChanged `storage` is another now.
   * @param inUse The keys of the queries that must stay.
   * @param all What the store has to hold besides documents.
   */
  constructor(private readonly store: Store, private readonly storageChanged: () => void, private readonly inUse: () => ReadonlySet<string>, private readonly all: () => readonly Change[]) {
    this.storage = store.persistent ? "persistent" : "memory";
  }

  /** The newest revision known. */
  get(id: string): Document | undefined {
    return this.documents.get(id);
  }

  /** Takes a revision in; false when a newer one is known already. */
  put(document: Document): boolean {
    const { id, revision } = document;
    const known = this.documents.get(id);
    if (known && known.revision > revision || (this.gone.get(id) ?? -1) >= revision) return false;
    this.gone.delete(id);
    if (known?.revision !== revision) {
      this.documents.set(id, document);
      this.persist("documents", id, document);
    }
    return true;
  }

  /** Forgets a document, and with a revision every earlier one of it that may still come. */
  drop(id: string, revision?: number): void {
    if (revision !== undefined) this.gone.set(id, revision);
    this.documents.delete(id);
    this.persist("documents", id, undefined);
  }

  /** Takes a document out of memory. */
  release(id: string): void {
    this.documents.delete(id);
  }

  /** A query's kept result, with its documents in memory. */
  async load(key: string): Promise<CachedQuery | undefined> {
    await this.flushing;
    const [cached] = await this.store.read("queries", [key]).catch(() => []) as [CachedQuery?];
    if (!cached) return undefined;
    const missing = cached.members.filter((id) => !this.documents.has(id));
    const documents = await this.store.read("documents", missing).catch(() => []) as (Document | undefined)[];
    for (const document of documents) {
      if (document && !this.documents.has(document.id)) this.documents.set(document.id, document);
    }
    const members = cached.members.filter((id) => this.documents.has(id));
    // A document was dropped since: only the server knows whether it is part of the result.
    return members.length === cached.members.length ? cached : { ...cached, members, cursor: "" };
  }

  /** All records of a table. */
  async readAll(table: Table): Promise<[string, unknown][]> {
    return this.store.readAll(table).catch(() => []);
  }

  /** Queues a change of the store. */
  persist(table: Table, key: string, value: unknown): void {
    if (this.storage === "full" && Date.now() - this.triedAt > retryMs) void this.retry();
    if (this.storage === "full" && (table === "documents" || table === "queries")) return;
    this.pending.set(`${table} ${key}`, { table, key, value });
    void this.flush();
  }

  /** The device may have room again: keeps everything, if it has. */
  retry(): Promise<void> {
    if (this.storage !== "full") return Promise.resolve();
    this.triedAt = Date.now();
    const documents = [...this.documents].map(([key, value]): Change => ({ table: "documents", key, value }));
    return this.retrying ??= this.store.commit([...this.all(), ...documents])
      .then(() => this.report("persistent"), () => undefined)
      .finally(() => (this.retrying = undefined));
  }

  /** Resolves when all that was queued is in the store, or cannot be. */
  flush(): Promise<void> {
    return this.flushing ??= this.write().finally(() => (this.flushing = undefined));
  }

  /** Removes what can be read again; what the user wrote stays. */
  async forgetDocuments(): Promise<void> {
    this.documents.clear();
    this.gone.clear();
    const isRead = ({ table }: Change): boolean => table === "documents" || table === "queries";
    for (const [key, change] of this.pending) if (isRead(change)) this.pending.delete(key);
    await this.flushing;
    const kept = async (table: Table): Promise<Change[]> => (await this.readAll(table)).map(([key]) => ({ table, key }));
    await this.store.commit([...await kept("documents"), ...await kept("queries")]).catch(() => undefined);
  }

  /** Removes everything. */
  async clear(): Promise<void> {
    this.documents.clear();
    this.gone.clear();
    this.pending.clear();
    await this.flushing;
    await this.store.clear().catch(() => undefined);
    if (this.storage === "full") this.report("persistent");
  }

  /** Compacts, unless it was done within a day. */
  async compactDaily(days: number): Promise<void> {
    const [last] = await this.store.read("meta", ["compacted"]).catch(() => []);
    if (typeof last === "number" && Date.now() - last < dayMs) return;
    this.persist("meta", "compacted", Date.now());
    await this.compact(days).catch(() => undefined);
  }

  /** Removes results nobody has looked at for so many days, and documents that no result holds any more. */
  async compact(days: number): Promise<void> {
    const inUse = this.inUse();
    const cutoff = Date.now() - days * dayMs;
    const kept = new Set<string>();
    const changes: Change[] = [];
    for (const [key, value] of await this.readAll("queries")) {
      const query = value as CachedQuery;
      if (inUse.has(key) || query.usedAt > cutoff) query.members.forEach((id) => kept.add(id));
      else changes.push({ table: "queries", key });
    }
    for (const [key] of await this.readAll("documents")) {
      if (!kept.has(key) && !this.documents.has(key)) changes.push({ table: "documents", key });
    }
    await this.store.commit(changes);
  }

  close(): void {
    void this.flush().then(() => this.store.close());
  }

  private async write(): Promise<void> {
    // What is queued in the same turn goes in one transaction.
    await undefined;
    while (this.pending.size > 0) {
      const changes = [...this.pending.values()];
      this.pending.clear();
      await this.commit(changes);
    }
  }

  private async commit(changes: readonly Change[]): Promise<void> {
    try {
      await this.store.commit(changes);
    } catch {
      try {
        await this.compact(0);
        await this.store.commit(changes);
      } catch {
        await this.giveWay(changes);
      }
    }
  }

  // No room: what the user wrote goes before what can be read again. A cache that misses a change must not be read later.
  private async giveWay(changes: readonly Change[]): Promise<void> {
    const queue = (await this.readAll("outbox")).map(([key, value]): Change => ({ table: "outbox", key, value }));
    const facts = (await this.readAll("meta")).map(([key, value]): Change => ({ table: "meta", key, value }));
    const own = changes.filter(({ table }) => table === "outbox" || table === "meta");
    this.report("full");
    await this.store.clear()
      .then(() => this.store.commit([...facts, ...queue, ...own]))
      .catch(() => undefined);
  }

  private report(storage: ConnectionState["storage"]): void {
    if (this.storage === storage) return;
    this.storage = storage;
    this.triedAt = Date.now();
    this.storageChanged();
  }
}
