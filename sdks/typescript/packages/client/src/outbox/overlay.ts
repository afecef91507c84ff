import type { JsonValue } from "@bufbuild/protobuf";
import type { Document, JsonObject } from "../documents/document.js";
import type { WriteOperation } from "./write.js";

/** The document as it will be once the server has acknowledged the write; undefined when it will not be there. */
export function overlay(base: Document | undefined, operation: WriteOperation, time: string, owner: string): Document | undefined {
  const { kind, collection, id, key = "", data = {}, acl, edges } = operation;
  const given = { ...(acl ? { acl } : {}), ...(edges ? { edges } : {}), updateTime: time, pending: true };
  switch (kind) {
    case "remove":
      return undefined;
    case "update":
      return base && { ...base, ...given, data: mergePatch(base.data, data) };
    case "replace":
      return base && { ...base, ...given, data };
    default:
      // The server may have told of it already, before it acknowledged it.
      if (base) return { ...base, ...given, data };
      return { id, collection, owner, app: "", key, data, edges: [], createTime: time, revision: 0, etag: "", ...given };
  }
}

/** RFC 7396: objects merge, null removes a key, everything else replaces. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged: JsonObject = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else define(merged, key, isObject(value) ? mergePatch(isObject(merged[key]) && Object.hasOwn(merged, key) ? merged[key] : {}, value) : value);
  }
  return merged;
}

/** One patch that does what the two do, one after the other. */
export function joinPatches(first: JsonObject, second: JsonObject): JsonObject {
  const joined: JsonObject = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const before = Object.hasOwn(joined, key) ? joined[key] : undefined;
    define(joined, key, isObject(value) && isObject(before) ? joinPatches(before, value) : value);
  }
  return joined;
}

/** Whether joining would change the meaning: an object merges, where before a value or a removal stood. */
export function canJoin(first: JsonObject, second: JsonObject): boolean {
  return Object.entries(second).every(([key, value]) => {
    if (!isObject(value) || !Object.hasOwn(first, key)) return true;
    const before = first[key];
    return isObject(before) && canJoin(before, value);
  });
}

/** Whether two values say the same, in whatever order their keys are. */
export function sameJson(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (Array.isArray(left)) return Array.isArray(right) && left.length === right.length && left.every((value, index) => sameJson(value, right[index]));
  if (!isObject(left) || !isObject(right)) return left === right;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && sameJson(left[key], right[key]));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// A key called __proto__ is a key like any other.
function define(target: JsonObject, key: string, value: JsonObject[string]): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
