import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createClient, VibeError } from "../src/index.js";
import type { VibeClient } from "../src/index.js";
import { idOfKey } from "../src/documents/uuid.js";
import { subjectOf } from "../src/hub/subject.js";
import { tokenFor } from "./server.js";
import { Watch, titles } from "./live-state.js";

interface Note {
  title: string;
  done?: boolean;
  place?: { city?: string; street?: string };
}

type Schema = { notes: Note; posts: Note };

const { url, data } = inject("server");
let token: string;
let vibe: VibeClient<Schema>;
const clients: VibeClient<Schema>[] = [];

function client(token?: string): VibeClient<Schema> {
  const made = createClient<Schema>({ url, ...(token ? { token: () => token } : {}) });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  token = await tokenFor(data, "documents");
  vibe = client(token);
});
afterAll(() => clients.forEach((made) => made.close()));

test("a write is acknowledged, and read again", async () => {
  const write = vibe.write("notes", { title: "hello", place: { city: "Porto", street: "Rua" } });
  await write.queued;
  const note = await write;
  expect(note).toMatchObject({ id: write.id, collection: "notes", revision: 1, owner: subjectOf(token), data: { title: "hello" } });
  expect(new Date(note.createTime).getTime()).toBeGreaterThan(Date.now() - 60_000);

  const changed = await vibe.write("notes", { done: true, place: { street: null } }, { id: note.id });
  expect(changed).toMatchObject({ revision: 2, data: { title: "hello", done: true, place: { city: "Porto" } } });
  expect(changed.data.place).not.toHaveProperty("street");

  const page = await vibe.readOnce("notes", { where: (f) => f("place.city").eq("Porto"), orderBy: (f) => f.createTime.desc(), limit: 1 });
  expect(page.documents).toEqual([changed]);
  await vibe.remove("notes", note.id);
  expect((await vibe.readOnce("notes", { id: note.id })).documents).toEqual([]);
});

test("a document with a key is made, then replaced, under the id that follows from the key", async () => {
  const first = await vibe.write("notes", { title: "one" }, { key: "only" });
  const second = await vibe.write("notes", { title: "two" }, { key: "only" });
  expect(second).toMatchObject({ id: first.id, key: "only", revision: 2, data: { title: "two" } });
  expect(first.id).toBe(await idOfKey(subjectOf(token), "notes", "only"));
});

test("a batch happens together or not at all", async () => {
  let postId = "";
  const [post, comment] = await vibe.batch((b) => {
    postId = b.write("posts", { title: "post" });
    b.write("notes", { title: "comment" }, { edges: [{ label: "comment_on", target: postId }] });
  });
  expect(comment!.edges).toEqual([{ label: "comment_on", target: postId }]);
  const found = await vibe.expand<Note>(post!.id, ["~comment_on"]);
  expect(found.related?.map(({ via, document }) => [via, document.id])).toEqual([["~comment_on", comment!.id]]);

  const failed = vibe.batch((b) => {
    b.write("notes", { title: "never" });
    b.write("notes", { title: "x" }, { id: postId, etag: "stale" });
  });
  await expect(failed).rejects.toMatchObject({ reason: "ETAG_MISMATCH", metadata: { index: "1" } });
  expect(titles((await vibe.readOnce("notes")).documents)).not.toContain("never");
});

