import type { Document } from "../documents/document.js";
import type { ErrorFields } from "../errors.js";
import { comparator, matches } from "../filter/evaluate.js";
import { parseFilter, parseOrder } from "../filter/parse.js";
import type { Filter } from "../filter/syntax.js";
import { filterText } from "../filter/syntax.js";
import { DocumentScope } from "../generated/vibe/documents/v1/query_pb.js";
import type { QuerySpec } from "../hub/protocol.js";
import type { TargetInit } from "./connection.js";

/** Who watches a query, and what they were sent last. */
export interface Watcher {
  readonly tab: object;
  readonly query: number;
  readonly sent: Map<string, Document>;
}

/** The documents that writes on their way touch, as they will be. */
export type Touched = ReadonlyMap<string, Document | undefined>;

/** One live query, whoever watches it: what the server says is part of it, and where it stands. */
export class LiveQuery {
  /** Equal for queries that mean the same. */
  readonly key: string;
  readonly watchers: Set<Watcher> = new Set();
  /** Whether there is something to show: the kept result was looked for. */
  loaded = false;
  /** The ids the server has told of. */
  members: Set<string> = new Set();
  /** The ids told since a start from nothing, until it is complete. */
  fresh: Set<string> | undefined;
  /** Whether `members` was complete once. */
  known = false;
  /** Whether the server tells every later commit. */
  ready = false;
  cursor = "";
  error: ErrorFields | undefined;
  /** When the result was kept last, and whether it changed since. */
  keptAt = 0;
  changed = false;
  private readonly filter: Filter;
  private readonly compare: (left: Document, right: Document) => number;

  /** Throws a VibeError INVALID_ARGUMENT when filter or order are none. */
  constructor(readonly target: number, readonly spec: QuerySpec) {
    this.filter = parseFilter(spec.where);
    const order = parseOrder(spec.orderBy);
    this.compare = comparator(order);
    this.key = JSON.stringify([spec.collection, spec.scope, filterText(this.filter), order.map(({ field, descending }) => [field.text, descending]), spec.limit]);
  }

  /** What to ask the server for. */
  targetInit(): TargetInit {
    const { collection, scope, where, orderBy, limit } = this.spec;
    return { id: this.target, collection, scope, filter: where, ...(limit ? { orderBy, limit } : { cursor: this.cursor, initial: !this.cursor }) };
  }

  /** The stream has ended: what comes next starts at the cursor, or from nothing. */
  suspend(): void {
    this.ready = false;
    this.fresh = this.cursor && !this.spec.limit ? undefined : new Set();
  }

  /** Starts from nothing. */
  restart(): void {
    this.cursor = "";
    this.suspend();
  }

  /** Forgets what it held. */
  reset(): void {
    this.members.clear();
    this.known = false;
    this.error = undefined;
    this.restart();
  }

  /** The server says that the document is part of the result. */
  add(id: string): void {
    (this.fresh ?? this.members).add(id);
    this.changed = true;
  }

  /** The server says that the document is not, or no longer. */
  remove(id: string): void {
    this.members.delete(id);
    this.fresh?.delete(id);
    this.changed = true;
  }

  /** The result is complete; returns the ids that are no longer part of it. */
  complete(cursor: string): string[] {
    const lost = this.fresh ? [...this.members].filter((id) => !this.fresh!.has(id)) : [];
    if (this.fresh) this.members = this.fresh;
    this.fresh = undefined;
    this.known = this.ready = this.changed = true;
    this.cursor = this.spec.limit ? "" : cursor;
    return lost;
  }

  /** Takes in what a write of this client made, before the server tells of it. */
  apply(document: Document, user: string, documentOf: (id: string) => Document | undefined): void {
    if (!this.holds(document, user)) return this.remove(document.id);
    this.members.add(document.id);
    this.fresh?.add(document.id);
    this.changed = true;
    if (!this.spec.limit) return;
    // A window tells only of what is in it: what falls out must not come back by itself.
    const sorted = [...this.members].flatMap((id) => documentOf(id) ?? []).sort(this.compare);
    for (const { id } of sorted.slice(this.spec.limit)) this.members.delete(id);
  }

  /** The result as the caller is to see it, writes on their way included. */
  view(touched: Touched, user: string, documentOf: (id: string) => Document | undefined): Document[] {
    const documents: Document[] = [];
    for (const id of this.members) {
      const document = touched.has(id) ? undefined : documentOf(id);
      if (document) documents.push(document);
    }
    for (const document of touched.values()) {
      if (document && this.holds(document, user)) documents.push(document);
    }
    documents.sort(this.compare);
    return this.spec.limit ? documents.slice(0, this.spec.limit) : documents;
  }

  private holds(document: Document, user: string): boolean {
    return document.collection === this.spec.collection && (this.members.has(document.id) || this.inScope(document, user)) && matches(this.filter, document);
  }

  // Exact for the caller's own documents; others' are part of it when the server says so.
  private inScope(document: Document, user: string): boolean {
    const own = document.owner === user && user !== "";
    switch (this.spec.scope) {
      case DocumentScope.SHARED: return false;
      case DocumentScope.PUBLIC: return own && (document.acl?.read?.allow?.includes("*") ?? false);
      case DocumentScope.ALL: return true;
      default: return own;
    }
  }
}
