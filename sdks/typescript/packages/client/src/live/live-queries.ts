import type { Document } from "../documents/document.js";
import { fromMessage } from "../documents/mapping.js";
import { VibeError } from "../errors.js";
import type { ErrorFields } from "../errors.js";
import type { TargetChange, TargetError } from "../generated/vibe/realtime/v1/subscription_pb.js";
import type { ConnectionState, QuerySpec, QueryStatus, ToTab } from "../hub/protocol.js";
import { codeOf } from "../rpc-errors.js";
import type { Cache, CachedQuery } from "../store/cache.js";
import type { Change } from "../store/store.js";
import type { TargetInit } from "./connection.js";
import type { Touched, Watcher } from "./live-query.js";
import { LiveQuery } from "./live-query.js";

/** The most targets of one stream. */
const maxTargets = 100;
const tooMany = new VibeError({
  code: "RESOURCE_EXHAUSTED", reason: "TOO_MANY_QUERIES", message: `at most ${maxTargets} live queries at a time; this one starts when another ends`,
}).toJSON();
const keepEveryMs = 60_000;
const permissionDenied = 7;
const unauthenticated = 16;

/** What live queries need of the hub. */
export interface LiveQueriesHost {
  /** Targets came, went, or have to start again. */
  targetsChanged(ids: readonly number[]): void;
  user(): string;
  status(): ConnectionState["status"];
  overlays(collection: string): Touched;
  isTouched(id: string): boolean;
  pendingWrites(collection: string): number;
  send(tab: object, message: ToTab & { type: "state" }): void;
}

/** All live queries of the hub: equal ones are one. */
export class LiveQueries {
  private readonly queries = new Map<string, LiveQuery>();
  private readonly byTarget = new Map<number, LiveQuery>();
  private readonly dirty = new Set<LiveQuery>();
  private nextTarget = 1;

  constructor(private readonly cache: Cache, private readonly host: LiveQueriesHost) {}

  /** The keys of the open queries. */
  get keys(): ReadonlySet<string> {
    return new Set(this.queries.keys());
  }

  /** All results, as they are kept. */
  records(): Change[] {
    return [...this.queries.values()].flatMap((query) => query.known ? [{ table: "queries", key: query.key, value: cachedOf(query) }] : []);
  }

  /** Watches a query. */
  async open(tab: object, number: number, spec: QuerySpec): Promise<void> {
    const watcher: Watcher = { tab, query: number, sent: new Map() };
    let query: LiveQuery;
    try {
      query = new LiveQuery(this.nextTarget, spec);
    } catch (error) {
      return this.host.send(tab, failedState(number, VibeError.from(error).toJSON()));
    }
    const existing = this.queries.get(query.key);
    if (existing) {
      existing.watchers.add(watcher);
      if (existing.loaded) this.publish(existing);
      return;
    }
    this.nextTarget++;
    query.watchers.add(watcher);
    this.queries.set(query.key, query);
    const cached = await this.cache.load(query.key);
    if (this.queries.get(query.key) !== query) return;
    if (cached) {
      query.members = new Set(cached.members);
      query.cursor = cached.cursor;
      query.known = true;
    }
    query.loaded = true;
    query.suspend();
    this.admit([query]);
  }

  /** Stops watching. */
  close(tab: object, number?: number): void {
    for (const query of this.queries.values()) {
      for (const watcher of query.watchers) {
        if (watcher.tab === tab && (number === undefined || watcher.query === number)) query.watchers.delete(watcher);
      }
      if (query.watchers.size > 0) continue;
      this.queries.delete(query.key);
      this.byTarget.delete(query.target);
      this.keep(query);
      for (const id of query.members) if (!this.isHeld(id)) this.cache.release(id);
      this.host.targetsChanged([query.target]);
    }
    this.admit([...this.queries.values()].filter((query) => query.loaded && !this.byTarget.has(query.target)));
  }

  /** What the stream is to follow. */
  targets(): TargetInit[] {
    return [...this.byTarget.values()].filter(({ error }) => !error).map((query) => query.targetInit());
  }

  ready(target: number, cursor: string): void {
    const query = this.byTarget.get(target);
    if (!query) return;
    const lost = query.complete(cursor);
    this.keep(query);
    lost.forEach((id) => this.forget(id));
    this.changed([query]);
  }

  changes(changes: readonly TargetChange[]): void {
    const changed = new Set<LiveQuery>();
    for (const { targetId, added, modified, removed } of changes) {
      const query = this.byTarget.get(targetId);
      if (!query) continue;
      changed.add(query);
      for (const message of [...added, ...modified]) {
        const document = fromMessage(message);
        // Of an older revision than the one known: a later frame says what became of it.
        if (!this.cache.put(document)) continue;
        query.add(document.id);
        this.touch(document.id, changed);
      }
      for (const { id, revision } of removed) {
        const known = this.cache.get(id);
        if (known && revision > 0 && known.revision > Number(revision)) continue;
        query.remove(id);
        this.forget(id);
      }
    }
    for (const query of changed) if (query.ready) this.keep(query);
    this.changed(changed);
  }

  checkpoint(cursor: string): void {
    for (const query of this.byTarget.values()) {
      if (!query.ready || query.spec.limit) continue;
      query.cursor = cursor;
      if (query.changed || Date.now() - query.keptAt > keepEveryMs) this.keep(query);
    }
  }

