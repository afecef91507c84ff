import type { Client, Transport } from "@connectrpc/connect";
import { Auth } from "./auth/auth.js";
import type { AuthOptions, SessionState, SignInOptions } from "./auth/state.js";
import { Channel } from "./channels/channel.js";
import type { ChannelCallbacks } from "./channels/channel.js";
import type { Batch, ChangeOptions, Collection, CollectionName, Collections, CreateOptions, KeyOptions, Live, Page, PageQuery, Patch, Query, SearchQuery, Write } from "./documents/collection.js";
import type { Document, JsonObject } from "./documents/document.js";
import { specOf } from "./documents/spec.js";
import type { Direct } from "./direct.js";
import { idOfKey, newId } from "./documents/uuid.js";
import { VibeError, invalidArgument } from "./errors.js";
import type { DocumentsService } from "./generated/vibe/documents/v1/documents_service_pb.js";
import type { RealtimeService } from "./generated/vibe/realtime/v1/realtime_service_pb.js";
import { HubClient } from "./hub/hub-client.js";
import type { HubPort } from "./hub/hub-client.js";
import type { ConnectionState, HubConfig, Question } from "./hub/protocol.js";
import { canShare, connectShared } from "./hub/shared.js";
import { subjectOf } from "./hub/subject.js";
import { lazyClient, lazyTransport } from "./lazy.js";
import type { ConflictPolicy, WriteOperation } from "./outbox/write.js";
import type { Store } from "./store/store.js";
import type { Consistency, TokenSource } from "./transport.js";
import type { CallOptions } from "./timing.js";

/** Makes one body of three: what both built on, what was written here, what is stored now. */
export type Merge<T extends object> = (base: T, mine: T, theirs: T) => T;

/** What an app says of one of its collections. */
export interface CollectionOptions<T extends object> {
  /**
   * What happens to a write when others changed the document in between. Default `lastWriterPerField`; a function merges.
   */
  readonly conflict?: Exclude<ConflictPolicy, "merge"> | Merge<T>;
}

/** How to make a client. */
export interface ClientOptions<C extends object = Collections> {
  /** The server's URL, for example `http://vibe.localhost:5080`. */
  readonly url: string;
  /** The app's DID, which people sign in to. What is cached and the session are kept apart for each app. */
  readonly app?: string;
  /** How people sign in to the app. */
  readonly auth?: AuthOptions;
  /** Gives access tokens, in place of `signIn`. Without it and an app, the caller is a signed-out visitor. */
  readonly token?: TokenSource;
  /** What the app says of its collections. */
  readonly collections?: { readonly [K in CollectionName<C>]?: CollectionOptions<C[K] & object> };
  /**
   * Where the cache and the queued writes are kept. Default in a browser: IndexedDB, shared by all tabs; elsewhere:
   * memory. A store of one's own is not shared with other tabs.
   */
  readonly store?: Store;
  /** Starts the shared worker, where a bundler needs it spelled out; `false`: one of the tabs does its work. */
  readonly worker?: (() => SharedWorker) | false;
  /** In place of the global `fetch`. With it nothing is shared between tabs. */
  readonly fetch?: typeof globalThis.fetch;
  /** The deadline of a call that sets none, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Silence after which the connection counts as lost, in milliseconds. Default 45,000. */
  readonly silenceMs?: number;
  /** The longest pause between two attempts to connect, in milliseconds. Default 30,000. */
  readonly longestPauseMs?: number;
}

/** A write that the server has refused, perhaps made before a reload. */
export interface RejectedWrite {
  readonly operations: readonly WriteOperation[];
  readonly error: VibeError;
}

const noSession: SessionState = { status: "signedOut", scopes: [] };

/** Makes a client. It connects when it is first used. */
export function createClient<C extends object = Record<string, JsonObject>>(options: ClientOptions<C>): VibeClient<C> {
  return new VibeClient<C>(options);
}

