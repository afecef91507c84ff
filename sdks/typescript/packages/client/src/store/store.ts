/**
 * What the cache holds: documents by id, query results by query, queued writes by sequence, and facts about the cache.
 */
export type Table = "documents" | "queries" | "outbox" | "meta";

/** One change of a commit; without a value the record is removed. */
export interface Change {
  readonly table: Table;
  readonly key: string;
  readonly value?: unknown;
}

/**
 * Where the hub keeps what survives a reload. Values are plain data. Rejections are DOMExceptions; a
 * `QuotaExceededError` means that the device has no room, and nothing of the commit was written.
 */
export interface Store {
  /** Whether it survives a reload. */
  readonly persistent: boolean;
  /** The records with these keys; undefined where there is none. */
  read(table: Table, keys: readonly string[]): Promise<unknown[]>;
  /** All records of a table, in the order of their keys. */
  readAll(table: Table): Promise<[key: string, value: unknown][]>;
  /** Writes all changes or none. */
  commit(changes: readonly Change[]): Promise<void>;
  /** Removes everything. */
  clear(): Promise<void>;
  close(): void;
}

/** Raised when the layout of the records changes: cached records of another layout are dropped, queued writes kept. */
export const schemaVersion = 1;
