// What the compiler must know, and what it must refuse: checked by `npm run check`, never run.
import type { Client } from "@connectrpc/connect";
import type { AppsService, GetAppResponse } from "../src/generated/vibe/apps/v1/apps_service_pb.js";
import { VibeError, createClient } from "../src/index.js";
import type { AccessControl, Collection, Document, FieldRef, FieldViolation, JsonObject, Live, Member, Page, Query, QueryStatus, Reason, Write } from "../src/index.js";
import { is } from "./types.js";

interface Note {
  title: string;
  rank: number;
  done?: boolean;
  tags: string[];
  address: { city: string; geo: { lat: number } };
}
interface List {
  name: string;
}

const vibe = createClient<{ notes: Note; lists: List }>({ url: "http://vibe.localhost:5080" });

export async function collections(): Promise<void> {
  vibe.read("notes", {}, (state) => {
    is<Live<Note>>()(state);
    is<number>()(state.data[0]!.data.rank);
    is<QueryStatus>()(state.status);
    is<VibeError | undefined>()(state.error);
  });
  is<Page<List>>()(await vibe.readOnce("lists"));
  is<Page<Note>>()(await vibe.search("notes", "words"));
  is<Collection<Note>>()(vibe.collection("notes"));
  is<Document<Note>>()(await vibe.expand<Note>("id", ["author"]));
  // @ts-expect-error There is no such collection.
  vibe.read("note", {}, () => {});
  // @ts-expect-error What is read is not changed in place.
  vibe.read("notes", {}, ({ data }) => data.push());
  // @ts-expect-error A note has no such field.
  vibe.read("notes", {}, ({ data }) => data[0]!.data.name);
  // @ts-expect-error A scope is a word of three.
  vibe.read("notes", { scope: "everybody" }, () => {});
}

export function filters(): Query<Note>[] {
  vibe.read("notes", {
    where: (f) => {
      is<FieldRef<string>>()(f("title"));
      is<FieldRef<boolean>>()(f("done"));
      is<FieldRef<number>>()(f("address.geo.lat"));
      is<FieldRef<number>>()(f.revision);
      return f("rank").gt(1).and(f("tags").contains("x")).or(f("address.city").startsWith("L")).and(f.owner.eq("did:web:x")).and(f(["odd.key"]).eq(true));
    },
    orderBy: (f) => [f("rank").desc(), f.createTime.asc()],
  }, () => {});
  return [
    { where: "data.rank > 1", orderBy: "data.rank desc" },
    // @ts-expect-error There is no such field.
    { where: (f) => f("titel").eq("a") },
    // @ts-expect-error There is no such field within it.
    { where: (f) => f("address.street").eq("a") },
    // @ts-expect-error A number does not compare with a text.
    { where: (f) => f("rank").gt("1") },
    // @ts-expect-error A truth value is none of these.
    { where: (f) => f("done").in(["yes"]) },
    // @ts-expect-error The items are texts.
    { where: (f) => f("tags").contains(1) },
    // @ts-expect-error The owner is a text.
    { where: (f) => f.owner.eq(1) },
    // @ts-expect-error A field alone is no condition.
    { where: (f) => f("done") },
    // @ts-expect-error An order has a direction.
    { orderBy: (f) => f("rank") },
    // @ts-expect-error There is no such field to order by.
    { orderBy: (f) => f("titel").asc() },
  ];
}

export async function writes(note: Note): Promise<void> {
  is<Write<Document<Note>>>()(vibe.write("notes", note));
  is<Document<Note>>()(await vibe.write("notes", { rank: 2 }, { id: "id" }));
  is<Write<void>>()(vibe.remove("notes", "id"));
  is<AccessControl | undefined>()((await vibe.write("lists", { name: "a" }, { key: "pin", acl: { read: { allow: ["*"] } } })).acl);
  await vibe.write("notes", { done: null, address: { geo: { lat: 1 } } }, { id: "id" });
  vibe.batch((batch) => {
    is<string>()(batch.write("lists", { name: "a" }));
    batch.remove("notes", "id");
    // @ts-expect-error A list has a name.
    batch.write("lists", { title: "a" });
  });
  // @ts-expect-error A new note is a whole one.
  await vibe.write("notes", { title: "a" });
  // @ts-expect-error So is one that is replaced by its name.
  await vibe.write("notes", { title: "a" }, { key: "pin" });
  // @ts-expect-error A rank is a number.
  await vibe.write("notes", { rank: "2" }, { id: "id" });
  // @ts-expect-error There is no such field.
  await vibe.write("notes", { titel: "a" }, { id: "id" });
  // @ts-expect-error Arrays are replaced as a whole.
  await vibe.write("notes", { tags: { 0: "a" } }, { id: "id" });
  // @ts-expect-error A principal is a text.
  await vibe.write("lists", { name: "a" }, { acl: { read: { allow: [1] } } });
}

export function errors(error: unknown): string {
  const failure = VibeError.from(error);
  if (failure.reason === "ETAG_MISMATCH") return failure.metadata["currentEtag"] ?? "";
  is<Reason>()(failure.reason);
  is<readonly FieldViolation[]>()(failure.fields);
  is<number | undefined>()(failure.retryAfterMs);
  // @ts-expect-error There is no such code.
  if (failure.code === "MISSING") return "";
  vibe.onRejected(({ error }) => is<VibeError>()(error));
  return failure.message;
}

export function policies(): void {
  createClient<{ notes: Note }>({
    url: "", collections: {
      notes: {
        conflict: (base, mine, theirs) => {
          is<Note[]>()([base, mine, theirs]);
          return { ...theirs, rank: Math.max(mine.rank, theirs.rank) };
        },
      },
    },
  });
  // @ts-expect-error There is no such policy.
  createClient<{ notes: Note }>({ url: "", collections: { notes: { conflict: "mineWins" } } });
  // @ts-expect-error There is no such collection to have one.
  createClient<{ notes: Note }>({ url: "", collections: { lists: { conflict: "serverWins" } } });
  // @ts-expect-error A merge gives back a whole body.
  createClient<{ notes: Note }>({ url: "", collections: { notes: { conflict: () => ({ rank: 1 }) } } });
  // @ts-expect-error A client has a server.
  createClient({});
}

export async function untyped(): Promise<void> {
  const any = createClient({ url: "" });
  any.read("anything", { where: (f) => f("whatever.it.is.called").eq(1) }, (state) => is<Live<JsonObject>>()(state));
  await any.write("anything", { a: [1, { b: null }] });
  // @ts-expect-error What JSON does not have cannot be kept.
  await any.write("anything", { when: new Date(), how: () => {} });
}

export function contract(): void {
  is<Client<typeof AppsService>>()(vibe.apps);
  is<Promise<GetAppResponse>>()(vibe.apps.getApp({ name: "feeds" }));
  void vibe.documents.getDocument({ id: "id" });
  // @ts-expect-error A document is named by its id.
  void vibe.documents.getDocument({ name: "id" });
  // @ts-expect-error There is no such method.
  void vibe.documents.getDocuments({});
}

export function channels(): void {
  const { publish } = vibe.channels.join<{ name: string }, { text: string }>("app:lobby", {
    presence: (members) => is<readonly Member<{ name: string }>[]>()(members),
    message: ({ payload }) => is<string>()(payload.text),
  });
  void publish({ text: "a" });
  // @ts-expect-error A message has a text.
  void publish({ name: "a" });
}