/** A client of Vibe: documents, live and offline, and channels. */
export class VibeClient<C extends object = Record<string, JsonObject>> {
  /** The documents API as the contract has it. */
  readonly documents: Client<typeof DocumentsService>;
  /** The realtime API as the contract has it. */
  readonly realtime: Client<typeof RealtimeService>;
  /** Any API of the contract over this client's connection: `createClient(AppsService, vibe.transport)` of `@connectrpc/connect`. */
  readonly transport: Transport;
  private readonly consistency: Consistency = { token: "" };
  private readonly token: TokenSource;
  private readonly auth: Auth | undefined;
  private readonly connectionListeners = new Set<(state: ConnectionState) => void>();
  private readonly rejectionListeners = new Set<(write: RejectedWrite) => void>();
  private readonly openChannels = new Set<Channel<object, object>>();
  private readonly closed = new AbortController();
  private state: ConnectionState = { status: "idle", pendingWrites: 0, storage: "memory" };
  private resumed = false;
  private startedHub: HubClient | undefined;
  private connecting: Promise<Direct> | undefined;

  /** @internal Use `createClient`. */
  constructor(private readonly options: ClientOptions<C>) {
    const { url, app, fetch = globalThis.fetch.bind(globalThis) } = options;
    if (app?.startsWith("did:") && !options.token) this.auth = new Auth({ ...options.auth, url, app, fetch }, (purge) => this.sessionChanged({ purge }), () => this.openChannels.forEach((channel) => channel.rejoin()));
    this.token = options.token ?? this.auth?.token ?? (() => undefined);
    this.transport = lazyTransport(async () => (await this.direct()).transport);
    this.documents = lazyClient<typeof DocumentsService>(async () => (await this.direct()).documents);
    this.realtime = lazyClient<typeof RealtimeService>(async () => (await this.direct()).realtime, "subscribe", "joinChannel");
  }

  /** The server's URL. */
  get url(): string {
    return this.options.url;
  }

  /** Who is signed in. With tokens of the app's own, or without an app, always `signedOut`. */
  get session(): SessionState {
    return this.auth?.state ?? noSession;
  }

  /** Calls back with every new state of the session, whichever tab has changed it, until the returned function is called. */
  onSession(callback: (state: SessionState) => void): () => void {
    return this.auth?.onState(callback) ?? (() => {});
  }

  /**
   * Signs somebody in: with the browser's own dialog, else in a window, else by leaving the page and coming back. Credentials are
   * typed on the server's pages only. Resolves when it is known; `signedOut` when the browser's one tap gave nobody. Rejects with
   * `ACCESS_DENIED` when the person says no, `SIGN_IN_CANCELLED` when they close the dialog or it is started again.
   */
  async signIn(options: SignInOptions = {}): Promise<SessionState> {
    if (!this.auth) throw new VibeError({ code: "FAILED_PRECONDITION", reason: "NO_APP", message: "signing in needs the app's DID, and no token source" });
    return this.auth.signIn(options);
  }

  /** Signs out of this app on this device: tokens end, what is cached and queued goes, in all tabs. */
  async signOut(): Promise<void> {
    await this.auth?.signOut();
  }

  /** The state of the connection, the queue and the store. */
  get connection(): ConnectionState {
    return this.state;
  }

  /** Calls back with every new state of the connection, until the returned function is called. */
  onConnection(callback: (state: ConnectionState) => void): () => void {
    this.connectionListeners.add(callback);
    return () => this.connectionListeners.delete(callback);
  }

  /** Calls back with every write the server refuses, until the returned function is called. What live queries showed of it is gone then. */
  onRejected(callback: (write: RejectedWrite) => void): () => void {
    this.rejectionListeners.add(callback);
    return () => this.rejectionListeners.delete(callback);
  }

