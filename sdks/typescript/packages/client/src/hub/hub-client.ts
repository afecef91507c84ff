import type { Document } from "../documents/document.js";
import { VibeError } from "../errors.js";
import type { WriteOperation } from "../outbox/write.js";
import type { ConnectionState, HubConfig, Port, QuerySpec, Question, ToHub, ToTab } from "./protocol.js";

/** The tab's end of a line to the hub. */
export type HubPort = Port<ToTab, ToHub>;

/** A state of a live query as the hub tells it, with all its documents. */
export type QueryState = Omit<ToTab & { type: "state" }, "type" | "query" | "order" | "documents"> & { readonly documents: readonly Document[] };

/** What a tab does for the hub, and hears of it. */
export interface TabEvents {
  answer(question: Question): Promise<unknown>;
  connection(state: ConnectionState): void;
  rejected(operations: readonly WriteOperation[], error: VibeError): void;
  consistency(token: string): void;
}

interface OpenQuery {
  readonly spec: QuerySpec;
  readonly onState: (state: QueryState) => void;
  readonly documents: Map<string, Document>;
}

interface OpenWrite {
  readonly message: ToHub & { readonly type: "write" };
  readonly queued: () => void;
  readonly resolve: (documents: readonly (Document | undefined)[]) => void;
  readonly reject: (error: VibeError) => void;
}

/** A tab's side of the hub: what it watches and waits for outlives any single hub. */
export class HubClient {
  private readonly queries = new Map<number, OpenQuery>();
  private readonly writes = new Map<string, OpenWrite>();
  private readonly sessions = new Map<number, () => void>();
  private hub = "";
  private next = 1;

  constructor(private readonly port: HubPort, private readonly config: HubConfig, private readonly events: TabEvents) {
    port.receive = (message) => this.receive(message);
  }

  /** Watches a query until the returned function is called. */
  open(spec: QuerySpec, onState: (state: QueryState) => void): () => void {
    const query = this.next++;
    this.queries.set(query, { spec, onState, documents: new Map() });
    this.send({ type: "open", query, spec });
    return () => {
      if (this.queries.delete(query)) this.send({ type: "close", query });
    };
  }

  /** Hands a write over; `user` is the DID of who writes, where the tab knows it. */
  write(write: string, operations: readonly WriteOperation[], user?: string): { readonly queued: Promise<void>; readonly done: Promise<readonly (Document | undefined)[]> } {
    let queued = (): void => {};
    const seen = this.seen(operations);
    const message = { type: "write", write, operations, ...(seen ? { seen } : {}), ...(user === undefined ? {} : { user }) } as const;
    const done = new Promise<readonly (Document | undefined)[]>((resolve, reject) => {
      this.writes.set(write, { message, queued: () => queued(), resolve, reject });
    });
    const kept = new Promise<void>((resolve, reject) => {
      queued = resolve;
      done.then(() => resolve(), reject);
    });
    this.send(message);
    return { queued: kept, done };
  }

  /** Takes a write back, if it was not sent yet. */
  cancel(write: string): void {
    this.send({ type: "cancel", write });
  }

  /** The session is another one; with `purge`, nothing of the old one stays. */
  sessionChanged(purge: boolean): Promise<void> {
    const done = this.next++;
    return new Promise((resolve) => {
      this.sessions.set(done, resolve);
      this.send({ type: "session", purge, done });
    });
  }

  /** The network may be back. */
  wake(): void {
    this.send({ type: "wake" });
  }

  close(): void {
    this.send({ type: "bye" });
    this.port.close();
    const error = new VibeError({ code: "CANCELLED", reason: "CLOSED", message: "the client was closed" });
    this.queries.clear();
    this.writes.forEach(({ reject }) => reject(error));
    this.writes.clear();
  }

  // What was shown of the document that a write concerns, where a conflict policy asks for it.
  private seen([operation, ...more]: readonly WriteOperation[]): Document | undefined {
    if (!operation?.id || more.length > 0 || (this.config.policies[operation.collection] ?? "lastWriterPerField") === "lastWriterPerField") return undefined;
    for (const { documents } of this.queries.values()) {
      const document = documents.get(operation.id);
      if (document) return document;
    }
    return undefined;
  }

  // Before the hub's welcome nothing is sent: the welcome brings it all.
  private send(message: ToHub): void {
    if (this.hub) this.port.send(message);
  }

  private receive(message: ToTab): void {
    switch (message.type) {
      case "welcome":
        if (this.hub !== message.hub) this.introduce(message.hub);
        break;
      case "state":
        this.take(message);
        break;
      case "queued":
        this.writes.get(message.write)?.queued();
        break;
      case "written": {
        const write = this.writes.get(message.write);
        this.writes.delete(message.write);
        if (message.error) write?.reject(new VibeError(message.error));
        else write?.resolve(message.documents ?? []);
        break;
      }
      case "rejected":
        this.events.rejected(message.operations, new VibeError(message.error));
        break;
      case "ask":
        this.events.answer(message.question).then(
          (value) => this.send({ type: "answer", ask: message.ask, value }),
          (error: unknown) => this.send({ type: "answer", ask: message.ask, error: VibeError.from(error).toJSON() }),
        );
        break;
      case "connection":
        this.events.connection(message.state);
        break;
      case "consistency":
        this.events.consistency(message.token);
        break;
      case "session":
        this.sessions.get(message.done)?.();
        this.sessions.delete(message.done);
        break;
    }
  }

  // A hub that knows nothing of this tab: the first, or one that took over.
  private introduce(hub: string): void {
    this.hub = hub;
    this.send({ type: "hello", config: this.config });
    for (const [query, { spec, documents }] of this.queries) {
      documents.clear();
      this.send({ type: "open", query, spec });
    }
    // The request id tells what the hub before has kept or sent.
    for (const { message } of this.writes.values()) this.send(message);
    for (const done of this.sessions.keys()) this.send({ type: "session", purge: false, done });
  }

  private take({ query, order, documents: changed, type: _, ...state }: ToTab & { type: "state" }): void {
    const open = this.queries.get(query);
    if (!open) return;
    const before = open.documents;
    const fresh = new Map(changed.map((document) => [document.id, document]));
    // Documents that did not change stay the same objects.
    const documents = order.flatMap((id) => fresh.get(id) ?? before.get(id) ?? []);
    before.clear();
    documents.forEach((document) => before.set(document.id, document));
    open.onState({ ...state, documents });
  }
}
