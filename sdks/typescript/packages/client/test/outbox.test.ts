import { afterEach, beforeAll, expect, inject, test } from "vitest";
import { MemoryStore, createClient } from "../src/index.js";
import type { Document, JsonObject, Store, VibeClient, WriteOperation } from "../src/index.js";
import { newId } from "../src/documents/uuid.js";
import { Hub } from "../src/hub/hub.js";
import { HubClient } from "../src/hub/hub-client.js";
import type { HubPort } from "../src/hub/hub-client.js";
import { line } from "../src/hub/in-process.js";
import type { HubConfig, ToTab } from "../src/hub/protocol.js";
import { tokenFor } from "./server.js";

interface Note {
  title: string;
  count?: number;
}

const { url, data } = inject("server");
let token: string;
const open: { close(): void }[] = [];

beforeAll(async () => {
  token = await tokenFor(data, "outbox");
});
afterEach(() => open.splice(0).forEach((one) => one.close()));

/** The real network, down until it is opened; tells the methods that were called. */
function network(): { sent: string[]; open: boolean; fetch: typeof globalThis.fetch } {
  const network = {
    sent: [] as string[],
    open: false,
    async fetch(input: RequestInfo | URL, init?: RequestInit) {
      if (!network.open) throw new TypeError("fetch failed");
      network.sent.push(String(input).split("/").at(-1)!);
      return globalThis.fetch(input, init);
    },
  };
  return network;
}

function client(fetch: typeof globalThis.fetch, store: Store = new MemoryStore()): VibeClient<{ notes: Note }> {
  const made = createClient<{ notes: Note }>({ url, token: () => token, fetch, store, longestPauseMs: 50 });
  open.push(made);
  return made;
}

test("500 queued writes go in a few requests; one that is refused does not stop the others, and each tells how it ended", async () => {
  const net = network();
  const vibe = client(net.fetch);
  const rejected: string[] = [];
  vibe.onRejected(({ operations }) => rejected.push(operations[0]!.id));
  // Of these, 3 are refused: what they open is not to be opened to all.
  const writes = Array.from({ length: 500 }, (_, index) => vibe.write("notes", { title: `note ${index}` }, index % 200 === 77 ? { acl: { write: { allow: ["*"] } } } : {}));
  const missing = vibe.write("notes", { count: 1 }, { id: newId() });
  const last = vibe.write("notes", { title: "last" });
  await last.queued;
  net.open = true;
  const ends = await Promise.allSettled(writes);
  expect(ends.flatMap(({ status }, index) => status === "rejected" ? [index] : [])).toEqual([77, 277, 477]);
  await expect(missing).rejects.toMatchObject({ reason: "DOCUMENT_NOT_FOUND" });
  expect((await last).revision).toBe(1);
  expect(rejected).toEqual([77, 277, 477].map((index) => writes[index]!.id).concat(missing.id));
  // The documents came in the order they were written.
  const stored = ends.flatMap((end) => end.status === "fulfilled" ? [end.value] : []);
  expect(stored.map(({ createTime }) => createTime)).toEqual(stored.map(({ createTime }) => createTime).sort());
  expect(net.sent.length).toBeLessThan(60);
});

test("writes of one document keep their order, and each builds on what the one before has become", async () => {
  const net = network();
  const vibe = client(net.fetch);
  const writes = Array.from({ length: 60 }, (_, index) => index < 3 ? vibe.write("notes", { title: `chain ${index}`, count: 0 }) : undefined);
  const ids = writes.flatMap((write) => write ? [write.id] : []);
  const changes = Array.from({ length: 60 }, (_, index) => vibe.write("notes", { count: index }, { id: ids[index % 3]! }));
  const removal = vibe.remove("notes", ids[0]!);
  const late = vibe.write("notes", { count: -1 }, { id: ids[0]! });
  await late.queued;
  net.open = true;
  expect((await Promise.all(changes)).map(({ revision, data }) => [revision, data.count])).toEqual(changes.map((_, index) => [2 + Math.floor(index / 3), index]));
  await removal;
  await expect(late).rejects.toMatchObject({ reason: "DOCUMENT_NOT_FOUND" });
});

const config: HubConfig = { url, app: "", policies: {}, longestPauseMs: 50 };