  /** A collection by its name, to hand to a part of the app. */
  collection<K extends CollectionName<C>>(name: K): Collection<C[K] & object> {
    type T = C[K] & object;
    return {
      read: (query, callback) => this.read(name, query as Query<T>, callback),
      readOnce: (query, options) => this.readOnce(name, query, options),
      search: (words, query, options) => this.search(name, words, query, options),
      write: (data: object, options?: object) => this.write(name, data as C[K], options as CreateOptions),
      remove: (id, options) => this.remove(name, id, options),
    } as Collection<T>;
  }

  /**
   * Follows a query: calls back with what the cache has, then with what the server says, then with every change, writes
   * of this client at once. Equal queries share one subscription. Ends when the returned function is called.
   */
  read<K extends CollectionName<C>>(collection: K, query: Query<C[K] & object>, callback: (state: Live<C[K] & object>) => void): () => void {
    const spec = specOf(collection, query);
    return this.hub.open(spec, ({ documents, error, ...state }) => callback({
      ...state, data: documents as unknown as Document<C[K] & object>[], ...(error ? { error: new VibeError(error) } : {}),
    }));
  }

  /** A page of a query as the server has it now, what this client wrote and saw acknowledged included. */
  async readOnce<K extends CollectionName<C>>(collection: K, query: PageQuery<C[K] & object> = {}, options: CallOptions = {}): Promise<Page<C[K] & object>> {
    const { readPage } = await import("./direct.js");
    return readPage(this.documents, collection, query, options);
  }

  /** A page of the documents whose text matches, best first. `"a phrase"`, `or` and `-not` as in web search engines. */
  async search<K extends CollectionName<C>>(collection: K, words: string, query: SearchQuery<C[K] & object> = {}, options: CallOptions = {}): Promise<Page<C[K] & object>> {
    const { searchPage } = await import("./direct.js");
    return searchPage(this.documents, collection, words, query, options);
  }

  /** One document with the documents its edges lead to, in `related`. Paths as in `PageQuery.expand`. */
  async expand<T extends object = JsonObject>(id: string, paths: readonly string[], options: CallOptions = {}): Promise<Document<T>> {
    const { readDocument } = await import("./direct.js");
    return readDocument<T>(this.documents, id, paths, options);
  }

  /**
   * Writes a document. Without an id or a key it is a new one; with a `key` it is made or replaced; with an `id` the data
   * is merged into the stored one. Live queries show it at once; it is sent when the server can be reached, also after a
   * reload, and happens once.
   */
  write<K extends CollectionName<C>>(collection: K, data: C[K], options?: (CreateOptions | KeyOptions) & CallOptions): Write<Document<C[K] & object>>;
  write<K extends CollectionName<C>>(collection: K, patch: Patch<C[K]>, options: ChangeOptions & CallOptions): Write<Document<C[K] & object>>;
  write(collection: string, data: object, options: Partial<KeyOptions & ChangeOptions> & CallOptions = {}): Write<Document> {
    return this.start<Document>(operationOf(collection, data, options), options, ([document]) => document!);
  }

  /** Deletes a document. Live queries drop it at once; sent like a write. Rejects when somebody else's `etag` is newer. */
  remove(collection: CollectionName<C>, id: string, options: { readonly etag?: string } & CallOptions = {}): Write<void> {
    return this.start<void>({ kind: "remove", collection, id, ...(options.etag === undefined ? {} : { etag: options.etag }) }, options, () => undefined);
  }

  /** Writes that happen together or not at all, at most 500: `vibe.batch((b) => { b.write(…); b.remove(…); })`. */
  batch(fill: (batch: Batch<C>) => void, options: CallOptions = {}): Promise<readonly (Document | undefined)[]> & { readonly queued: Promise<void> } {
    const operations: WriteOperation[] = [];
    fill({
      write: (collection: string, data: object, options: Partial<ChangeOptions> = {}) => {
        const operation = operationOf(collection, data, options);
        operations.push(operation);
        return operation.id;
      },
      remove: (collection, id, { etag } = {}) => void operations.push({ kind: "remove", collection, id, ...(etag === undefined ? {} : { etag }) }),
    });
    if (operations.length === 0) throw invalidArgument("batch", "has no writes");
    return this.hand(operations, options);
  }

