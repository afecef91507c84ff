import { afterEach, expect, inject, test } from "vitest";
import { createClient } from "../src/index.js";
import type { CollectionOptions, Document, VibeClient } from "../src/index.js";
import { Proxy } from "./proxy.js";
import { Watch } from "./live-state.js";
import { tokenFor } from "./server.js";

interface Card {
  /** How many changes it has seen, as far as who wrote it knew. */
  count?: number;
  /** Each client's own fields. */
  a?: number;
  b?: number;
  c?: number;
}

type Name = "a" | "b" | "c";

interface Actor {
  readonly name: Name;
  readonly network: Proxy;
  readonly vibe: VibeClient<{ cards: Card }>;
  readonly seen: Watch<Card>;
  /** What it wrote last to its own field of each card, and was acknowledged. */
  readonly wrote: Map<string, number>;
}

const rounds = 120;
const actors: Actor[] = [];
afterEach(() => actors.splice(0).forEach(({ vibe, network }) => {
  vibe.close();
  network.close();
}));

let merges = 0;
const policies: Readonly<Record<string, CollectionOptions<Card>["conflict"] & {}>> = {
  lastWriterPerField: "lastWriterPerField",
  serverWins: "serverWins",
  // Fields are each client's own; changes add up.
  merge(base, mine, theirs) {
    merges++;
    const own = Object.entries(mine).filter(([key, value]) => base[key as Name] !== value);
    return { ...theirs, ...Object.fromEntries(own), count: (theirs.count ?? 0) + (mine.count ?? 0) - (base.count ?? 0) };
  },
};

test.each(Object.keys(policies))("%s: three clients edit at random, mostly offline: all end equal, nothing is lost, nothing comes twice", async (policy) => {
  const seed = Number(process.env["VIBE_SEED"] ?? Date.now() % 1e6);
  const random = randomOf(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const { url, data } = inject("server");
  const token = await tokenFor(data, `convergence-${policy.toLowerCase()}`);
  actors.push(...await Promise.all((["a", "b", "c"] as const).map((name) => actor(name, url, token, policies[policy]!))));
  const pending: Promise<unknown>[] = [];
  const created = new Set<string>();
  const removed = new Set<string>();
  const keyed = new Set<string>();
  const changes = new Map<string, number>();
  const failed: string[] = [];
  merges = 0;
  let refused = 0;
  const settle = (promise: Promise<unknown>, id: string, then: () => void, isRemoval = false): void => {
    pending.push(promise.then(then, (error: { reason: string }) => {
      // What others have changed is not removed by who did not know; there is nothing to merge.
      if (error.reason === "ETAG_MISMATCH" && (policy === "serverWins" || policy === "merge" && isRemoval)) refused++;
      // Removed by somebody else first.
      else if (error.reason !== "DOCUMENT_NOT_FOUND") failed.push(`${id} ${error.reason}`);
    }));
  };
  const change = async ({ name, vibe, wrote }: Actor, { id, data }: Document<Card>, value: number): Promise<void> => {
    const write = vibe.write("cards", { [name]: value, count: (data.count ?? 0) + 1 }, { id });
    settle(write, id, () => {
      changes.set(id, (changes.get(id) ?? 0) + 1);
      wrote.set(id, value);
    });
    await write.queued;
  };

  for (let round = 1; round <= rounds; round++) {
    const actor = pick(actors);
    const { network, vibe, seen } = actor;
    const cards = seen.last!.data;
    const action = random();
    if (action < 0.1) {
      network.cut();
    } else if (action < 0.2) {
      network.restore();
    } else if (action < 0.35 || cards.length === 0) {
      const write = vibe.write("cards", { count: 0 });
      settle(write, write.id, () => created.add(write.id));
      await write.queued;
    } else if (action < 0.45) {
      // Of few names: others make the same, offline too.
      const write = vibe.write("cards", { count: 0 }, { key: pick(["one", "two", "three"]) });
      settle(write.then(({ id }) => keyed.add(id)), "keyed", () => {});
      await write.queued;
    } else if (action < 0.95) {
      await change(actor, pick(cards), round);
    } else {
      const { id } = pick(cards);
      const write = vibe.remove("cards", id);
      settle(write, id, () => removed.add(id), true);
      await write.queued;
    }
  }
  const settled = async (): Promise<void> => {
    actors.forEach(({ network }) => network.restore());
    while (pending.length > 0) await Promise.all(pending.splice(0));
  };
  await settled();

  // All three change one card without knowing of each other: that is a conflict, whatever chance did before.
  const common = await actors[0]!.vibe.write("cards", { count: 0 });
  created.add(common.id);
  for (const { seen } of actors) await seen.until(({ data, status }) => status === "live" && data.some(({ id, pending }) => id === common.id && !pending));
  actors.forEach(({ network }) => network.cut());
  const before = [merges, refused] as const;
  for (const actor of actors) await change(actor, common, rounds + 1);
  await settled();
  expect(failed, `seed ${seed}`).toEqual([]);
  expect([merges - before[0] >= 2, refused - before[1]], `seed ${seed}: ${merges} merges, ${refused} refused`).toEqual([policy === "merge", policy === "serverWins" ? 2 : 0]);

  const page = await actors[0]!.vibe.readOnce("cards", { limit: 1000 });
  const stored = new Map(page.documents.map((document) => [document.id, document]));
  expect(stored.size, `seed ${seed}`).toBe(page.documents.length);
  for (const { seen } of actors) {
    const { data } = await seen.until(({ status, pendingWrites, data }) => status === "live" && pendingWrites === 0
      && data.length === stored.size && data.every(({ id, revision }) => stored.get(id)?.revision === revision));
    expect(data, `seed ${seed}`).toEqual(page.documents);
  }
  for (const id of created) expect(stored.has(id) || removed.has(id), `seed ${seed}: ${id} is lost`).toBe(true);
  for (const [id, { data }] of stored) {
    // What has a name is replaced as a whole by whoever makes it again.
    if (keyed.has(id)) continue;
    for (const { name, wrote } of actors) expect(data[name], `seed ${seed}: ${name} in ${id}`).toBe(wrote.get(id));
    // Every change that was taken counts, and counts once. By field, the last count wins.
    if (policy !== "lastWriterPerField") expect(data.count, `seed ${seed}: ${id}`).toBe(changes.get(id) ?? 0);
  }
  expect(stored.size).toBeGreaterThan(5);
});

async function actor(name: Name, url: string, token: string, conflict: CollectionOptions<Card>["conflict"] & {}): Promise<Actor> {
  const network = await Proxy.to(Number(new URL(url).port));
  const vibe = createClient<{ cards: Card }>({ url: network.url, token: () => token, longestPauseMs: 50, collections: { cards: { conflict } } });
  const seen = new Watch<Card>();
  vibe.read("cards", {}, seen.push);
  await seen.until(({ status }) => status === "live");
  return { name, network, vibe, seen, wrote: new Map() };
}

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
