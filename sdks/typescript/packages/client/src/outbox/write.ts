import type { AccessControl, Document, Edge, JsonObject } from "../documents/document.js";

/** One change of one document. */
export interface WriteOperation {
  /** `update` merges `data` as RFC 7396 says; `upsert` creates or replaces; `replace` is an update of all of `data`. */
  readonly kind: "create" | "update" | "replace" | "upsert" | "remove";
  readonly collection: string;
  /** Empty while the id of a keyed document is not known. */
  readonly id: string;
  readonly key?: string;
  readonly data?: JsonObject;
  readonly acl?: AccessControl;
  readonly edges?: readonly Edge[];
  /** Write only if the document still has this etag. */
  readonly etag?: string;
}

/**
 * What happens when a document was changed by others since the writer saw it.
 * `lastWriterPerField`: the fields written win, others stay. `serverWins`: the write is rejected with ETAG_MISMATCH.
 * `merge`: the collection's own function makes one of the three.
 */
export type ConflictPolicy = "lastWriterPerField" | "serverWins" | "merge";

/** A write, or several that happen together, on the way to the server. */
export interface QueuedWrite {
  /** Orders the queue. */
  readonly sequence: number;
  /** The first is sent, and makes sending again safe; the others are writes that were joined to it before it was sent. */
  readonly requestIds: readonly string[];
  /** The request it was sent in together with its neighbours: sent again, it is the same request. */
  readonly batch?: string;
  readonly operations: readonly WriteOperation[];
  /** When it was made, as a document's time. */
  readonly time: string;
  readonly policy: ConflictPolicy;
  /** The document as the writer saw it, with what was queued before, for the policies that ask. Its etag is that of the stored one. */
  readonly base?: Document;
}
