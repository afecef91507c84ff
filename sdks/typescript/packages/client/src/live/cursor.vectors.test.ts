import { readFileSync } from "node:fs";
import { fromJson, toJson } from "@bufbuild/protobuf";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { RealtimeService, SubscribeResponseSchema } from "../generated/vibe/realtime/v1/realtime_service_pb.js";
import type { SubscribeResponse } from "../generated/vibe/realtime/v1/realtime_service_pb.js";
import { TargetSchema } from "../generated/vibe/realtime/v1/subscription_pb.js";
import type { Target } from "../generated/vibe/realtime/v1/subscription_pb.js";
import type { ToTab } from "../hub/protocol.js";
import { Cache } from "../store/cache.js";
import { MemoryStore } from "../store/memory-store.js";
import { LiveConnection } from "./connection.js";
import { LiveQueries } from "./live-queries.js";

interface Vector {
  readonly name: string;
  readonly query?: { readonly limit?: number; readonly orderBy?: string };
  readonly streams: readonly { readonly target: JsonValue; readonly frames: readonly JsonValue[] }[];
  readonly expected: { readonly target?: JsonValue; readonly documents: JsonObject; readonly error?: { readonly code: string; readonly reason: string } };
}

describe.each(["ends", "resume", "transactions", "windows"])("%s", (name) => {
  const { cases } = JSON.parse(readFileSync(new URL(`../../../../../../tests/vectors/cursors/${name}.json`, import.meta.url), "utf8")) as { cases: Vector[] };
  test.each(cases)("$name", async ({ query, streams, expected }) => {
    const { asked, states } = await play(query ?? {}, streams);
    expect(asked.slice(0, streams.length)).toEqual(streams.map(({ target }) => target));
    const { documents, error } = states.at(-1)!;
    expect(documents).toEqual(expected.documents);
    expect(error && { code: error.code, reason: error.reason }).toEqual(expected.error);
    // A query that has failed is not asked for again.
    expect(asked[streams.length]).toEqual(expected.target);
  });
});

interface Shown {
  readonly documents: JsonObject;
  readonly error: { readonly code: string; readonly reason: string } | undefined;
}

/** Plays the streams to a query over the contract; tells what it asked for, and what it showed. */
async function play({ limit = 0, orderBy = "" }: NonNullable<Vector["query"]>, streams: Vector["streams"]): Promise<{ asked: JsonValue[]; states: Shown[] }> {
  const asked: JsonValue[] = [];
  const states: Shown[] = [];
  let over = (): void => {};
  const end = new Promise<void>((resolve) => (over = resolve));
  const transport = createRouterTransport(({ service }) => service(RealtimeService, {
    async *subscribe({ targets }, { signal }) {
      const [target] = targets as [Target];
      asked.push(askedOf(target));
      const stream = streams[asked.length - 1];
      for (const frame of stream?.frames ?? []) yield addressed(fromJson(SubscribeResponseSchema, frame), target.id);
      if (stream) return;
      over();
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
    updateSubscriptions: () => ({}),
  }));
  const cache = new Cache(new MemoryStore(), () => {}, () => new Set(), () => []);
  const shown = new Map<string, JsonValue>();
  const live: LiveQueries = new LiveQueries(cache, {
    targetsChanged: (ids) => connection.update(ids),
    user: () => "",
    status: () => "online",
    overlays: () => new Map(),
    isTouched: () => false,
    pendingWrites: () => 0,
    send(_, { documents, order, error }: ToTab & { type: "state" }) {
      for (const { id, revision, data } of documents) shown.set(id, { revision, data });
      states.push({ documents: Object.fromEntries(order.map((id) => [id, shown.get(id)!])), error });
      if (error) over();
    },
  });
  const connection: LiveConnection = new LiveConnection(createClient(RealtimeService, transport), {
    targets: () => live.targets(),
    ready: (target, cursor) => live.ready(target, cursor),
    changes: (changes) => live.changes(changes),
    checkpoint: (cursor) => live.checkpoint(cursor),
    targetError: (error) => live.targetError(error),
    online: () => {},
    offline: () => live.suspend(),
    signedOut: () => {},
    refreshToken: async () => undefined,
  }, { silence: 60_000, longestPause: 0 });
  await live.open({}, 1, { collection: "notes", scope: 0, where: "", orderBy, limit });
  await end;
  connection.stop();
  return { asked, states };
}

// Without what a client numbers, and the collection.
function askedOf(target: Target): JsonValue {
  const { id: _, collection: __, ...asked } = toJson(TargetSchema, target) as JsonObject;
  return asked;
}

// The vectors name target 0.
function addressed(response: SubscribeResponse, target: number): SubscribeResponse {
  const { frame } = response;
  if (frame.case === "ready" || frame.case === "targetError") frame.value.targetId = target;
  if (frame.case === "batch") for (const change of frame.value.changes) change.targetId = target;
  return response;
}
