import type { Document, JsonObject } from "../documents/document.js";
import { newId } from "../documents/uuid.js";
import { VibeError, endsSession, isTransient, wantsOtherToken } from "../errors.js";
import { Backoff } from "../live/backoff.js";
import type { Cache } from "../store/cache.js";
import type { Change } from "../store/store.js";
import { joinWrites } from "./join.js";
import { Ledger } from "./ledger.js";
import type { Ended } from "./ledger.js";
import { overlay, sameJson } from "./overlay.js";
import { culprits, together } from "./together.js";
import type { ConflictPolicy, QueuedWrite, WriteOperation } from "./write.js";

/** What a write ended as, one for each operation; undefined for a removed document. */
export type Outcome = readonly (Document | undefined)[];

/** What the outbox needs of the hub. */
export interface OutboxEvents {
  /** Sends a write, or several as one request; answers for each. */
  send(writes: readonly QueuedWrite[]): Promise<readonly Outcome[]>;
  /** The stored document; undefined when there is none for the caller. */
  fetch(id: string): Promise<Document | undefined>;
  /** A collection's own merge. */
  merge(collection: string, base: JsonObject, mine: JsonObject, theirs: JsonObject): Promise<JsonObject>;
  /** The DID of the caller. */
  user(): string;
  /** The queue, or what it shows, changed for these collections. */
  changed(collections: readonly string[]): void;
  acknowledged(write: QueuedWrite, outcome: Outcome): void;
  rejected(write: QueuedWrite, error: VibeError): void;
  /** A write could not be sent; it is tried again. */
  offline(error: VibeError): void;
  /** The token is refused for good: nothing is sent until `wake`. */
  signedOut(error: VibeError): void;
}

const serverMistakes = 5;

/** Writes on their way: kept until the server has acknowledged or refused them, sent in their order. */
export class Outbox {
  private queue: QueuedWrite[] = [];
  // Never sent: another write may still be joined.
  private readonly unsent = new Set<QueuedWrite>();
  // Sent by themselves: the server has refused them once, together with others.
  private readonly alone = new Set<number>();
  private readonly ledger: Ledger;
  private readonly overlaid = new WeakMap<WriteOperation, { readonly base: Document | undefined; readonly shown: Document | undefined }>();
  private readonly backoff: Backoff;
  private draining = false;
  // The last write found its way. Else one goes ahead, so that the others can still be joined to, and be taken back.
  private reached = false;
  private held = false;
  private stopped = false;

  constructor(private readonly cache: Cache, private readonly events: OutboxEvents, longestPause: number) {
    this.backoff = new Backoff(longestPause);
    this.ledger = new Ledger(cache);
  }

  /** How many writes wait, of all or of one collection. */
  count(collection?: string): number {
    if (collection === undefined) return this.queue.length;
    return this.queue.filter(({ operations }) => operations.some((operation) => operation.collection === collection)).length;
  }

  /** Takes up the writes of an earlier session. */
  async load(): Promise<void> {
    await this.ledger.load();
    this.queue = (await this.cache.readAll("outbox")).map(([, value]) => value as QueuedWrite);
    this.drain();
  }

  /**
   * Takes a write; resolves when it is kept. A write that is known already is not taken again.
   *
   * @param seen The document as the writer was shown it last.
   */
  async add(requestId: string, operations: readonly WriteOperation[], policy: ConflictPolicy, time: string, seen?: Document): Promise<void> {
    if (!this.has(requestId)) {
      const last = this.queue.at(-1);
      const joined = last && this.unsent.has(last) ? joinWrites(last, requestId, operations, policy) : undefined;
      const write = joined ? this.change(last!, joined) : this.append(requestId, operations, policy, time, seen);
      this.events.changed(collectionsOf(write));
    }
    await this.cache.flush();
    this.drain();
  }

  /** How a write has ended that the server cannot be asked for again. */
  finished(requestId: string): Ended | undefined {
    return this.ledger.get(requestId);
  }

  /** All that waits, as it is kept. */
  records(): Change[] {
    return this.queue.map((write) => ({ table: "outbox", key: keyOf(write), value: write }));
  }

  /** Whether the write waits. */
  has(requestId: string): boolean {
    return this.queue.some(({ requestIds }) => requestIds.includes(requestId));
  }

  /** Takes back a write that was never sent. */
  cancel(requestId: string): boolean {
    const write = this.queue.find(({ requestIds }) => requestIds.includes(requestId));
    if (!write || !this.unsent.has(write) || write.requestIds.length > 1) return false;
    this.remove(write, {});
    this.events.changed(collectionsOf(write));
    return true;
  }

