import type { Document, JsonObject } from "../documents/document.js";
import { newId } from "../documents/uuid.js";
import { VibeError, endsSession, isTransient, wantsOtherToken } from "../errors.js";
import { Backoff } from "../live/backoff.js";
import type { Cache } from "../store/cache.js";
import { canJoin, joinPatches, mergePatch, overlay } from "./overlay.js";
import type { ConflictPolicy, QueuedWrite, WriteOperation } from "./write.js";

/** What a write ended as, one for each operation; undefined for a removed document. */
export type Outcome = readonly (Document | undefined)[];

/** What the outbox needs of the hub. */
export interface OutboxEvents {
  /** Sends a write. */
  send(write: QueuedWrite): Promise<Outcome>;
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

/** Writes on their way: kept until the server has acknowledged or refused them, sent one after the other. */
export class Outbox {
  private queue: QueuedWrite[] = [];
  // Never sent: another write may still be joined.
  private readonly unsent = new Set<QueuedWrite>();
  private readonly overlaid = new WeakMap<WriteOperation, { readonly base: Document | undefined; readonly shown: Document | undefined }>();
  private readonly backoff: Backoff;
  private draining = false;
  private held = false;
  private stopped = false;

  constructor(private readonly cache: Cache, private readonly events: OutboxEvents, longestPause: number) {
    this.backoff = new Backoff(longestPause);
  }

  /** How many writes wait, of all or of one collection. */
  count(collection?: string): number {
    if (collection === undefined) return this.queue.length;
    return this.queue.filter(({ operations }) => operations.some((operation) => operation.collection === collection)).length;
  }

  /** Takes up the writes of an earlier session. */
  async load(): Promise<void> {
    this.queue = (await this.cache.readAll("outbox")).map(([, value]) => value as QueuedWrite);
    this.drain();
  }

  /** Takes a write; resolves when it is kept. A write that is known already is not taken again. */
  async add(requestId: string, operations: readonly WriteOperation[], policy: ConflictPolicy, time: string): Promise<void> {
    if (!this.has(requestId)) {
      const write = this.join(requestId, operations, policy) ?? this.append(requestId, operations, policy, time);
      this.persist(write);
      this.events.changed(collectionsOf(write));
    }
    await this.cache.flush();
    this.drain();
  }

  /** Whether the write waits. */
  has(requestId: string): boolean {
    return this.queue.some(({ requestIds }) => requestIds.includes(requestId));
  }

  /** Takes back a write that was never sent. */
  cancel(requestId: string): boolean {
    const write = this.queue.find(({ requestIds }) => requestIds.includes(requestId));
    if (!write || !this.unsent.has(write) || write.requestIds.length > 1) return false;
    this.remove(write);
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

  private append(requestId: string, operations: readonly WriteOperation[], policy: ConflictPolicy, time: string): QueuedWrite {
    const id = operations.length === 1 ? operations[0]!.id : "";
    // After a queued write of the same document, what it ends as is what this one builds on.
    const base = id && policy !== "lastWriterPerField" && !this.touches(id) ? this.cache.get(id) : undefined;
    const sequence = (this.queue.at(-1)?.sequence ?? 0) + 1;
    const write: QueuedWrite = { sequence, requestIds: [requestId], operations, time, policy, ...(base ? { base } : {}) };
    this.queue.push(write);
    this.unsent.add(write);
    return write;
  }

  // Compaction: a change of the document that the last waiting write concerns becomes part of that write.
  private join(requestId: string, operations: readonly WriteOperation[], policy: ConflictPolicy): QueuedWrite | undefined {
    const last = this.queue.at(-1);
    const [next] = operations;
    const [before] = last?.operations ?? [];
    if (!last || !next || !before || !this.unsent.has(last) || last.policy !== policy || last.operations.length + operations.length > 2) return undefined;
    if (!next.id || next.id !== before.id || next.kind !== "update" || before.kind === "remove" || next.etag !== undefined) return undefined;
    const first = before.data ?? {};
    const second = next.data ?? {};
    if (before.kind === "update" && !canJoin(first, second)) return undefined;
    const data = before.kind === "update" ? joinPatches(first, second) : mergePatch(first, second);
    const { acl = before.acl, edges = before.edges } = next;
    const joined: QueuedWrite = {
      ...last,
      requestIds: [...last.requestIds, requestId],
      operations: [{ ...before, data, ...(acl ? { acl } : {}), ...(edges ? { edges } : {}) }],
    };
    this.unsent.delete(last);
    this.replace(last, joined);
    this.unsent.add(joined);
    return joined;
  }

  private drain(): void {
    if (!this.draining) void this.sendAll();
  }

  private async sendAll(): Promise<void> {
    this.draining = true;
    let failures = 0;
    while (!this.stopped && !this.held && this.queue.length > 0) {
      const write = this.queue[0]!;
      this.unsent.delete(write);
      try {
        const outcome = await this.events.send(write);
        failures = 0;
        this.backoff.reset();
        if (this.queue[0] === write) this.acknowledge(write, outcome);
      } catch (cause) {
        const error = VibeError.from(cause);
        if (this.queue[0] !== write) continue;
        // A visitor who never signed in has nothing to come back to.
        if (endsSession(error) && this.events.user() !== "") {
          this.held = true;
          this.events.signedOut(error);
        } else if (isRepeatable(error) || isMistake(error) && ++failures < serverMistakes) {
          this.events.offline(error);
          await this.backoff.pause(error.retryAfterMs);
        } else {
          failures = 0;
          await this.settle(write, error).catch((failure: unknown) => this.refuse(write, VibeError.from(failure)));
        }
      }
    }
    this.draining = false;
  }

  private acknowledge(write: QueuedWrite, outcome: Outcome): void {
    this.remove(write);
    outcome.forEach((document, index) => this.rebase(document, write.operations[index]!.id));
    this.events.acknowledged(write, outcome);
  }

  // What was written on top of a write builds on what the server made of it.
  private rebase(document: Document | undefined, id: string): void {
    for (const write of this.queue) {
      if (!document || write.policy === "lastWriterPerField" || write.operations.length > 1 || write.operations[0]!.id !== id) continue;
      const rebased = { ...write, base: document };
      this.replace(write, rebased);
      this.persist(rebased);
    }
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
      if (theirs) this.cache.put(theirs);
    }
    this.refuse(write, error);
  }

  private async merge(write: QueuedWrite, operation: WriteOperation, base: Document, theirs: Document): Promise<void> {
    const mine = overlay(base, operation, write.time, this.events.user())!;
    const data = await this.events.merge(operation.collection, base.data, mine.data, theirs.data);
    const merged: QueuedWrite = {
      ...write,
      // Another content is another request.
      requestIds: [newId(), ...write.requestIds],
      operations: [{ ...operation, kind: "replace", data }],
      base: theirs,
    };
    this.replace(write, merged);
    this.persist(merged);
    this.cache.put(theirs);
    this.events.changed(collectionsOf(merged));
  }

  private refuse(write: QueuedWrite, error: VibeError): void {
    if (!this.queue.includes(write)) return;
    this.remove(write);
    this.events.rejected(write, error);
    this.events.changed(collectionsOf(write));
  }

  private replace(before: QueuedWrite, after: QueuedWrite): void {
    const index = this.queue.indexOf(before);
    if (index >= 0) this.queue[index] = after;
  }

  private remove(write: QueuedWrite): void {
    this.queue.splice(this.queue.indexOf(write), 1);
    this.unsent.delete(write);
    this.cache.persist("outbox", keyOf(write), undefined);
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
