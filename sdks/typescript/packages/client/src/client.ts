import type { Transport } from "@connectrpc/connect";
import { Auth } from "./auth/auth.js";
import type { SessionState, SignInOptions } from "./auth/state.js";
import { Channels } from "./channels/channels.js";
import { Contract } from "./contract/contract.js";
import type { AppsClient, AuthClient, DocumentsClient, RealtimeClient } from "./contract/contract.js";
import type { Batch, ChangeOptions, Collection, CollectionName, CreateOptions, KeyOptions, Live, Page, PageQuery, Patch, Query, SearchQuery, Write } from "./documents/collection.js";
import type { Document, JsonObject } from "./documents/document.js";
import { specOf } from "./documents/spec.js";
import { VibeError } from "./errors.js";
import type { HubClient } from "./hub/hub-client.js";
import { openHub } from "./hub/open.js";
import type { ConnectionState } from "./hub/protocol.js";
import { Subscription } from "./live/subscription.js";
import type { SubscribeOptions } from "./live/subscription.js";
import type { ClientOptions, RejectedWrite } from "./options.js";
import { Writer } from "./outbox/writer.js";
import type { CallOptions } from "./timing.js";
import type { Consistency, TokenSource } from "./transport.js";

const noSession: SessionState = { status: "signedOut", scopes: [] };

/** Makes a client. It connects when it is first used. */
export function createClient<C extends object = Record<string, JsonObject>>(options: ClientOptions<C>): VibeClient<C> {
  return new VibeClient<C>(options);
}

/** A client of Vibe: documents, live and offline, and channels. */
export class VibeClient<C extends object = Record<string, JsonObject>> {
  /** Places to meet for what nobody needs to keep: presence, typing, messages. */
  readonly channels: Channels;
  /** The documents API as the contract has it. */
  readonly documents: DocumentsClient;
  /** The realtime API as the contract has it. */
  readonly realtime: RealtimeClient;
  /** The apps API as the contract has it. */
  readonly apps: AppsClient;
  /** The APIs of tokens, of the caller's account and of certificates, as the contract has them. */
  readonly auth: AuthClient;
  /** This client's connection, for services of one's own: `createClient(Service, vibe.transport)` of `@connectrpc/connect`. */
  readonly transport: Transport;
  private readonly consistency: Consistency = { token: "" };
  private readonly token: TokenSource;
  private readonly signing: Auth | undefined;
  private readonly writer: Writer;
  private readonly connectionListeners = new Set<(state: ConnectionState) => void>();
  private readonly rejectionListeners = new Set<(write: RejectedWrite) => void>();
  private readonly closed = new AbortController();
  private state: ConnectionState = { status: "idle", pendingWrites: 0, storage: "memory" };
  private resumed = false;
  private startedHub: HubClient | undefined;