  /** Joins a channel: `document:<id>` for whoever may read the document, `app:<name>` for the users of the app. */
  join<S extends object = JsonObject, M extends object = JsonObject>(channel: string, callbacks: ChannelCallbacks<S, M> = {}): Channel<S, M> {
    const joined = new Channel<S, M>(this.realtime, channel, callbacks, async () => this.token({ refresh: true }));
    const leave = joined.leave.bind(joined);
    this.openChannels.add(joined as unknown as Channel<object, object>);
    joined.leave = () => {
      this.openChannels.delete(joined as unknown as Channel<object, object>);
      leave();
    };
    this.listen();
    return joined;
  }

  /**
   * The session is another one: the next token decides whose. With `purge` the cache and the queued writes of the old one
   * are removed from this device, as at signing out. A token of somebody else does that by itself.
   */
  sessionChanged(options: { readonly purge?: boolean } = {}): Promise<void> {
    this.consistency.token = "";
    return this.hub.sessionChanged(options.purge ?? false);
  }

  /** Ends all live queries and channels. What is queued stays on the device. */
  close(): void {
    this.closed.abort();
    for (const channel of [...this.openChannels]) channel.leave();
    this.startedHub?.close();
    this.auth?.close();
  }

  private direct(): Promise<Direct> {
    const { url, timeoutMs, fetch } = this.options;
    return this.connecting ??= import("./direct.js").then(({ connect }) => connect({
      url, token: this.token, consistency: this.consistency, ...(fetch ? { fetch } : {}), ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }));
  }

  private get hub(): HubClient {
    this.listen();
    return this.startedHub ??= this.startHub();
  }

  private startHub(): HubClient {
    const { options } = this;
    if (this.closed.signal.aborted) throw new VibeError({ code: "CANCELLED", reason: "CLOSED", message: "the client was closed" });
    const collections = Object.entries((options.collections ?? {}) as Record<string, CollectionOptions<object> | undefined>);
    const config: HubConfig = {
      url: options.url,
      app: options.app ?? "",
      policies: Object.fromEntries(collections.map(([name, of]) => [name, typeof of?.conflict === "function" ? "merge" : of?.conflict ?? "lastWriterPerField"])),
      ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
      ...(options.longestPauseMs === undefined ? {} : { longestPauseMs: options.longestPauseMs }),
    };
    return new HubClient(this.portOf(config), config, {
      answer: async (question) => this.answer(question),
      connection: (state) => {
        if (state.status === "online") this.resumed = false;
        if (state.status === "signedOut" && this.state.status !== "signedOut") void this.resume().catch(() => undefined);
        this.state = state;
        this.connectionListeners.forEach((listener) => listener(state));
      },
      rejected: (operations, error) => this.rejectionListeners.forEach((listener) => listener({ operations, error })),
      consistency: (token) => (this.consistency.token = token),
    });
  }

  // Another tab may have signed in since. Once: a server that refuses every token is not asked forever.
  private async resume(): Promise<void> {
    if (!await this.auth?.check() || this.resumed) return;
    this.resumed = true;
    await this.sessionChanged();
  }

  private portOf(config: HubConfig): HubPort {
    const { store, fetch, worker } = this.options;
    if (!store && !fetch && canShare()) {
      const own = typeof SharedWorker === "function" ? () => new SharedWorker(new URL("./hub/worker.js", import.meta.url), { type: "module" }) : undefined;
      return connectShared(config, worker === false ? undefined : worker ?? own);
    }
    return deferred(Promise.all([import("./hub/in-process.js"), import("./store/memory-store.js")])
      .then(([{ startInProcess }, { MemoryStore }]) => startInProcess(config, store ?? new MemoryStore(), fetch)));
  }

