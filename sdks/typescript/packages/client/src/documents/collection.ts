import type { OrderBy, Where } from "../filter/builder.js";
import type { AccessControl, Document, Edge, JsonObject } from "./document.js";
import type { CallOptions } from "../timing.js";
import type { ErrorFields, VibeError } from "../errors.js";
import type { QueryStatus } from "../hub/protocol.js";

/** The collections of an app, by name: `createClient<{ notes: Note }>(…)`. Without one, any name and any JSON. */
export type Collections = Record<string, object>;

/** The names of the collections. */
export type CollectionName<C extends object> = keyof C & string;

/** Which documents, in which order. */
export interface Query<T extends object = JsonObject> {
  /** Only this document, whoever it belongs to. */
  readonly id?: string;
  /** A condition, as text or by typed fields. */
  readonly where?: Where<T>;
  /** Newest first when absent. */
  readonly orderBy?: OrderBy<T>;
  /** At most so many: of a live query all when absent, and up to 1,000; of a page 50 when absent. */
  readonly limit?: number;
  /** Whose: the caller's own when absent; for a signed-out visitor what is public. */
  readonly scope?: "own" | "shared" | "public";
  /** All that the caller may read, other people's too; in place of `scope`. */
  readonly global?: boolean;
}

/** A query answered once, page by page. */
export interface PageQuery<T extends object = JsonObject> extends Query<T> {
  /** `nextPageToken` of the page before, with all else unchanged. */
  readonly pageToken?: string;
  /** Edges to follow into `related`: `author`, `~comment_on`, `~comment_on.author`. At most 10, of 3 hops. */
  readonly expand?: readonly string[];
}

/** A full-text query. */
export interface SearchQuery<T extends object = JsonObject> extends Omit<Query<T>, "id" | "orderBy"> {
  readonly pageToken?: string;
}

/** Some documents of a query. */
export interface Page<T extends object = JsonObject> {
  readonly documents: readonly Document<T>[];
  /** For the next page; empty on the last one. */
  readonly nextPageToken: string;
}

/** The state of a live query. */
export interface Live<T extends object = JsonObject> {
  /** What matches, in order; unchanged documents are the same objects as before. */
  readonly data: readonly Document<T>[];
  readonly status: QueryStatus;
  /** Why it failed. */
  readonly error?: VibeError;
  /** Whether `data` is from the cache, and may be old. */
  readonly fromCache: boolean;
  /** Writes to the collection that the server has not acknowledged; `data` shows them. */
  readonly pendingWrites: number;
}

/** What a merge may change: fields that are set win, null removes, absent ones stay. Arrays are replaced as a whole. */
export type Patch<T> = { readonly [K in keyof T]?: (NonNullable<T[K]> extends readonly unknown[] ? T[K] : NonNullable<T[K]> extends object ? Patch<NonNullable<T[K]>> : T[K]) | null };

/** How a new document is made. */
export interface CreateOptions {
  /** Who else may read and write; nobody when absent. */
  readonly acl?: AccessControl;
  /** Links to other documents. */
  readonly edges?: readonly Edge[];
}

/** How a document with a name is made or replaced. */
export interface KeyOptions extends CreateOptions {
  /** A name, unique for the owner and the collection. */
  readonly key: string;
}

/** How a document is changed. */
export interface ChangeOptions extends CreateOptions {
  /** The document. */
  readonly id: string;
  /** Only if it still has this etag; else the write is rejected with ETAG_MISMATCH. */
  readonly etag?: string;
}

/** A write on its way. It resolves when the server has acknowledged it, rejects when the server has refused it. */
export interface Write<T> extends Promise<T> {
  /** The document's id; empty for a keyed document of a caller not known yet. */
  readonly id: string;
  /** Resolves when the write is kept on this device and live queries show it. It survives a reload from then on. */
  readonly queued: Promise<void>;
}

/** Writes that happen together or not at all. */
export interface Batch<C extends object> {
  /** As `VibeClient.write`; returns the id. */
  write<K extends CollectionName<C>>(collection: K, data: C[K], options?: CreateOptions): string;
  write<K extends CollectionName<C>>(collection: K, patch: Patch<C[K]>, options: ChangeOptions): string;
  /** As `VibeClient.remove`. */
  remove(collection: CollectionName<C>, id: string, options?: { readonly etag?: string }): void;
}

/** How a read or a write ends early. */
export type { CallOptions, ErrorFields };

/** One collection, with its types. */
export interface Collection<T extends object> {
  /** See `VibeClient.read`. */
  read(query: Query<T>, callback: (state: Live<T>) => void): () => void;
  /** See `VibeClient.readOnce`. */
  readOnce(query?: PageQuery<T>, options?: CallOptions): Promise<Page<T>>;
  /** See `VibeClient.search`. */
  search(words: string, query?: SearchQuery<T>, options?: CallOptions): Promise<Page<T>>;
  /** See `VibeClient.write`. */
  write(data: T, options?: (CreateOptions | KeyOptions) & CallOptions): Write<Document<T>>;
  write(patch: Patch<T>, options: ChangeOptions & CallOptions): Write<Document<T>>;
  /** See `VibeClient.remove`. */
  remove(id: string, options?: { readonly etag?: string } & CallOptions): Write<void>;
}