/** A tab whose hubs may die: it goes on with the next one, on the same store. */
class Tab {
  readonly sent: string[] = [];
  readonly port: HubPort = { send: (message) => this.current?.send(message), receive: () => {}, close: () => {} };
  readonly client: HubClient;
  private current: HubPort | undefined;

  constructor(private readonly store: Store) {
    this.client = new HubClient(this.port, config, { answer: async () => token, connection: () => {}, rejected: () => {}, consistency: () => {} });
  }

  /** Starts a hub. It dies, for this tab, as soon as `dies` says so of what it wants to tell. */
  start(dies: (message: ToTab) => boolean, fetch: typeof globalThis.fetch): Promise<void> {
    const hub = new Hub(config, this.store, (input, init) => {
      this.sent.push(String(input).split("/").at(-1)!);
      return fetch(input, init);
    });
    const [tabEnd, hubEnd] = line();
    this.current = tabEnd;
    open.push(hub);
    return new Promise((resolve) => {
      tabEnd.receive = (message) => {
        if (this.current !== tabEnd) return;
        if (!dies(message)) return this.port.receive(message);
        this.current = undefined;
        hub.close();
        resolve();
      };
      hub.attach(hubEnd);
    });
  }
}

/** What may be read of a document, seen by somebody else. */
async function revisions(ids: readonly string[]): Promise<(number | undefined)[]> {
  const page = await client(globalThis.fetch).readOnce("notes", { limit: 1000 });
  const byId = new Map<string, Document<JsonObject & Note>>(page.documents.map((document) => [document.id, document as Document<JsonObject & Note>]));
  return ids.map((id) => byId.get(id)?.revision);
}

const create = (id: string): WriteOperation => ({ kind: "create", collection: "notes", id, data: { title: "by a tab" } });
const update = (id: string, count: number): WriteOperation => ({ kind: "update", collection: "notes", id, data: { count } });

test("a hub that dies after the server has acknowledged and before it tells: what was joined, or sent together, happens once", async () => {
  const tab = new Tab(new MemoryStore());
  const net = network();
  // The first write goes ahead by itself.
  const ahead = newId();
  const died = tab.start((message) => message.type === "written" && message.write !== ahead, net.fetch);
  const first = tab.client.write(ahead, [create(newId())]);
  const [joined, ...others] = Array.from({ length: 5 }, newId) as [string, ...string[]];
  const ids = [joined, ...others];
  // The changes of the last document become part of its creation: one write that three have asked for.
  const writes = [...others.map(create), create(joined), update(joined, 1), update(joined, 2)].map((operation) => tab.client.write(newId(), [operation]));
  await Promise.all([first, ...writes].map(({ queued }) => queued));
  net.open = true;
  await died;
  expect(await revisions(ids)).toEqual(ids.map(() => 1));
  // Somebody else changes it: what the tab asks for again must not undo that.
  const vibe = client(globalThis.fetch);
  await vibe.write("notes", { count: 7 }, { id: joined });

  void tab.start(() => false, net.fetch);
  const ends = await Promise.all(writes.map(({ done }) => done));
  expect(ends.map(([document]) => [document!.id, document!.revision])).toEqual([...others, joined, joined, joined].map((id) => [id, 1]));
  expect(await revisions(ids)).toEqual([2, ...others.map(() => 1)]);
  expect(tab.sent.filter((method) => method === "BatchWriteDocuments")).toHaveLength(1);
});

test("a hub that dies before the answer comes: the next one sends the same request, and it happens once", async () => {
  const tab = new Tab(new MemoryStore());
  let lost = 0;
  let dying = false;
  const died = tab.start(() => dying, async (input, init) => {
    const response = await globalThis.fetch(input, init);
    if (!String(input).endsWith("BatchWriteDocuments")) return response;
    // The server has done it; the hub never hears.
    lost++;
    dying = true;
    throw new TypeError("fetch failed");
  });
  const ids = Array.from({ length: 5 }, newId);
  const blocker = tab.client.write(newId(), [create(newId())]);
  const writes = ids.flatMap((id) => [create(id)]).map((operation) => tab.client.write(newId(), [operation]));
  await died;
  expect(lost).toBe(1);
  void tab.start(() => false, globalThis.fetch);
  expect((await Promise.all(writes.map(({ done }) => done))).map(([document]) => document!.revision)).toEqual(ids.map(() => 1));
  await blocker.done;
  expect(await revisions(ids)).toEqual(ids.map(() => 1));
});
