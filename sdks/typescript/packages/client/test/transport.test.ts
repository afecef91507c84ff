import { createClient as createService } from "@connectrpc/connect";
import { beforeAll, expect, inject, test } from "vitest";
import { createClient, newId } from "../src/index.js";
import type { TokenRequest } from "../src/index.js";
import { DocumentsService } from "../src/generated/vibe/documents/v1/documents_service_pb.js";
import { Watch } from "./live-state.js";
import { tokenFor } from "./server.js";

const { url, data } = inject("server");
const header = "vibe-consistency-token";
let token: string;
beforeAll(async () => {
  token = await tokenFor(data, "transport");
});

interface Sent {
  readonly method: string;
  readonly headers: Headers;
}

/** The real fetch, which notes what is sent and fails as told. */
function watched(fails: (sent: Sent, nth: number) => boolean = () => false): { sent: Sent[]; fetch: typeof globalThis.fetch } {
  const sent: Sent[] = [];
  return {
    sent,
    async fetch(input, init) {
      const request: Sent = { method: String(input).split("/").at(-1)!, headers: new Headers(init?.headers) };
      sent.push(request);
      const response = await globalThis.fetch(input, init);
      // The answer gets lost: what was asked for has happened.
      if (fails(request, sent.filter(({ method }) => method === request.method).length)) throw new TypeError("fetch failed");
      return response;
    },
  };
}

const createNote = (title: string) => ({ document: { collection: "notes", data: { title } } });

test("a read carries the token of the last write, by whichever way it was written", async () => {
  const { sent, fetch } = watched();
  const vibe = createClient({ url, token: () => token, fetch });
  await vibe.readOnce("notes");
  const note = await vibe.write("notes", { title: "a" });
  await vibe.readOnce("notes");
  await vibe.documents.updateDocument({ id: note.id, document: { data: { title: "b" } } });
  await vibe.documents.getDocument({ id: note.id });
  const carried = sent.map(({ method, headers }) => [method, headers.get(header)] as const);
  expect(carried.map(([method, value]) => [method, Boolean(value)])).toEqual([
    ["ListDocuments", false], ["CreateDocument", false], ["ListDocuments", true], ["UpdateDocument", false], ["GetDocument", true],
  ]);
  expect(carried[2]![1]).not.toBe(carried[4]![1]);
  vibe.close();
});

test("a read whose answer is lost is repeated; a write too, and happens once", async () => {
  const { sent, fetch } = watched((_, nth) => nth < 3);
  const vibe = createClient({ url, token: () => token, fetch });
  const { document } = await vibe.documents.createDocument(createNote("once"));
  const page = await vibe.readOnce("notes", { where: 'data.title = "once"' });
  expect(page.documents.map(({ id, revision }) => [id, revision])).toEqual([[document!.id, 1]]);
  expect(sent.map(({ method }) => method)).toEqual(["CreateDocument", "CreateDocument", "CreateDocument", "ListDocuments", "ListDocuments", "ListDocuments"]);
});

test("a queued write whose answer is lost is sent again, and happens once", async () => {
  const { sent, fetch } = watched((_, nth) => nth < 3);
  const vibe = createClient({ url, token: () => token, fetch, longestPauseMs: 50 });
  const note = await vibe.write("notes", { title: "queued" });
  const changed = await vibe.write("notes", { title: "changed" }, { id: note.id });
  const [first, second] = await vibe.batch((b) => [1, 2].forEach((count) => b.write("notes", { count }, { id: note.id })));
  expect([note, changed, first, second].map((document) => document?.revision)).toEqual([1, 2, 4, 4]);
  expect(sent.map(({ method }) => method)).toEqual(["CreateDocument", "UpdateDocument", "BatchWriteDocuments"].flatMap((method) => [method, method, method]));
  vibe.close();
});

test("the attempts end with the deadline, and with their number", async () => {
  const { sent, fetch } = watched(() => true);
  const vibe = createClient({ url, token: () => token, fetch });
  await expect(vibe.readOnce("notes", {}, { timeoutMs: 250 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  const before = sent.length;
  await expect(vibe.readOnce("notes")).rejects.toMatchObject({ code: "UNAVAILABLE", reason: "UNREACHABLE" });
  expect(sent.length - before).toBe(5);
});

test("what the server refuses is not repeated", async () => {
  const { sent, fetch } = watched();
  const vibe = createClient({ url, token: () => token, fetch });
  await expect(vibe.documents.getDocument({ id: newId() })).rejects.toMatchObject({ reason: "DOCUMENT_NOT_FOUND" });
  expect(sent).toHaveLength(1);
});

test("the token is asked for with each call, and a service of the contract gets it too", async () => {
  const asked: TokenRequest[] = [];
  const vibe = createClient({
    url,
    async token(request) {
      asked.push(request);
      return token;
    },
  });
  const documents = createService(DocumentsService, vibe.transport);
  const { document } = await documents.createDocument(createNote("mine"));
  expect((await documents.getDocument({ id: document!.id })).document?.owner).toMatch(/^did:web:/);
  expect(asked).toEqual([["CreateDocument", {}], ["GetDocument", { reads: true }]].map(([method, more]) => ({ refresh: false, url: `${url}/vibe.documents.v1.DocumentsService/${method}`, ...more as object })));
});

test("a consistency token of a database that was restored is given up, by a read and by a live query", async () => {
  let forge = false;
  const { sent, fetch } = watched();
  const vibe = createClient({
    url, token: () => token, longestPauseMs: 50,
    fetch(input, init) {
      const headers = new Headers(init?.headers);
      if (forge && headers.has(header)) headers.set(header, "of another database");
      return fetch(input, { ...init, headers });
    },
  });
  await vibe.write("notes", { title: "before" });
  forge = true;
  await vibe.readOnce("notes");
  await vibe.readOnce("notes");
  const carried = (of: string): boolean[] => sent.filter(({ method }) => method === of).map(({ headers }) => headers.has(header));
  expect(carried("ListDocuments")).toEqual([true, false, false]);
  const seen = new Watch();
  vibe.read("notes", {}, seen.push);
  await seen.until(({ status }) => status === "live");
  expect(carried("Subscribe")).toEqual([true, false]);
  vibe.close();
});
