import type { RealtimeClient } from "../contract/contract.js";
import type { Document, JsonObject } from "../documents/document.js";
import type { QuerySpec } from "../hub/protocol.js";

/** What happened to a document, as far as a query is concerned. */
export interface DocumentChange<T extends object = JsonObject> {
  /**
   * `added`: it matches now, and did not before. `modified`: it still matches, in a new revision. `removed`: it was deleted, no
   * longer matches, or may no longer be seen; which, is not said.
   */
  readonly kind: "added" | "modified" | "removed";
  readonly id: string;
  /** The document as it is now; absent when it was removed. */
  readonly document?: Document<T>;
}

/** Where a subscription begins, and how it ends. */
export interface SubscribeOptions {
  /** Begin with the documents that match now, each as `added`. Else only later changes are told. */
  readonly initial?: boolean;
  /**
   * Go on from here: `cursor` of an earlier subscription, of this program or of one before. When the server no longer knows what
   * happened since, reading fails with CURSOR_EXPIRED, and everything has to be read again.
   */
  readonly cursor?: string;
  /** Ends it; so does leaving the loop. */
  readonly signal?: AbortSignal;
}

/**
 * The changes of a query, one by one, from the server itself: nothing of the cache and of queued writes. It outlives the connection and
 * the server without a gap and without repeats, and asks for no more while its reader is busy. Read it once, with `for await`.
 */
export class Subscription<T extends object = JsonObject> implements AsyncIterable<DocumentChange<T>> {
  /**
   * Where to go on: everything before it was told. Who keeps it after having dealt with a change goes on in the next run, and may meet
   * the last changes once more. Empty before the first.
   */
  cursor: string;
  private started = false;

  /** @internal */
  constructor(
    private readonly realtime: RealtimeClient, private readonly spec: QuerySpec, private readonly options: SubscribeOptions & { readonly longestPauseMs?: number }, private readonly refreshToken: () => Promise<unknown>,
  ) {
    this.cursor = options.cursor ?? "";
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<DocumentChange<T>, void, undefined> {
    if (this.started) throw new TypeError("a subscription is read once: make another one");
    this.started = true;
    const { readChanges } = await import("./changes.js");
    yield* readChanges<T>(this.realtime, this.spec, this.options, this, this.refreshToken);
  }
}
