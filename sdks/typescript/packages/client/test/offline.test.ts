import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { MemoryStore, createClient } from "../src/index.js";
import type { ClientOptions, ConnectionState, Store, VibeClient } from "../src/index.js";
import { TestServer } from "./server.js";
import { Watch, titles } from "./live-state.js";
import { Proxy } from "./proxy.js";

interface Note {
  title: string;
  count?: number;
  tags?: string[];
  who?: { a?: string; b?: string };
}

type Schema = { notes: Note; wins: Note; merged: Note };

let server: TestServer;
let network: Proxy;
let token: string;
const open: VibeClient<Schema>[] = [];

beforeAll(async () => {
  server = await TestServer.start();
  network = await Proxy.to(server.port);
  token = await server.token("offline");
});
afterEach(() => {
  network.restore();
  open.splice(0).forEach((client) => client.close());
});
afterAll(async () => {
  network.close();
  await server.stop();
});

function client(options: Partial<ClientOptions<Schema>> = {}): VibeClient<Schema> {
  const made = createClient<Schema>({ url: network.url, token: () => token, longestPauseMs: 200, ...options });
  open.push(made);
  return made;
}

const direct = (): VibeClient<Schema> => client({ url: server.url });

function watch(vibe: VibeClient<Schema>, prefix: string, collection: keyof Schema = "notes"): Watch<Note> {
  const seen = new Watch<Note>();
  vibe.read(collection, { where: (f) => f("title").startsWith(prefix), orderBy: (f) => f("title").asc() }, seen.push);
  return seen;
}

test("without a network writes show, survive a restart, and are sent in order when it is back", async () => {
  const store = new MemoryStore();
  const first = client({ store });
  const seen = watch(first, "off");
  await seen.until(({ status }) => status === "live");
  const stored = await first.write("notes", { title: "off 0" });
  await seen.until(({ data }) => data.length === 1);
  network.cut();
  await seen.until(({ status }) => status === "offline");
  expect(seen.last).toMatchObject({ fromCache: true });
  const writes = [
    first.write("notes", { title: "off 1", count: 1 }),
    first.write("notes", { count: 5 }, { id: stored.id }),
    first.remove("notes", stored.id),
    first.write("notes", { title: "off 2" }),
  ];
  await Promise.all(writes.map(({ queued }) => queued));
  await seen.until(({ data, pendingWrites }) => titles(data).join() === "off 1,off 2" && pendingWrites === 4);
  first.close();

  const second = client({ store });
  const again = watch(second, "off");
  const shown = await again.until(({ data }) => data.length === 2);
  expect(shown.data.every(({ pending }) => pending)).toBe(true);
  network.restore();
  await again.until(({ status, pendingWrites, data }) => status === "live" && pendingWrites === 0 && data.every(({ revision }) => revision === 1));
  const { documents } = await direct().readOnce("notes", { where: "data.title starts_with 'off'" });
  expect(titles(documents)).toEqual(["off 1", "off 2"]);
  expect(documents.find(({ id }) => id === writes[0]!.id)?.data).toEqual({ title: "off 1", count: 1 });
});

test("changes of one document are sent as one, a write that was not sent can be taken back", async () => {
  const vibe = client();
  const seen = watch(vibe, "typed");
  await seen.until(({ status }) => status === "live");
  network.cut();
  await seen.until(({ status }) => status === "offline");
  const blocker = vibe.write("notes", { title: "typed 0" });
  const draft = vibe.write("notes", { title: "typed" });
  const more = [1, 2, 3].map((count) => vibe.write("notes", { title: `typed ${count}`, count }, { id: draft.id }));
  const taken = new AbortController();
  const never = vibe.write("notes", { title: "typed never" }, { signal: taken.signal });
  await seen.until(({ data }) => data.length === 3);
  taken.abort();
  await expect(never).rejects.toMatchObject({ code: "CANCELLED" });
  network.restore();
  const [note, ...later] = await Promise.all([draft, ...more, blocker]);
  expect(note).toMatchObject({ revision: 1, data: { title: "typed 3", count: 3 } });
  expect(later[2]).toEqual(note);
  await seen.until(({ data, pendingWrites }) => pendingWrites === 0 && data.length === 2);
});