test("errors say why, in the contract's words", async () => {
  await expect(vibe.readOnce("notes", { where: "data.x =" })).rejects.toMatchObject({
    name: "VibeError", code: "INVALID_ARGUMENT", reason: "INVALID_ARGUMENT", fields: [{ field: "filter" }],
  });
  await expect(client().write("notes", { title: "nobody" })).rejects.toMatchObject({ code: "UNAUTHENTICATED", reason: "TOKEN_REQUIRED" });
  const refused = await vibe.documents.getDocument({ id: "01900000-0000-7000-8000-00000000000a" }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(VibeError);
  expect(refused).toMatchObject({ code: "NOT_FOUND", reason: "DOCUMENT_NOT_FOUND" });
  await expect(createClient({ url: "http://127.0.0.1:9", timeoutMs: 300 }).readOnce("notes")).rejects.toMatchObject({ code: expect.stringMatching("UNAVAILABLE|DEADLINE_EXCEEDED") });
});

test("a signal ends a call, a deadline too", async () => {
  await expect(vibe.readOnce("notes", {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
  await expect(vibe.readOnce("notes", {}, { timeoutMs: 0.01 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
});

test("a live query shows a write at once, then what others write", async () => {
  const other = client(token);
  const seen = new Watch<Note>();
  const stop = vibe.read("posts", { where: (f) => f("title").startsWith("live") }, seen.push);
  await seen.until(({ status }) => status === "live");
  const write = vibe.write("posts", { title: "live 1" });
  const optimistic = await seen.until(({ data }) => data.length === 1);
  expect(optimistic).toMatchObject({ pendingWrites: 1, data: [{ id: write.id, pending: true }] });
  await write;
  const acknowledged = await seen.until(({ pendingWrites }) => pendingWrites === 0);
  expect(acknowledged.data[0]).toMatchObject({ id: write.id, revision: 1 });
  expect(acknowledged.data[0]).not.toHaveProperty("pending");

  const theirs = await other.write("posts", { title: "live 2" });
  const both = await seen.until(({ data }) => data.length === 2);
  expect(both.data[1]).toBe(seen.states.filter(({ data }) => data.length === 1).at(-1)!.data[0]);
  await other.write("posts", { title: "gone" }, { id: theirs.id });
  await seen.until(({ data }) => data.length === 1);
  stop();
  // Nothing ever flickered: after the write there was never an empty state.
  const first = seen.states.findIndex(({ data }) => data.length > 0);
  expect(seen.states.slice(first).every(({ data }) => data.length > 0)).toBe(true);
});

test("a rejected write goes from the live query, and is reported", async () => {
  const seen = new Watch<Note>();
  const rejected: string[] = [];
  const stop = [vibe.read("notes", { where: "data.title = 'refused'" }, seen.push), vibe.onRejected(({ error }) => rejected.push(error.reason))];
  await seen.until(({ status }) => status === "live");
  const write = vibe.write("notes", { title: "refused" }, { acl: { write: { allow: ["*"] } } });
  await seen.until(({ data }) => data.length === 1);
  await expect(write).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await seen.until(({ data, pendingWrites }) => data.length === 0 && pendingWrites === 0);
  expect(rejected).toEqual(["INVALID_ARGUMENT"]);
  stop.forEach((end) => end());
});

test("equal queries share a subscription; a window keeps to its size and order", async () => {
  const seen = [new Watch<Note>(), new Watch<Note>()];
  const query = { where: "data.title starts_with 'w'", orderBy: "data.title", limit: 2 };
  const stop = seen.map((watch) => vibe.read("posts", query, watch.push));
  await Promise.all(seen.map((watch) => watch.until(({ status }) => status === "live")));
  for (const title of ["w3", "w1", "w2"]) await vibe.write("posts", { title });
  for (const watch of seen) {
    const { data } = await watch.until(({ data }) => data.map(({ data }) => data.title).join() === "w1,w2");
    await vibe.remove("posts", data[0]!.id);
    await watch.until(({ data }) => data.map(({ data }) => data.title).join() === "w2,w3");
    await vibe.write("posts", { title: "w1" });
  }
  stop.forEach((end) => end());
});

test("a document someone else opens to all appears with global, and leaves when it is closed", async () => {
  const stranger = client(await tokenFor(data, "stranger"));
  const seen = new Watch<Note>();
  const stop = stranger.read("posts", { where: "data.title = 'shared'", global: true }, seen.push);
  await seen.until(({ status }) => status === "live");
  const post = await vibe.write("posts", { title: "shared" }, { acl: { read: { allow: ["users"] } } });
  await seen.until(({ data }) => data.length === 1);
  await vibe.write("posts", {}, { id: post.id, acl: {} });
  await seen.until(({ data }) => data.length === 0);
  stop();
});

test("the 101st live query is told that there is no place for it, and gets the next one that is free", async () => {
  const crowd = client(token);
  const seen = Array.from({ length: 101 }, () => new Watch<Note>());
  const stop = seen.map((watch, index) => crowd.read("notes", { where: (f) => f("title").eq(`of ${index}`) }, watch.push));
  await Promise.all(seen.slice(0, 100).map((watch) => watch.until(({ status }) => status === "live")));
  expect(await seen[100]!.until(({ status }) => status === "error")).toMatchObject({ error: { code: "RESOURCE_EXHAUSTED", reason: "TOO_MANY_QUERIES" } });
  stop[7]!();
  await seen[100]!.until(({ status, error }) => status === "live" && error === undefined);
  await vibe.write("notes", { title: "of 100" });
  await seen[100]!.until(({ data }) => data.length === 1);
  stop.forEach((end) => end());
});
