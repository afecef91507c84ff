import type { Document } from "../documents/document.js";
import type { OrderKey } from "./parse.js";
import type { Field, Filter, Operator, Scalar } from "./syntax.js";
import { limits } from "./syntax.js";

/** The part of a document that conditions and orders look at. */
export type Candidate = Pick<Document<object>, "id" | "collection" | "owner" | "app" | "key" | "data" | "createTime" | "updateTime" | "revision">;

/** Whether the document fulfils the condition: the meaning the server gives it. */
export function matches(filter: Filter, document: Candidate): boolean {
  switch (filter.kind) {
    case "and": return filter.parts.every((part) => matches(part, document));
    case "or": return filter.parts.some((part) => matches(part, document));
    case "not": return !matches(filter.part, document);
    case "compare": return compares(filter.field, filter.op, filter.values, document);
  }
}

/** Compares two documents for sorting: by the keys, then by creation time, unless it or the id is a key, then by id. */
export function comparator(keys: readonly OrderKey[]): (left: Candidate, right: Candidate) => number {
  const given = keys.length > 0 ? keys : [{ field: createTime, descending: true }];
  const { descending } = given[given.length - 1]!;
  const all = [
    ...given,
    ...(given.some(({ field }) => field.core === "create_time" || field.core === "id") ? [] : [{ field: createTime, descending }]),
    { field: id, descending },
  ];
  return (left, right) => {
    for (const { field, descending } of all) {
      const order = compareValues(valueOf(field, left), valueOf(field, right));
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  };
}

const createTime: Field = { core: "create_time", keys: [], text: "create_time" };
const id: Field = { core: "id", keys: [], text: "id" };

// Undefined when the field is absent. A core field that is not set is absent.
function valueOf(field: Field, document: Candidate): unknown {
  switch (field.core) {
    case undefined: return field.keys.reduce<unknown>((value, key) =>
      typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined, document.data);
    case "create_time": return document.createTime;
    case "update_time": return document.updateTime;
    case "revision": return document.revision;
    default: return document[field.core] || undefined;
  }
}

function compares(field: Field, op: Operator, values: readonly Scalar[], document: Candidate): boolean {
  const value = valueOf(field, document);
  const isTime = field.core === "create_time" || field.core === "update_time";
  const operand = values[0];
  switch (op) {
    case "exists": return value !== undefined;
    case "=":
    case "in": return values.some((item) => item === value);
    case "contains": return Array.isArray(value) && value.some((item) => item === operand);
    case "starts_with": return !isTime && typeof value === "string" && value.startsWith(operand as string);
    case "match": return !isTime && typeof value === "string" && hasWords(value, operand as string);
    default: {
      if (typeof value !== typeof operand || value === null || typeof value === "object" || value === undefined) return false;
      const order = compareScalars(value as Exclude<Scalar, null>, operand as Exclude<Scalar, null>);
      return op === "<" ? order < 0 : op === "<=" ? order <= 0 : op === ">" ? order > 0 : order >= 0;
    }
  }
}

function hasWords(text: string, wanted: string): boolean {
  const words = new Set(wordsOf(text));
  return wordsOf(wanted).every((word) => words.has(word));
}

// ASCII letters match in either case; other letters as they are.
function wordsOf(text: string): string[] {
  return (text.match(/[A-Za-z0-9\u0080-\uffff]+/g) ?? []).map((word) => word.replace(/[A-Z]/g, (letter) => letter.toLowerCase()));
}

// The ranks of an order: absent and others, false, true, numbers, strings.
function rankOf(value: unknown): number {
  return value === false ? 1 : value === true ? 2 : typeof value === "number" ? 3 : typeof value === "string" ? 4 : 0;
}

function compareValues(left: unknown, right: unknown): number {
  const rank = rankOf(left);
  const order = rank - rankOf(right);
  if (order !== 0 || rank < 3) return order;
  return rank === 3 ? (left as number) - (right as number) : compareText(head(left as string), head(right as string));
}

function compareScalars(left: Exclude<Scalar, null>, right: Exclude<Scalar, null>): number {
  return typeof left === "string" ? compareText(left, right as string) : Number(left) - Number(right);
}

function head(text: string): string {
  return text.length <= limits.orderedCodePoints ? text : Array.from(text).slice(0, limits.orderedCodePoints).join("");
}

// By code point, as UTF-8 bytes order; JavaScript orders by UTF-16 units.
function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a !== b) return weight(a) - weight(b);
  }
  return left.length - right.length;
}

function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
