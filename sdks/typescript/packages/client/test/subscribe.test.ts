import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createClient } from "../src/index.js";
import type { DocumentChange, SubscribeOptions, VibeClient } from "../src/index.js";
import { Proxy } from "./proxy.js";
import { TestServer } from "./server.js";
import { Waiter } from "./waiter.js";

interface Order {
  n: number;
}

let server: TestServer;
let network: Proxy;
let token: string;
let collections = 0;
const clients: VibeClient<Record<string, Order>>[] = [];

beforeAll(async () => {
  server = await TestServer.start();
  network = await Proxy.to(server.port);
  token = await server.token("shop");
});
afterEach(() => clients.splice(0).forEach((client) => client.close()));
afterAll(async () => {
  network?.close();
  await server?.stop();
});

function client(url = server.url): VibeClient<Record<string, Order>> {
  const vibe = createClient<Record<string, Order>>({ url, token: () => token, longestPauseMs: 200 });
  clients.push(vibe);
  return vibe;
}

/** A reader that keeps what it was told, and the cursor after it. */
class Reader {
  readonly told: string[] = [];
  readonly documents = new Map<string, number>();
  readonly heard = new Waiter();
  readonly ended: Promise<void>;
  readonly changes;
  private readonly leave = new AbortController();

  constructor(vibe: VibeClient<Record<string, Order>>, collection: string, where: string | undefined, options: SubscribeOptions = {}) {
    this.changes = vibe.subscribe(collection, where ? { where } : {}, { ...options, signal: this.leave.signal });
    this.ended = this.read(this.changes);
  }

  async hears(...told: string[]): Promise<void> {
    await this.heard.until(() => this.told.length >= told.length);
    expect(this.told).toEqual(told);
  }

  async stop(): Promise<void> {
    this.leave.abort();
    await expect(this.ended).rejects.toMatchObject({ code: "CANCELLED" });
  }

  private async read(changes: AsyncIterable<DocumentChange<Order>>): Promise<void> {
    for await (const { kind, id, document } of changes) {
      if (document) this.documents.set(id, document.data.n);
      else this.documents.delete(id);
      this.heard.tell(() => this.told.push(document ? `${kind} ${document.data.n}` : kind));
    }
  }
}

// A cursor comes with the frame after the last change; what it covers was told.
async function settled(reader: Reader, before: string): Promise<string> {
  await expect.poll(() => reader.changes.cursor, { timeout: 50_000 }).not.toBe(before);
  return reader.changes.cursor;
}

test("changes come one by one, with what they are to the query", async () => {
  const [vibe, orders] = [client(), `orders${++collections}`];
  const first = await vibe.write(orders, { n: 1 });
  const reader = new Reader(vibe, orders, "data.n < 10", { initial: true });
  await reader.hears("added 1");
  await vibe.write(orders, { n: 2 }, { id: first.id });
  const other = await vibe.write(orders, { n: 3 });
  await vibe.write(orders, { n: 30 }, { id: first.id });
  await vibe.remove(orders, other.id);
  await reader.hears("added 1", "modified 2", "added 3", "removed", "removed");
  await reader.stop();
});

test("a program goes on where the one before was, without a gap", async () => {
  const [vibe, orders] = [client(), `orders${++collections}`];
  const reader = new Reader(vibe, orders, undefined);
  const start = await settled(reader, "");
  await vibe.write(orders, { n: 1 });
  await reader.hears("added 1");
  const cursor = await settled(reader, start);
  await reader.stop();
  const missed = await vibe.write(orders, { n: 2 });
  await vibe.write(orders, { n: 3 });
  await vibe.remove(orders, missed.id);
  const next = new Reader(vibe, orders, undefined, { cursor });
  await next.heard.until(() => next.told.includes("added 3"));
  await vibe.write(orders, { n: 4 });
  await next.heard.until(() => next.told.includes("added 4"));
  // Of a document that came and went meanwhile, all may be told or only the end.
  expect([...next.documents.values()]).toEqual([3, 4]);
  expect(next.told.filter((told) => told === "added 3")).toHaveLength(1);
  await next.stop();
});

test("a cut connection and a killed server leave no gap and tell nothing twice", async () => {
  const [vibe, orders] = [client(network.url), `orders${++collections}`];
  const writer = client();
  const reader = new Reader(vibe, orders, undefined, { initial: true });
  await writer.write(orders, { n: 1 });
  await reader.hears("added 1");
  network.cut();
  await writer.write(orders, { n: 2 });
  network.restore();
  await reader.hears("added 1", "added 2");
  await server.kill();
  await server.restart();
  await writer.write(orders, { n: 3 });
  await reader.hears("added 1", "added 2", "added 3");
  await reader.stop();
});

test("a cursor that is none, and a filter that is none, end it", async () => {
  const vibe = client();
  await expect(new Reader(vibe, "orders", undefined, { cursor: "none" }).ended).rejects.toMatchObject({ reason: "CURSOR_INVALID" });
  await expect(new Reader(vibe, "orders", "data.n <").ended).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});

test("leaving the loop ends it", async () => {
  const [vibe, orders] = [client(), `orders${++collections}`];
  await vibe.write(orders, { n: 1 });
  const changes = vibe.subscribe(orders, {}, { initial: true });
  for await (const { kind } of changes) {
    expect(kind).toBe("added");
    break;
  }
  await expect((async () => { for await (const change of changes) expect(change).toBeUndefined(); })()).rejects.toThrow("read once");
});
