import { orderText, whereText } from "../filter/builder.js";
import { comparisonText } from "../filter/syntax.js";
import type { DocumentScope } from "../generated/vibe/documents/v1/query_pb.js";
import type { QuerySpec } from "../hub/protocol.js";
import type { Query } from "./collection.js";

// By number: the contract's descriptors are loaded when a call is made.
const scopes = { unset: 0, own: 1, shared: 2, public: 3, all: 4 } as const satisfies Record<string, DocumentScope>;

/** Equal for queries that say the same, also where their conditions are functions. */
export function queryKey<T extends object>(collection: string, query: Query<T>): string {
  return JSON.stringify(specOf(collection, query));
}

/** A query as text. */
export function specOf<T extends object>(collection: string, query: Query<T>): QuerySpec {
  const where = whereText(query.where);
  const one = query.id === undefined ? "" : comparisonText("id", "=", [query.id]);
  return {
    collection,
    scope: query.global || one && !query.scope ? scopes.all : scopes[query.scope ?? "unset"],
    where: one && where ? `${one} and (${where})` : one || where,
    orderBy: orderText(query.orderBy),
    limit: query.limit ?? 0,
  };
}