test("the server killed while writing: every write happens exactly once, and nothing is missed", async () => {
  const vibe = client();
  const seen = watch(vibe, "kill");
  const other = watch(direct(), "kill");
  await Promise.all([seen, other].map((watch) => watch.until(({ status }) => status === "live")));
  const counters = await Promise.all([0, 1].map(() => vibe.write("notes", { title: "counter", count: 0 })));
  // Two documents in turn, so that no change is joined to the one before: each is a revision.
  const changes = Array.from({ length: 40 }, (_, index) => vibe.write("notes", { count: index }, { id: counters[index % 2]!.id }));
  const writes = Array.from({ length: 60 }, (_, index) => vibe.write("notes", { title: `kill ${index}` }));
  await changes[5];
  await server.kill();
  const offline = seen.until(({ status }) => status === "offline");
  await offline;
  await server.restart();
  const notes = await Promise.all(writes);
  expect(notes.every(({ revision }) => revision === 1)).toBe(true);
  expect((await Promise.all(changes)).map(({ revision }) => revision)).toEqual(changes.map((_, index) => 2 + Math.floor(index / 2)));
  for (const watch of [seen, other]) {
    const { data } = await watch.until(({ status, data, pendingWrites }) => status === "live" && data.length === 60 && pendingWrites === 0);
    expect(new Set(titles(data)).size).toBe(60);
  }
});

test("a connection that falls silent counts as lost", async () => {
  const vibe = client({ silenceMs: 16_000 });
  const states: ConnectionState[] = [];
  vibe.onConnection((state) => states.push(state));
  const seen = watch(vibe, "silent");
  await seen.until(({ status }) => status === "live");
  network.silence();
  await seen.until(({ status }) => status === "offline", 60_000);
  network.restore();
  await direct().write("notes", { title: "silent 1" });
  await seen.until(({ status, data }) => status === "live" && data.length === 1, 60_000);
  expect(states.map(({ error }) => error?.message)).toContain("the connection is silent");
});

test("server wins: a write on what others changed meanwhile is rejected", async () => {
  const vibe = client({ collections: { wins: { conflict: "serverWins" } } });
  const seen = watch(vibe, "wins", "wins");
  await seen.until(({ status }) => status === "live");
  const note = await vibe.write("wins", { title: "wins", count: 0 });
  await seen.until(({ data, pendingWrites }) => data.length === 1 && pendingWrites === 0);
  network.cut();
  await seen.until(({ status }) => status === "offline");
  const mine = vibe.write("wins", { count: 1 }, { id: note.id });
  await seen.until(({ data }) => data[0]?.data.count === 1);
  await direct().write("wins", { count: 2 }, { id: note.id });
  network.restore();
  await expect(mine).rejects.toMatchObject({ code: "ABORTED", reason: "ETAG_MISMATCH" });
  await seen.until(({ data }) => data[0]?.data.count === 2 && !data[0].pending);
  // A chain of own writes is no conflict.
  await Promise.all([3, 4].map((count) => vibe.write("wins", { count }, { id: note.id })));
  await seen.until(({ data }) => data[0]?.data.count === 4);
});

test("fields written by different people all stay; a merge sees base, mine and theirs", async () => {
  const calls: unknown[] = [];
  const vibe = client({
    collections: {
      merged: {
        conflict(base, mine, theirs) {
          calls.push([base.tags, mine.tags, theirs.tags]);
          return { ...theirs, tags: [...new Set([...theirs.tags ?? [], ...mine.tags ?? []])].sort() };
        },
      },
    },
  });
  const [perField, merged] = [watch(vibe, "both"), watch(vibe, "both", "merged")];
  await Promise.all([perField, merged].map((watch) => watch.until(({ status }) => status === "live")));
  const note = await vibe.write("notes", { title: "both", who: {} });
  const list = await vibe.write("merged", { title: "both", tags: ["base"] });
  await perField.until(({ data }) => data.length === 1);
  await merged.until(({ data }) => data.length === 1);
  network.cut();
  await perField.until(({ status }) => status === "offline");
  const writes = [vibe.write("notes", { who: { a: "mine" } }, { id: note.id }), vibe.write("merged", { tags: ["base", "mine"] }, { id: list.id })];
  await Promise.all(writes.map(({ queued }) => queued));
  const others = direct();
  await others.write("notes", { who: { b: "theirs" } }, { id: note.id });
  await others.write("merged", { tags: ["base", "theirs"] }, { id: list.id });
  network.restore();
  expect((await writes[0])!.data.who).toEqual({ a: "mine", b: "theirs" });
  expect((await writes[1])!.data.tags).toEqual(["base", "mine", "theirs"]);
  expect(calls).toEqual([[["base"], ["base", "mine"], ["base", "theirs"]]]);
});

