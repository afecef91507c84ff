import { fromMessage } from "../documents/mapping.js";
import type { Document } from "../documents/document.js";
import { VibeError, endsSession, wantsOtherToken } from "../errors.js";
import type { RealtimeClient } from "../contract/contract.js";
import type { SubscribeResponse } from "../generated/vibe/realtime/v1/realtime_service_pb.js";
import type { Batch, TargetError } from "../generated/vibe/realtime/v1/subscription_pb.js";
import type { QuerySpec } from "../hub/protocol.js";
import { codeOf } from "../rpc-errors.js";
import { backoff, delay } from "../timing.js";
import { defaultTimes } from "./connection.js";
import { pauseOf } from "./follow.js";
import type { DocumentChange, SubscribeOptions } from "./subscription.js";

// Of these, the same call fails again; of all others, the stream is opened again.
const lasting = new Set<string>(["INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED", "CANCELLED"]);

/** Reads the changes of a query, stream after stream; `position` says where the next one goes on. */
export async function* readChanges<T extends object>(
  realtime: RealtimeClient, spec: QuerySpec, options: SubscribeOptions & { readonly longestPauseMs?: number }, position: { cursor: string },
  refreshToken: () => Promise<unknown>,
): AsyncGenerator<DocumentChange<T>, void, undefined> {
  const leave = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, leave.signal]) : leave.signal;
  const fold = new Fold(position, (options.initial ?? false) && !options.cursor);
  try {
    for (let attempt = 0; ; attempt++) {
      let pause: number | undefined;
      try {
        for await (const { frame } of framesOf(realtime, { ...spec, ...fold.open() }, signal)) {
          attempt = 0;
          if (frame.case === "reconnect") {
            pause = pauseOf(frame.value);
            break;
          }
          if (frame.case === "accessLost") throw new VibeError({ code: "UNAUTHENTICATED", reason: frame.value.reason, message: "access has ended" });
          if (frame.case === "targetError") throw errorOf(frame.value);
          for (const change of fold.take(frame)) yield change as DocumentChange<T>;
          // The reader asked for more: all that was told is dealt with.
          fold.move(frame);
        }
      } catch (cause) {
        const error = VibeError.from(signal.aborted ? signal.reason : cause);
        if (fold.isWhole && (error.reason === "CURSOR_EXPIRED" || error.reason === "CURSOR_INVALID")) position.cursor = "";
        else if (signal.aborted || endsSession(error) || lasting.has(error.code)) throw error;
        if (wantsOtherToken(error)) await refreshToken().catch(() => undefined);
        pause = error.reason === "ACCESS_CHANGED" ? 0 : error.retryAfterMs;
      }
      await delay(pause ?? backoff(attempt, options.longestPauseMs), signal);
    }
  } finally {
    leave.abort();
  }
}

// The frames of one stream, which is over when nothing comes for too long. Only waiting counts: the reader may take its time.
async function* framesOf(realtime: RealtimeClient, { collection, scope, where, cursor, initial }: QuerySpec & Start, signal: AbortSignal): AsyncGenerator<SubscribeResponse> {
  const abort = new AbortController();
  const target = { id: 0, collection, scope, filter: where, cursor, initial };
  const frames = realtime.subscribe({ targets: [target] }, { signal: AbortSignal.any([signal, abort.signal]), timeoutMs: 0 })[Symbol.asyncIterator]();
  try {
    for (;;) {
      const silence = setTimeout(() => abort.abort(new VibeError({ code: "UNAVAILABLE", reason: "UNREACHABLE", message: "the connection is silent" })), defaultTimes.silence);
      const next = await frames.next().catch((error: unknown) => {
        throw abort.signal.aborted ? abort.signal.reason : error;
      }).finally(() => clearTimeout(silence));
      if (next.done) return;
      yield next.value;
    }
  } finally {
    abort.abort();
  }
}

interface Start {
  readonly cursor: string;
  readonly initial: boolean;
}