  /** The documents of a collection that queued writes touch, as they will be. */
  overlays(collection: string): Map<string, Document | undefined> {
    const touched = new Map<string, Document | undefined>();
    for (const { operations, time } of this.queue) {
      for (const operation of operations) {
        const { id } = operation;
        if (id && operation.collection === collection) touched.set(id, this.shown(touched.has(id) ? touched.get(id) : this.cache.get(id), operation, time));
      }
    }
    return touched;
  }

  /** The ids of documents that queued writes touch. */
  touches(id: string): boolean {
    return this.queue.some(({ operations }) => operations.some((operation) => operation.id === id));
  }

  /** Try now. */
  wake(): void {
    this.held = false;
    this.backoff.wake();
    this.drain();
  }

  /** Gives up all that waits: the user has left. */
  clear(error: VibeError): void {
    const writes = this.queue.splice(0);
    this.unsent.clear();
    this.alone.clear();
    this.ledger.clear();
    for (const write of writes) {
      this.cache.persist("outbox", keyOf(write), undefined);
      this.events.rejected(write, error);
    }
  }

  stop(): void {
    this.stopped = true;
    this.backoff.wake();
  }

  // The same object as long as nothing changed: nobody is told of it again.
  private shown(base: Document | undefined, operation: WriteOperation, time: string): Document | undefined {
    const before = this.overlaid.get(operation);
    if (before && before.base === base) return before.shown;
    const shown = overlay(base, operation, time, this.events.user());
    this.overlaid.set(operation, { base, shown });
    return shown;
  }

  private append(requestId: string, operations: readonly WriteOperation[], policy: ConflictPolicy, time: string, seen: Document | undefined): QueuedWrite {
    const [operation] = operations as [WriteOperation];
    const base = operations.length === 1 && operation.id && policy !== "lastWriterPerField" ? this.baseOf(operation, seen) : undefined;
    const sequence = (this.queue.at(-1)?.sequence ?? 0) + 1;
    const write: QueuedWrite = { sequence, requestIds: [requestId], operations, time, policy, ...(base ? { base } : {}) };
    this.queue.push(write);
    this.unsent.add(write);
    this.persist(write);
    return write;
  }

  // After a queued write of the same document, what that shows. Else what the writer was shown: a newer one may have come since.
  private baseOf({ id, collection }: WriteOperation, seen: Document | undefined): Document | undefined {
    if (this.touches(id)) return this.overlays(collection).get(id);
    const stored = this.cache.get(id);
    return stored && seen && !sameJson(stored.data, seen.data) ? seen : stored;
  }

  private drain(): void {
    if (!this.draining) void this.sendAll();
  }

  private async sendAll(): Promise<void> {
    this.draining = true;
    let failures = 0;
    while (!this.stopped && !this.held && this.queue.length > 0) {
      const writes = await this.next();
      const waits = (): boolean => writes.every((write, index) => this.queue[index] === write);
      if (!waits() || this.stopped || this.held) continue;
      try {
        const outcomes = await this.events.send(writes);
        failures = 0;
        this.reached = true;
        this.backoff.reset();
        if (waits()) writes.forEach((write, index) => this.acknowledge(write, outcomes[index]!));
      } catch (cause) {
        const error = VibeError.from(cause);
        this.reached = !isRepeatable(error);
        if (!waits()) continue;
        // A visitor who never signed in has nothing to come back to.
        if (endsSession(error) && this.events.user() !== "") {
          this.held = true;
          this.events.signedOut(error);
        } else if (isRepeatable(error) || isMistake(error) && ++failures < serverMistakes) {
          this.events.offline(error);
          await this.backoff.pause(error.retryAfterMs);
        } else {
          failures = 0;
          if (writes.length > 1) this.part(writes, error);
          else await this.settle(writes[0]!, error).catch((failure: unknown) => this.refuse(writes[0]!, VibeError.from(failure)));
        }
      }
    }
    this.draining = false;
  }

  // What is sent next, kept as it is sent: after a crash the same is sent again.
  private async next(): Promise<readonly QueuedWrite[]> {
    const writes = together(this.queue, ({ sequence }) => !this.reached || this.alone.has(sequence));
    const batch = writes.length > 1 ? writes[0]!.batch ?? newId() : undefined;
    const sent = batch === undefined ? writes : writes.map((write) => this.change(write, { ...write, batch }));
    sent.forEach((write) => this.unsent.delete(write));
    await this.cache.flush();
    return sent;
  }

