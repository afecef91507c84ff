import type { Change, Store, Table } from "./store.js";
import { schemaVersion } from "./store.js";

const tables: readonly Table[] = ["documents", "queries", "outbox", "meta"];

/** A store in IndexedDB. */
export class IndexedDbStore implements Store {
  readonly persistent = true;

  private constructor(private readonly name: string, private database: IDBDatabase) {
    this.adopt(database);
  }

  /** Opens the database. Rejects where there is no IndexedDB, or a newer version of this client has used it. */
  static async open(name: string, version: number = schemaVersion): Promise<IndexedDbStore> {
    return new IndexedDbStore(name, await openDatabase(name, version));
  }

  async read(table: Table, keys: readonly string[]): Promise<unknown[]> {
    if (keys.length === 0) return [];
    const records = (await this.transaction([table], "readonly")).objectStore(table);
    return Promise.all(keys.map((key) => settled(records.get(key))));
  }

  async readAll(table: Table): Promise<[string, unknown][]> {
    const records = (await this.transaction([table], "readonly")).objectStore(table);
    const [keys, values] = await Promise.all([settled(records.getAllKeys()), settled(records.getAll())]);
    return keys.map((key, index) => [key as string, values[index]]);
  }

  async commit(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    const transaction = await this.transaction([...new Set(changes.map(({ table }) => table))], "readwrite");
    for (const { table, key, value } of changes) {
      if (value === undefined) transaction.objectStore(table).delete(key);
      else transaction.objectStore(table).put(value, key);
    }
    await committed(transaction);
  }

  async clear(): Promise<void> {
    const transaction = await this.transaction(tables, "readwrite");
    for (const table of tables) transaction.objectStore(table).clear();
    await committed(transaction);
  }

  close(): void {
    this.database.close();
  }

  private async transaction(names: readonly Table[], mode: IDBTransactionMode): Promise<IDBTransaction> {
    // `strict`: an acknowledged commit survives a power cut.
    const options: IDBTransactionOptions = { durability: mode === "readwrite" && names.includes("outbox") ? "strict" : "relaxed" };
    try {
      return this.database.transaction(names, mode, options);
    } catch (error) {
      // The browser may close the connection at any time, for example when the user clears the site's data.
      if (!(error instanceof DOMException && error.name === "InvalidStateError")) throw error;
      this.adopt(await openDatabase(this.name, this.database.version));
      return this.database.transaction(names, mode, options);
    }
  }

  private adopt(database: IDBDatabase): void {
    this.database = database;
    // Another tab has a newer version of this client: let it go ahead.
    database.onversionchange = () => database.close();
  }
}

function openDatabase(name: string, version: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onupgradeneeded = () => {
      const database = request.result;
      for (const table of tables) {
        // Written by another layout: read again from the server. What the user wrote is kept.
        if (table !== "outbox" && database.objectStoreNames.contains(table)) database.deleteObjectStore(table);
        if (!database.objectStoreNames.contains(table)) database.createObjectStore(table);
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as DOMException);
    request.onblocked = () => reject(new DOMException("another tab holds an older version open", "InvalidStateError"));
  });
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as DOMException);
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("the transaction was aborted", "AbortError"));
  });
}