  /** @internal Use `createClient`. */
  constructor(private readonly options: ClientOptions<C>) {
    const { url, app, timeoutMs, fetch } = options;
    if (app?.startsWith("did:") && !options.token) {
      const surroundings = { ...options.auth, url, app, fetch: fetch ?? globalThis.fetch.bind(globalThis) };
      this.signing = new Auth(surroundings, (purge) => this.sessionChanged({ purge }), () => this.channels.rejoin());
    }
    this.token = options.token ?? this.signing?.token ?? (() => undefined);
    const contract = new Contract({
      url, token: this.token, consistency: this.consistency, ...(fetch ? { fetch } : {}), ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    ({ documents: this.documents, realtime: this.realtime, apps: this.apps, auth: this.auth, transport: this.transport } = contract);
    this.channels = new Channels(this.realtime, async () => this.token({ refresh: true }), () => this.listen());
    this.writer = new Writer(() => this.hub, this.token, () => this.session.user?.did);
  }

  /** The server's URL. */
  get url(): string {
    return this.options.url;
  }

  /** Who is signed in. With tokens of the app's own, or without an app, always `signedOut`. */
  get session(): SessionState {
    return this.signing?.state ?? noSession;
  }

  /** Calls back with every new state of the session, whichever tab has changed it, until the returned function is called. */
  onSession(callback: (state: SessionState) => void): () => void {
    return this.signing?.onState(callback) ?? (() => {});
  }

  /**
   * Signs somebody in: with the browser's own dialog, else in a window, else by leaving the page and coming back. Credentials are
   * typed on the server's pages only. Resolves when it is known; `signedOut` when the browser's one tap gave nobody. Rejects with
   * `ACCESS_DENIED` when the person says no, `SIGN_IN_CANCELLED` when they close the dialog or the window, or it is started again.
   */
  async signIn(options: SignInOptions = {}): Promise<SessionState> {
    if (!this.signing) throw new VibeError({ code: "FAILED_PRECONDITION", reason: "NO_APP", message: "signing in needs the app's DID, and no token source" });
    return this.signing.signIn(options);
  }

  /** Signs out of this app on this device: tokens end, what is cached and queued goes, in all tabs. */
  async signOut(): Promise<void> {
    await this.signing?.signOut();
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

  /**
   * The changes of a query one by one, in place of its state: `for await (const { kind, id, document } of vibe.subscribe(…))`. For
   * programs that act on what happens and go on where they were; on a connection of its own, without cache and queued writes.
   */
  subscribe<K extends CollectionName<C>>(collection: K, query: Omit<Query<C[K] & object>, "orderBy" | "limit"> = {}, options: SubscribeOptions = {}): Subscription<C[K] & object> {
    const { longestPauseMs } = this.options;
    return new Subscription(
      this.realtime, specOf(collection, query), { ...options, ...(longestPauseMs === undefined ? {} : { longestPauseMs }) }, async () => this.token({ refresh: true }),
    );
  }

  /** A page of a query as the server has it now, what this client wrote and saw acknowledged included. */
  async readOnce<K extends CollectionName<C>>(collection: K, query: PageQuery<C[K] & object> = {}, options: CallOptions = {}): Promise<Page<C[K] & object>> {
    const { readPage } = await import("./contract/direct.js");
    return readPage(this.documents, collection, query, options);
  }

  /** A page of the documents whose text matches, best first. `"a phrase"`, `or` and `-not` as in web search engines. */
  async search<K extends CollectionName<C>>(collection: K, words: string, query: SearchQuery<C[K] & object> = {}, options: CallOptions = {}): Promise<Page<C[K] & object>> {
    const { searchPage } = await import("./contract/direct.js");
    return searchPage(this.documents, collection, words, query, options);
  }

  /** One document with the documents its edges lead to, in `related`. Paths as in `PageQuery.expand`. */
  async expand<T extends object = JsonObject>(id: string, paths: readonly string[], options: CallOptions = {}): Promise<Document<T>> {
    const { readDocument } = await import("./contract/direct.js");
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
    return this.writer.write(collection, data, options);
  }

  /** Deletes a document. Live queries drop it at once; sent like a write. Rejects when somebody else's `etag` is newer. */
  remove(collection: CollectionName<C>, id: string, options: { readonly etag?: string } & CallOptions = {}): Write<void> {
    return this.writer.remove(collection, id, options);
  }

  /** Writes that happen together or not at all, at most 500: `vibe.batch((b) => { b.write(…); b.remove(…); })`. */
  batch(fill: (batch: Batch<C>) => void, options: CallOptions = {}): Promise<readonly (Document | undefined)[]> & { readonly queued: Promise<void> } {
    return this.writer.batch(fill, options);
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
    this.channels.close();
    this.startedHub?.close();
    this.signing?.close();
  }

  private get hub(): HubClient {
    this.listen();
    return this.startedHub ??= this.startHub();
  }

  private startHub(): HubClient {
    if (this.closed.signal.aborted) throw new VibeError({ code: "CANCELLED", reason: "CLOSED", message: "the client was closed" });
    return openHub(this.options, this.token, {
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

  // Another tab may have signed in since; else one reads as a visitor. Once: a server that refuses every token is not asked forever.
  private async resume(): Promise<void> {
    await this.signing?.check();
    if (!this.signing || this.resumed) return;
    this.resumed = true;
    await this.sessionChanged();
  }

  private readonly wake = (): void => {
    if (typeof document === "object" && document.visibilityState === "hidden") return;
    this.startedHub?.wake();
    this.channels.wake();
  };

  private listen(): void {
    if (typeof document !== "object") return;
    const { signal } = this.closed;
    // Adding the same listener again changes nothing.
    addEventListener("online", this.wake, { signal });
    document.addEventListener("visibilitychange", this.wake, { signal });
  }
}