/** Knows what was told, so that nothing is told twice, and where the next stream goes on. */
class Fold {
  private readonly parts: DocumentChange[] = [];
  // What it holds, by id, with its revision; of a start from nothing, what was told so far.
  private members = new Map<string, number>();
  private fresh: Map<string, Document> | undefined;
  // Without the documents themselves: what was told since the last cursor, and before it.
  private recent = new Map<string, number>();
  private older = new Map<string, number>();
  private isReady = false;

  constructor(private readonly position: { cursor: string }, readonly isWhole: boolean) {}

  /** A stream is opened. */
  open(): Start {
    this.parts.length = 0;
    this.isReady = false;
    const initial = this.isWhole && this.position.cursor === "";
    this.fresh = initial ? new Map() : undefined;
    return { cursor: this.position.cursor, initial };
  }

  /** What a frame tells that is news. */
  take(frame: SubscribeResponse["frame"]): readonly DocumentChange[] {
    if (frame.case === "ready") return this.replace();
    if (frame.case !== "batch") return [];
    this.parts.push(...changesOf(frame.value));
    if (frame.value.hasMore) return [];
    const all = this.parts.splice(0);
    if (!this.fresh) return all.flatMap((change) => (this.isWhole ? this.apply(change) : this.pass(change)) ?? []);
    for (const { id, document } of all) {
      if (!document) this.fresh.delete(id);
      else if ((this.fresh.get(id)?.revision ?? 0) < document.revision) this.fresh.set(id, document);
    }
    return [];
  }

  /** All that came before the frame's cursor is dealt with. */
  move(frame: SubscribeResponse["frame"]): void {
    if (frame.case === "ready") this.isReady = true;
    else if (frame.case !== "checkpoint" || !this.isReady) return;
    this.position.cursor = frame.value.cursor;
    // Repeats come from around the cursor that a stream goes on from, never from long before it.
    if (this.recent.size > 0) [this.older, this.recent] = [this.recent, new Map()];
  }

  // All was read anew: what was not told is gone.
  private replace(): readonly DocumentChange[] {
    const { fresh } = this;
    if (!fresh) return [];
    this.fresh = undefined;
    const news: DocumentChange[] = [...this.members.keys()].filter((id) => !fresh.has(id)).map((id) => ({ kind: "removed", id }));
    for (const [id, document] of fresh) {
      const known = this.members.get(id);
      if (known !== document.revision) news.push({ kind: known === undefined ? "added" : "modified", id, document });
    }
    this.members = new Map([...fresh].map(([id, { revision }]) => [id, revision]));
    return news;
  }

  private apply({ id, document, revision = 0 }: Told): DocumentChange | undefined {
    const known = this.members.get(id);
    if (!document) {
      if (known === undefined || revision > 0 && known > revision) return undefined;
      this.members.delete(id);
      return { kind: "removed", id };
    }
    // Of an older revision: a later frame says what became of it.
    if (known !== undefined && known >= document.revision) return undefined;
    this.members.set(id, document.revision);
    return { kind: known === undefined ? "added" : "modified", id, document };
  }

  private pass(change: Told): DocumentChange | undefined {
    const { id, document, revision = document?.revision ?? 0 } = change;
    const known = this.recent.get(id) ?? this.older.get(id) ?? 0;
    if (revision > 0 && (document ? known >= revision : known > revision)) return undefined;
    // Out of sight has no revision, and what comes into sight again may have the one from before.
    this.recent.set(id, document ? revision : Math.max(revision - 1, 0));
    return document ? { kind: change.kind, id, document } : { kind: "removed", id };
  }
}

type Told = DocumentChange & { readonly revision?: number };

function changesOf({ changes }: Batch): Told[] {
  return changes.flatMap(({ added, modified, removed }) => [
    ...added.map((message): Told => ({ kind: "added", id: message.id, document: fromMessage(message) })),
    ...modified.map((message): Told => ({ kind: "modified", id: message.id, document: fromMessage(message) })),
    ...removed.map(({ id, revision }): Told => ({ kind: "removed", id, revision: Number(revision) })),
  ]);
}

function errorOf({ code, reason, message, metadata }: TargetError): VibeError {
  return new VibeError({ code: codeOf(code), reason, message, metadata });
}