  private async answer(question: Question): Promise<unknown> {
    if (question.kind === "token") return await this.token(question);
    const merge = (this.options.collections as Record<string, CollectionOptions<object>> | undefined)?.[question.collection]?.conflict;
    if (typeof merge !== "function") throw new VibeError({ code: "ABORTED", reason: "ETAG_MISMATCH", message: "this version of the app does not merge" });
    return merge(question.base, question.mine, question.theirs);
  }

  private start<T>(operation: WriteOperation, options: CallOptions, result: (documents: readonly (Document | undefined)[]) => T): Write<T> {
    const write = operation.key && !operation.id ? this.withKeyedId(operation, options) : this.hand([operation], options);
    return Object.assign(quiet(write.then(result)), { id: operation.id, queued: write.queued });
  }

  private withKeyedId(operation: WriteOperation, options: CallOptions): ReturnType<VibeClient["hand"]> {
    const identified = (async () => {
      const owner = subjectOf(await this.token({ refresh: false }));
      const id = owner ? await idOfKey(owner, operation.collection, operation.key!) : undefined;
      return { write: this.hand([{ ...operation, id: id ?? "" }], options) };
    })();
    return Object.assign(quiet(identified.then(({ write }) => write)), { queued: quiet(identified.then(({ write }) => write.queued)) });
  }

  private hand(operations: readonly WriteOperation[], { signal, timeoutMs }: CallOptions): Promise<readonly (Document | undefined)[]> & { readonly queued: Promise<void> } {
    const id = newId();
    const { queued, done } = this.hub.write(id, operations);
    const signals = [...(signal ? [signal] : []), ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)])];
    const ended = signals.length === 0 ? done : new Promise<readonly (Document | undefined)[]>((resolve, reject) => {
      const stop = AbortSignal.any(signals);
      const abort = (): void => {
        // What was sent already may happen all the same.
        this.hub.cancel(id);
        reject(VibeError.from(stop.reason));
      };
      if (stop.aborted) abort();
      stop.addEventListener("abort", abort, { once: true });
      done.then(resolve, reject).finally(() => stop.removeEventListener("abort", abort));
    });
    return Object.assign(quiet(ended), { queued: quiet(queued) });
  }

  private readonly wake = (): void => {
    if (typeof document === "object" && document.visibilityState === "hidden") return;
    this.startedHub?.wake();
    this.openChannels.forEach((channel) => channel.wake());
  };

  private listen(): void {
    if (typeof document !== "object") return;
    const { signal } = this.closed;
    // Adding the same listener again changes nothing.
    addEventListener("online", this.wake, { signal });
    document.addEventListener("visibilitychange", this.wake, { signal });
  }
}

function operationOf(collection: string, data: object, options: Partial<KeyOptions & ChangeOptions>): WriteOperation {
  const { id, key, acl, edges, etag } = options;
  if (id !== undefined && key !== undefined) throw invalidArgument("key", "a document is named by its id or by its key");
  return {
    kind: id !== undefined ? "update" : key !== undefined ? "upsert" : "create",
    collection,
    id: id ?? (key === undefined ? newId() : ""),
    data: data as JsonObject,
    ...(key === undefined ? {} : { key }),
    ...(acl ? { acl } : {}),
    ...(edges ? { edges } : {}),
    ...(etag === undefined ? {} : { etag }),
  };
}

// A write that nobody waits for may fail: `onRejected` tells.
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

// A line to a hub whose code is still being loaded.
function deferred(opening: Promise<HubPort>): HubPort {
  let port: HubPort | undefined;
  let closed = false;
  const outer: HubPort = {
    send: (message) => port?.send(message),
    receive: () => {},
    close() {
      closed = true;
      port?.close();
    },
  };
  void opening.then((opened) => {
    port = opened;
    opened.receive = (message) => outer.receive(message);
    if (closed) opened.close();
  });
  return outer;
}