test("a revoked token ends the session within seconds and empties the cache; the next session goes on", async () => {
  const store = new MemoryStore();
  let current = await server.token("revoked");
  const vibe = client({ store, token: () => current });
  const seen = watch(vibe, "secret");
  await seen.until(({ status }) => status === "live");
  await vibe.write("notes", { title: "secret" });
  await seen.until(({ data }) => data.length === 1);
  await vibe.auth.revokeToken({});
  await seen.until(({ status, data, error }) => status === "denied" && data.length === 0 && error?.reason === "TOKEN_REVOKED", 60_000);
  expect(vibe.connection.status).toBe("signedOut");
  expect(await kept(store, "documents")).toEqual([]);
  const waiting = vibe.write("notes", { title: "secret 2" });
  current = await server.token("revoked");
  await vibe.sessionChanged();
  await waiting;
  await seen.until(({ status, data }) => status === "live" && data.length === 2);
});

test("a token that expires while live is replaced, and nothing is missed", async () => {
  const brief = await server.token("offline", "--hours", `${4 / 3600}`);
  const asked: boolean[] = [];
  let current = brief;
  const vibe = client({
    token({ refresh }) {
      asked.push(refresh);
      if (refresh) current = token;
      return current;
    },
  });
  const refreshed = new Watch<Note>();
  vibe.read("notes", { where: (f) => f("title").startsWith("expiry") }, refreshed.push);
  await refreshed.until(({ status }) => status === "live");
  expect(asked).not.toContain(true);
  await refreshed.until(({ status }) => status !== "live");
  await direct().write("notes", { title: "expiry 1" });
  await refreshed.until(({ status, data }) => status === "live" && data.length === 1);
  expect(asked).toContain(true);
  current = brief;
  expect((await vibe.readOnce("notes", { where: "data.title = 'expiry 1'" })).documents).toHaveLength(1);
  current = brief;
  await vibe.write("notes", { title: "expiry 2" });
});

test("another user's token empties cache and queue before anything is shown", async () => {
  const store = new MemoryStore();
  let current = token;
  const vibe = client({ store, token: () => current });
  const seen = watch(vibe, "mine");
  await seen.until(({ status }) => status === "live");
  await vibe.write("notes", { title: "mine 1" });
  await seen.until(({ data }) => data.length === 1);
  network.cut();
  await seen.until(({ status }) => status === "offline");
  const lost = vibe.write("notes", { title: "mine 2" });
  await lost.queued;
  current = await server.token("another");
  await vibe.sessionChanged();
  const before = seen.states.length - 1;
  await expect(lost).rejects.toMatchObject({ reason: "SESSION_ENDED" });
  expect(await kept(store, "documents")).toEqual([]);
  expect(await kept(store, "outbox")).toEqual([]);
  network.restore();
  const { data } = await seen.until(({ status }) => status === "live");
  expect(data).toEqual([]);
  expect(seen.states.slice(before).every(({ data }) => data.length === 0)).toBe(true);
  await vibe.write("notes", { title: "mine, too" });
  vibe.close();

  // The same at a start.
  const later = watch(client({ store }), "mine");
  await later.until(({ status, data }) => status === "live" && data.length === 1 && data[0]!.data.title === "mine 1");
  expect(later.states.flatMap(({ data }) => titles(data))).not.toContain("mine, too");
});

test("no room on the device: what was read goes first, what was written stays, and all is shown", async () => {
  const store = new SmallStore(3);
  const vibe = client({ store });
  const seen = watch(vibe, "room");
  await seen.until(({ status }) => status === "live");
  const others = direct();
  for (let i = 0; i < 6; i++) await others.write("notes", { title: `room ${i}` });
  await seen.until(({ data }) => data.length === 6);
  network.cut();
  await seen.until(({ status }) => status === "offline");
  const write = vibe.write("notes", { title: "room mine" });
  await write.queued;
  await seen.until(({ data }) => data.length === 7);
  expect(vibe.connection.storage).toBe("full");
  expect(await kept(store, "outbox")).toHaveLength(1);
  network.restore();
  await write;
  expect(await kept(store, "outbox")).toEqual([]);
});

const kept = async (store: Store, table: "documents" | "outbox"): Promise<unknown[]> => (await store.readAll(table)).map(([key]) => key);

/** A store with room for so many documents. */
class SmallStore extends MemoryStore {
  constructor(private readonly room: number) {
    super();
  }

  override async commit(changes: Parameters<MemoryStore["commit"]>[0]): Promise<void> {
    const documents = new Set(await kept(this, "documents"));
    for (const { table, key, value } of changes) if (table === "documents" && value) documents.add(key);
    if (documents.size > this.room) throw new DOMException("no room", "QuotaExceededError");
    await super.commit(changes);
  }
}
