import { expect, test } from "vitest";
import type { Document, JsonObject } from "../documents/document.js";
import { canJoin, joinPatches, mergePatch, overlay } from "./overlay.js";
import type { WriteOperation } from "./write.js";

// The examples of RFC 7396, appendix A, as far as both sides are objects.
test.each<[JsonObject, JsonObject, JsonObject]>([
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])("merging %j with %j", (target, patch, merged) => {
  const before = structuredClone(target);
  expect(mergePatch(target, patch)).toEqual(merged);
  expect(target).toEqual(before);
});

test("a key called __proto__ is a key", () => {
  const patch = JSON.parse('{"__proto__": {"x": 1}}') as JsonObject;
  const merged = mergePatch({}, patch);
  expect(Object.keys(merged)).toEqual(["__proto__"]);
  expect(({} as { x?: number }).x).toBeUndefined();
});

test("joined patches do what the two do, whatever they meet", () => {
  const values = [undefined, null, 1, { x: 1 }, { x: null }, { y: { z: 2 } }, { y: null }, {}];
  let joined = 0;
  for (const stored of values.filter((value) => value !== null)) {
    for (const first of values) {
      for (const second of values) {
        const [target, a, b] = [stored, first, second].map((value) => (value === undefined ? {} : { k: value }) as JsonObject) as [JsonObject, JsonObject, JsonObject];
        if (!canJoin(a, b)) continue;
        joined++;
        expect(mergePatch(target, joinPatches(a, b)), JSON.stringify([target, a, b])).toEqual(mergePatch(mergePatch(target, a), b));
      }
    }
  }
  expect(joined).toBeGreaterThan(300);
});

test("a write shows on the document before the server knows of it", () => {
  const base: Document = {
    id: "i", collection: "notes", owner: "o", app: "", key: "", data: { a: 1, b: { c: 2 } }, edges: [], createTime: "t0", updateTime: "t0", revision: 3, etag: "e",
  };
  const operation = (kind: WriteOperation["kind"], data: JsonObject = {}): WriteOperation => ({ kind, collection: "notes", id: "i", data });
  expect(overlay(base, operation("update", { a: null, b: { d: 1 } }), "t1", "me")).toEqual({ ...base, data: { b: { c: 2, d: 1 } }, updateTime: "t1", pending: true });
  expect(overlay(base, operation("replace", { x: 1 }), "t1", "me")?.data).toEqual({ x: 1 });
  expect(overlay(base, operation("remove"), "t1", "me")).toBeUndefined();
  expect(overlay(undefined, operation("update", { a: 1 }), "t1", "me")).toBeUndefined();
  expect(overlay(undefined, operation("create", { a: 1 }), "t1", "me")).toMatchObject({ owner: "me", data: { a: 1 }, createTime: "t1", revision: 0, pending: true });
});
