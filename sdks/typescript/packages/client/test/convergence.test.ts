import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createClient } from "../src/index.js";
import type { VibeClient } from "../src/index.js";
import { Proxy } from "./proxy.js";
import { Watch } from "./live-state.js";
import { tokenFor } from "./server.js";

interface Card {
  [field: string]: number;
}

interface Actor {
  readonly name: string;
  readonly network: Proxy;
  readonly vibe: VibeClient<{ cards: Card }>;
  readonly seen: Watch<Card>;
  /** What it wrote last to its own field of each card, and was acknowledged. */
  readonly wrote: Map<string, number>;
}

const names = ["a", "b", "c"];
const rounds = 120;
let actors: Actor[];

beforeAll(async () => {
  const { url, data } = inject("server");
  const token = await tokenFor(data, "convergence");
  actors = await Promise.all(names.map(async (name): Promise<Actor> => {
    const network = await Proxy.to(Number(new URL(url).port));
    const vibe = createClient<{ cards: Card }>({ url: network.url, token: () => token, longestPauseMs: 50 });
    const seen = new Watch<Card>();
    vibe.read("cards", {}, seen.push);
    await seen.until(({ status }) => status === "live");
    return { name, network, vibe, seen, wrote: new Map() };
  }));
});
afterAll(() => actors.forEach(({ vibe, network }) => {
  vibe.close();
  network.close();
}));

test("three clients edit at random, mostly offline: all end equal, nothing is lost, nothing comes twice", async () => {
  const seed = Number(process.env["VIBE_SEED"] ?? Date.now() % 1e6);
  const random = randomOf(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const pending: Promise<unknown>[] = [];
  const created = new Set<string>();
  const removed = new Set<string>();
  const failed: string[] = [];
  const settle = (promise: Promise<unknown>, then: () => void, id: string): void => {
    pending.push(promise.then(then, (error: { reason: string }) => {
      // Removed by somebody else first.
      if (error.reason !== "DOCUMENT_NOT_FOUND") failed.push(`${id} ${error.reason}`);
    }));
  };
  for (let round = 1; round <= rounds; round++) {
    const { name, network, vibe, seen, wrote } = pick(actors);
    const cards = seen.last!.data;
    const action = random();
    if (action < 0.1) {
      network.cut();
    } else if (action < 0.2) {
      network.restore();
    } else if (action < 0.45 || cards.length === 0) {
      const write = vibe.write("cards", { [name]: round });
      settle(write, () => created.add(write.id), write.id);
      wrote.set(write.id, round);
      await write.queued;
    } else if (action < 0.95) {
      const { id } = pick(cards);
      const write = vibe.write("cards", { [name]: round, shared: round }, { id });
      settle(write, () => {}, id);
      wrote.set(id, round);
      await write.queued;
    } else {
      const { id } = pick(cards);
      const write = vibe.remove("cards", id);
      settle(write, () => removed.add(id), id);
      await write.queued;
    }
  }
  actors.forEach(({ network }) => network.restore());
  await Promise.all(pending);
  expect(failed, `seed ${seed}`).toEqual([]);

  const page = await actors[0]!.vibe.readOnce("cards", { limit: 1000 });
  const stored = new Map(page.documents.map((document) => [document.id, document]));
  expect(stored.size, `seed ${seed}`).toBe(page.documents.length);
  for (const { seen } of actors) {
    const { data } = await seen.until(({ status, pendingWrites, data }) => status === "live" && pendingWrites === 0
      && data.length === stored.size && data.every(({ id, revision }) => stored.get(id)?.revision === revision));
    expect(data, `seed ${seed}`).toEqual(page.documents);
  }
  for (const id of created) expect(stored.has(id) || removed.has(id), `seed ${seed}: ${id} is lost`).toBe(true);
  for (const { name, wrote } of actors) {
    for (const [id, value] of wrote) {
      if (stored.has(id)) expect(stored.get(id)!.data[name], `seed ${seed}: ${name} in ${id}`).toBe(value);
    }
  }
  expect(stored.size).toBeGreaterThan(5);
});

// A generator that gives the same again for a seed (mulberry32).
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}