  // Nothing of it was done. Those the server objects to are settled by themselves; the others go on without them.
  private part(writes: readonly QueuedWrite[], error: VibeError): void {
    for (const { sequence } of culprits(writes, error)) this.alone.add(sequence);
    for (const write of writes) {
      const { batch: _, ...rest } = write;
      this.change(write, rest);
    }
  }

  private acknowledge(write: QueuedWrite, outcome: Outcome): void {
    this.remove(write, { documents: outcome });
    outcome.forEach((document, index) => this.rebase(document, write.operations[index]!.id));
    this.events.acknowledged(write, outcome);
  }

  // What the next write builds on is stored now: as its writer saw it, or else in conflict with it.
  private rebase(document: Document | undefined, id: string): void {
    const next = this.queue.find(({ operations }) => operations.some((operation) => operation.id === id));
    if (!document || !next?.base || next.operations.length > 1) return;
    const base = sameJson(next.base.data, document.data) ? document : { ...next.base, etag: next.base.etag || "none" };
    this.change(next, { ...next, base });
  }

  // The server will not take the write as it is.
  private async settle(write: QueuedWrite, error: VibeError): Promise<void> {
    const [operation] = write.operations as [WriteOperation];
    if (write.operations.length > 1) return this.refuse(write, error);
    if (operation.kind === "remove" && error.reason === "DOCUMENT_NOT_FOUND") return this.acknowledge(write, [undefined]);
    if (operation.kind === "create" && !operation.key && error.reason === "DOCUMENT_ALREADY_EXISTS") {
      // Sent before, longer ago than the server remembers requests.
      const stored = await this.events.fetch(operation.id);
      if (stored?.owner === this.events.user()) return this.acknowledge(write, [stored]);
    }
    if (error.reason === "ETAG_MISMATCH" && operation.etag === undefined && write.base) {
      const theirs = await this.events.fetch(operation.id);
      if (theirs && write.policy === "merge" && operation.kind !== "remove") return this.merge(write, operation, write.base, theirs);
      // Removed meanwhile: there is nothing to merge with, and it is made again.
      if (!theirs && write.policy === "merge" && operation.kind === "upsert") return this.renew(write);
      if (theirs) this.cache.put(theirs);
    }
    this.refuse(write, error);
  }

  private renew(write: QueuedWrite): void {
    const { base: _, ...rest } = write;
    // Another content is another request.
    this.change(write, { ...rest, requestIds: [newId(), ...write.requestIds] });
  }

  private async merge(write: QueuedWrite, operation: WriteOperation, base: Document, theirs: Document): Promise<void> {
    const mine = overlay(base, operation, write.time, this.events.user())!;
    const data = await this.events.merge(operation.collection, base.data, mine.data, theirs.data);
    const merged = this.change(write, {
      ...write,
      // Another content is another request.
      requestIds: [newId(), ...write.requestIds],
      operations: [{ ...operation, kind: "replace", data }],
      base: theirs,
    });
    this.cache.put(theirs);
    this.events.changed(collectionsOf(merged));
  }

  private refuse(write: QueuedWrite, error: VibeError): void {
    if (!this.queue.includes(write)) return;
    this.remove(write, { error: error.toJSON() });
    this.events.rejected(write, error);
    this.events.changed(collectionsOf(write));
  }

  private change(before: QueuedWrite, after: QueuedWrite): QueuedWrite {
    const index = this.queue.indexOf(before);
    if (index < 0 || before === after) return after;
    this.queue[index] = after;
    // Told in the same turn: who was unsent still is.
    if (this.unsent.delete(before)) this.unsent.add(after);
    this.persist(after);
    return after;
  }

  private remove(write: QueuedWrite, outcome: Ended): void {
    this.queue.splice(this.queue.indexOf(write), 1);
    this.unsent.delete(write);
    this.alone.delete(write.sequence);
    this.cache.persist("outbox", keyOf(write), undefined);
    // In one commit: a hub that takes over knows one or the other.
    if (write.batch !== undefined || write.requestIds.length > 1) this.ledger.note(write.requestIds, outcome);
  }

  private persist(write: QueuedWrite): void {
    this.cache.persist("outbox", keyOf(write), write);
  }
}

function isRepeatable(error: VibeError): boolean {
  return isTransient(error) || error.code === "DEADLINE_EXCEEDED" || error.code === "CANCELLED" || wantsOtherToken(error);
}

function isMistake(error: VibeError): boolean {
  return error.code === "INTERNAL" || error.code === "UNKNOWN";
}

function collectionsOf(write: QueuedWrite): string[] {
  return [...new Set(write.operations.map(({ collection }) => collection))];
}

// Keys order as text.
function keyOf(write: QueuedWrite): string {
  return String(write.sequence).padStart(16, "0");
}
