import type { Change, Store, Table } from "./store.js";

/** A store that lives as long as the process: Node, tests, and browsers that offer no other. */
export class MemoryStore implements Store {
  readonly persistent = false;
  private readonly tables = new Map<Table, Map<string, unknown>>();

  async read(table: Table, keys: readonly string[]): Promise<unknown[]> {
    return keys.map((key) => this.table(table).get(key));
  }

  async readAll(table: Table): Promise<[string, unknown][]> {
    return [...this.table(table)].sort(([left], [right]) => left < right ? -1 : 1);
  }

  async commit(changes: readonly Change[]): Promise<void> {
    for (const { table, key, value } of changes) {
      // A copy, as a database makes one.
      if (value === undefined) this.table(table).delete(key);
      else this.table(table).set(key, structuredClone(value));
    }
  }

  async clear(): Promise<void> {
    this.tables.clear();
  }

  close(): void {}

  private table(name: Table): Map<string, unknown> {
    let table = this.tables.get(name);
    if (!table) this.tables.set(name, table = new Map());
    return table;
  }
}