  targetError({ targetId, code, reason, message, metadata }: TargetError): void {
    const query = this.byTarget.get(targetId);
    if (!query) return;
    if (reason === "CURSOR_EXPIRED" || reason === "CURSOR_INVALID") {
      query.restart();
    } else {
      query.error = new VibeError({ code: codeOf(code), reason, message, metadata }).toJSON();
      // Access is lost: nothing of it stays.
      if (code === permissionDenied || code === unauthenticated) this.purge(query);
    }
    this.changed([query]);
    this.host.targetsChanged([targetId]);
  }

  /** The stream has ended. */
  suspend(): void {
    for (const query of this.byTarget.values()) query.suspend();
    this.changed(this.byTarget.values());
  }

  /** Forgets all results; the queries start from nothing. */
  reset(): void {
    for (const query of this.queries.values()) this.restart(query);
    this.changed(this.queries.values());
  }

  /** The session has ended: nothing stays of what it could see. */
  lose(error: VibeError): void {
    for (const query of this.queries.values()) {
      query.error = error.toJSON();
      this.purge(query);
    }
    this.changed(this.queries.values());
  }

  /** There is a session again: what it refused is asked for anew. */
  resume(): void {
    for (const query of this.queries.values()) if (query.error) this.restart(query);
    this.changed(this.queries.values());
  }

  /** A write of this client became a revision, or a removal. */
  applied(document: Document | undefined, id: string, collection: string): void {
    if (document && !this.cache.put(document)) return;
    for (const query of this.queries.values()) {
      if (query.spec.collection !== collection) continue;
      if (document) query.apply(document, this.host.user(), (id) => this.cache.get(id));
      else query.remove(id);
      if (query.ready) this.keep(query);
    }
    if (!document) this.cache.drop(id, this.cache.get(id)?.revision ?? 0);
    else if (!this.isHeld(document.id)) this.cache.drop(document.id);
  }

  /** What queries of these collections show may be different now. */
  collectionsChanged(collections: readonly string[]): void {
    this.changed([...this.queries.values()].filter(({ spec }) => collections.includes(spec.collection)));
  }

  /** The state of the connection, or of the queue, is another. */
  statusChanged(): void {
    this.changed(this.queries.values());
  }

  // A stream has so many places: who finds none is told, and gets the next one that is free.
  private admit(queries: readonly LiveQuery[]): void {
    const admitted = queries.slice(0, maxTargets - this.byTarget.size);
    for (const query of admitted) {
      query.error = undefined;
      this.byTarget.set(query.target, query);
    }
    for (const query of queries.slice(admitted.length)) query.error = tooMany;
    this.changed(queries);
    this.host.targetsChanged(admitted.map(({ target }) => target));
  }

  private restart(query: LiveQuery): void {
    query.reset();
    if (!this.byTarget.has(query.target)) query.error = tooMany;
  }

  private changed(queries: Iterable<LiveQuery>): void {
    const first = this.dirty.size === 0;
    for (const query of queries) this.dirty.add(query);
    // One state for all that happens in a turn.
    if (first && this.dirty.size > 0) queueMicrotask(() => {
      const dirty = [...this.dirty];
      this.dirty.clear();
      for (const query of dirty) if (query.loaded) this.publish(query);
    });
  }

  private publish(query: LiveQuery): void {
    const documents = query.view(this.host.overlays(query.spec.collection), this.host.user(), (id) => this.cache.get(id));
    const order = documents.map(({ id }) => id);
    const status = this.statusOf(query);
    for (const watcher of query.watchers) {
      const changed = documents.filter((document) => watcher.sent.get(document.id) !== document);
      watcher.sent.clear();
      documents.forEach((document) => watcher.sent.set(document.id, document));
      this.host.send(watcher.tab, {
        type: "state", query: watcher.query, status, order, documents: changed,
        ...(query.error ? { error: query.error } : {}),
        fromCache: query.known && status !== "live",
        pendingWrites: this.host.pendingWrites(query.spec.collection),
      });
    }
  }

  private statusOf(query: LiveQuery): QueryStatus {
    if (query.error) return query.error.code === "PERMISSION_DENIED" || query.error.code === "UNAUTHENTICATED" ? "denied" : "error";
    const connection = this.host.status();
    if (connection === "offline" || connection === "signedOut") return "offline";
    return query.ready ? "live" : query.known ? "stale" : "pending";
  }

  // Another revision of a document is news to every query that holds it.
  private touch(id: string, changed: Set<LiveQuery>): void {
    for (const query of this.byTarget.values()) if (query.members.has(id)) changed.add(query);
  }

  private keep(query: LiveQuery): void {
    if (!query.known) return;
    query.keptAt = Date.now();
    query.changed = false;
    this.cache.persist("queries", query.key, cachedOf(query));
  }

  private purge(query: LiveQuery): void {
    const members = [...query.members];
    const { error } = query;
    query.reset();
    query.error = error;
    this.cache.persist("queries", query.key, undefined);
    members.forEach((id) => this.forget(id));
  }

  private forget(id: string): void {
    if (!this.isHeld(id)) this.cache.drop(id);
  }

  private isHeld(id: string): boolean {
    return this.host.isTouched(id) || [...this.queries.values()].some(({ members, fresh }) => members.has(id) || fresh?.has(id));
  }
}

function cachedOf(query: LiveQuery): CachedQuery {
  return { members: [...query.members], cursor: query.cursor, usedAt: Date.now() };
}

/** The state of a query that cannot be asked. */
function failedState(query: number, error: ErrorFields): ToTab & { type: "state" } {
  return { type: "state", query, status: "error", error, fromCache: false, pendingWrites: 0, order: [], documents: [] };
}
