import type { Document, JsonObject } from "../documents/document.js";
import type { ErrorFields } from "../errors.js";
import type { ConflictPolicy, WriteOperation } from "../outbox/write.js";

/**
 * Where a live query stands. `pending`: nothing is known yet. `live`: complete, and kept so. `stale`: from the cache while
 * the server is being asked. `offline`: no connection; what is shown may be old. `denied`: the caller may not see it.
 * `error`: the query failed, or the session has ended.
 */
export type QueryStatus = "pending" | "live" | "stale" | "offline" | "denied" | "error";

/** The state of the connection that all tabs share. */
export interface ConnectionState {
  /**
   * `idle`: nothing to follow and nothing to send. `signedOut`: the token is refused; sign in again. Once it is known that the
   * session has ended, what visitors may see is followed, and this is the state of that.
   */
  readonly status: "idle" | "connecting" | "online" | "offline" | "signedOut";
  /** Why it is offline or signed out. */
  readonly error?: ErrorFields;
  /** Writes that the server has not acknowledged. */
  readonly pendingWrites: number;
  /** Whether what is cached and queued survives a reload. `full`: the device has no room, so it does not. */
  readonly storage: "persistent" | "memory" | "full";
}

/** A live query as text. */
export interface QuerySpec {
  readonly collection: string;
  /** vibe.documents.v1.DocumentScope. */
  readonly scope: number;
  readonly where: string;
  readonly orderBy: string;
  /** 0: all. */
  readonly limit: number;
}

/** What the hub needs to know; the same in all tabs of an app. */
export interface HubConfig {
  readonly url: string;
  readonly app: string;
  readonly policies: Readonly<Record<string, ConflictPolicy>>;
  readonly silenceMs?: number;
  readonly longestPauseMs?: number;
}

/** From a tab to the hub. */
export type ToHub =
  | { readonly type: "hello"; readonly config: HubConfig }
  | { readonly type: "open"; readonly query: number; readonly spec: QuerySpec }
  | { readonly type: "close"; readonly query: number }
  | { readonly type: "write"; readonly write: string; readonly operations: readonly WriteOperation[]; readonly seen?: Document; readonly user?: string }
  | { readonly type: "cancel"; readonly write: string }
  | { readonly type: "answer"; readonly ask: number; readonly value?: unknown; readonly error?: ErrorFields }
  | { readonly type: "session"; readonly purge: boolean; readonly done: number }
  | { readonly type: "wake" }
  | { readonly type: "bye" };

/** What the hub asks of a tab. */
export type Question =
  | { readonly kind: "token"; readonly refresh: boolean; readonly url?: string; readonly reads?: boolean }
  | { readonly kind: "merge"; readonly collection: string; readonly base: JsonObject; readonly mine: JsonObject; readonly theirs: JsonObject };

/** From the hub to a tab. */
export type ToTab =
  | { readonly type: "welcome"; readonly hub: string }
  | {
    readonly type: "state"; readonly query: number; readonly status: QueryStatus; readonly error?: ErrorFields;
    readonly fromCache: boolean; readonly pendingWrites: number;
    /** The ids of all documents, in order. */
    readonly order: readonly string[];
    /** The documents that are new or changed since the last state. */
    readonly documents: readonly Document[];
  }
  | { readonly type: "queued"; readonly write: string }
  | { readonly type: "written"; readonly write: string; readonly documents?: readonly (Document | undefined)[]; readonly error?: ErrorFields }
  | { readonly type: "rejected"; readonly operations: readonly WriteOperation[]; readonly error: ErrorFields }
  | { readonly type: "ask"; readonly ask: number; readonly question: Question }
  | { readonly type: "connection"; readonly state: ConnectionState }
  | { readonly type: "consistency"; readonly token: string }
  | { readonly type: "session"; readonly done: number };

/** One end of the line between a tab and the hub. */
export interface Port<In, Out> {
  send(message: Out): void;
  /** Set once by the owner of this end. */
  receive: (message: In) => void;
  close(): void;
}
