import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, test } from "vitest";
import type { Document } from "../documents/document.js";
import { Cache } from "./cache.js";
import { IndexedDbStore } from "./indexed-db-store.js";
import { MemoryStore } from "./memory-store.js";
import type { Store } from "./store.js";

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

const document = (id: string, revision = 1): Document => ({
  id, collection: "notes", owner: "did:web:a", app: "", key: "", data: { revision }, edges: [], createTime: "", updateTime: "", revision, etag: `${revision}`,
});

describe.each<[string, () => Promise<Store>]>([
  ["memory", async () => new MemoryStore()],
  ["IndexedDB", () => IndexedDbStore.open("test")],
])("%s store", (_, open) => {
  test("keeps what is committed, in the order of the keys", async () => {
    const store = await open();
    await store.commit([{ table: "outbox", key: "2", value: { b: 1 } }, { table: "outbox", key: "1", value: "a" }, { table: "meta", key: "x", value: 5 }]);
    await store.commit([{ table: "meta", key: "x" }, { table: "documents", key: "d", value: document("d") }]);
    expect(await store.readAll("outbox")).toEqual([["1", "a"], ["2", { b: 1 }]]);
    expect(await store.read("documents", ["none", "d"])).toEqual([undefined, document("d")]);
    expect(await store.readAll("meta")).toEqual([]);
    await store.clear();
    expect(await store.readAll("outbox")).toEqual([]);
  });

  test("a kept value is a copy", async () => {
    const store = await open();
    const value = { list: [1] };
    await store.commit([{ table: "meta", key: "v", value }]);
    value.list.push(2);
    expect(await store.read("meta", ["v"])).toEqual([{ list: [1] }]);
  });
});

test("IndexedDB: another layout drops what can be read again, and keeps what was written", async () => {
  const before = await IndexedDbStore.open("test", 1);
  await before.commit([{ table: "documents", key: "d", value: document("d") }, { table: "outbox", key: "1", value: "write" }]);
  const after = await IndexedDbStore.open("test", 2);
  expect(await after.readAll("documents")).toEqual([]);
  expect(await after.readAll("outbox")).toEqual([["1", "write"]]);
  await expect(IndexedDbStore.open("test", 1)).rejects.toMatchObject({ name: "VersionError" });
});

test("IndexedDB: a connection that the browser closed is opened again", async () => {
  const store = await IndexedDbStore.open("test");
  store.close();
  await store.commit([{ table: "meta", key: "a", value: 1 }]);
  expect(await store.readAll("meta")).toEqual([["a", 1]]);
});

describe("cache", () => {
  const query = (members: string[], usedAt = Date.now()): object => ({ members, cursor: "c", usedAt });
  const cacheOf = (store: Store, inUse: string[] = []): Cache => new Cache(store, () => {}, () => new Set(inUse), () => []);

  test("an older revision never takes the place of a newer one, nor brings a removed document back", () => {
    const cache = cacheOf(new MemoryStore());
    expect(cache.put(document("d", 2))).toBe(true);
    expect(cache.put(document("d", 1))).toBe(false);
    cache.drop("d", 2);
    expect(cache.put(document("d", 2))).toBe(false);
    expect(cache.get("d")).toBeUndefined();
    expect(cache.put(document("d", 3))).toBe(true);
  });

  test("compaction removes results long unused, and documents that none holds", async () => {
    const store = new MemoryStore();
    const cache = cacheOf(store, ["open"]);
    const old = Date.now() - 40 * 86_400_000;
    for (const id of ["a", "b", "c", "d"]) await store.commit([{ table: "documents", key: id, value: document(id) }]);
    await store.commit([
      { table: "queries", key: "open", value: query(["a"], old) }, { table: "queries", key: "recent", value: query(["b"]) }, { table: "queries", key: "old", value: query(["b", "c"], old) },
    ]);
    await cache.compact(30);
    expect((await store.readAll("queries")).map(([key]) => key)).toEqual(["open", "recent"]);
    expect((await store.readAll("documents")).map(([key]) => key)).toEqual(["a", "b"]);
  });

  test("a result that lost a document starts from nothing", async () => {
    const store = new MemoryStore();
    await store.commit([{ table: "queries", key: "q", value: query(["a", "b"]) }, { table: "documents", key: "a", value: document("a") }]);
    expect(await cacheOf(store).load("q")).toMatchObject({ members: ["a"], cursor: "" });
    await store.commit([{ table: "documents", key: "b", value: document("b") }]);
    expect(await cacheOf(store).load("q")).toMatchObject({ members: ["a", "b"], cursor: "c" });
  });

  test("without room, unused results go first; then all that can be read again", async () => {
    const store = new MemoryStore();
    const limited = Object.assign(Object.create(store) as MemoryStore, {
      room: 3,
      async commit(this: { room: number }, changes: Parameters<Store["commit"]>[0]) {
        const documents = (await store.readAll("documents")).length + changes.filter(({ table, value }) => table === "documents" && value !== undefined).length;
        if (documents > this.room) throw new DOMException("full", "QuotaExceededError");
        await store.commit(changes);
      },
    });
    await store.commit([{ table: "queries", key: "old", value: query(["a", "b"]) }, { table: "documents", key: "a", value: document("a") }, { table: "documents", key: "b", value: document("b") }]);
    const cache = cacheOf(limited);
    cache.put(document("c"));
    cache.put(document("d"));
    await cache.flush();
    expect(cache.storage).toBe("memory");
    expect((await store.readAll("documents")).map(([key]) => key)).toEqual(["c", "d"]);
    for (const id of ["e", "f"]) cache.put(document(id));
    cache.persist("outbox", "1", "write");
    await cache.flush();
    expect(cache.storage).toBe("full");
    expect(await store.readAll("documents")).toEqual([]);
    expect(await store.readAll("outbox")).toEqual([["1", "write"]]);
  });
});
