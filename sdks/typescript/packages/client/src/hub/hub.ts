import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { fromMessage } from "../documents/mapping.js";
import type { Document, JsonObject } from "../documents/document.js";
import { VibeError } from "../errors.js";
import { newId } from "../documents/uuid.js";
import { DocumentsService } from "../generated/vibe/documents/v1/documents_service_pb.js";
import { RealtimeService } from "../generated/vibe/realtime/v1/realtime_service_pb.js";
import { LiveConnection, defaultTimes } from "../live/connection.js";
import { LiveQueries } from "../live/live-queries.js";
import { Outbox } from "../outbox/outbox.js";
import type { QueuedWrite } from "../outbox/write.js";
import { Cache } from "../store/cache.js";
import type { Store } from "../store/store.js";
import { createTransport } from "../transport.js";
import type { Consistency, GivenToken, TokenRequest } from "../transport.js";
import type { ConnectionState, HubConfig, ToHub } from "./protocol.js";
import { sendWrites } from "./sender.js";
import { subjectOf } from "./subject.js";
import type { TabPort } from "./tabs.js";
import { Tabs } from "./tabs.js";

const unusedDays = 30;

/**
 * What all tabs of an app share: the one stream, the cache, and the writes on their way. It runs in a shared worker, in
 * the tab that leads, or beside the client in one process.
 */
export class Hub {
  private readonly id = newId();
  private readonly tabs = new Tabs();
  private readonly stop = new AbortController();
  private readonly consistency: Consistency = { token: "" };
  private readonly documents: Client<typeof DocumentsService>;
  private readonly cache: Cache;
  private readonly outbox: Outbox;
  private readonly live: LiveQueries;
  private readonly connection: LiveConnection;
  private readonly started: Promise<void>;
  private user: string | undefined;
  // The user's session has ended: what follows is for a visitor's eyes, what waits to be sent is still the user's.
  private ended = false;
  private status: ConnectionState["status"] = "connecting";
  private error: VibeError | undefined;
  private streaming = false;

  constructor(private readonly config: HubConfig, store: Store, fetch?: typeof globalThis.fetch) {
    const transport = createTransport({
      url: config.url, consistency: this.consistency, attempts: 1, token: (request) => this.token(request), ...(fetch ? { fetch } : {}),
    });
    const times = { silence: config.silenceMs ?? defaultTimes.silence, longestPause: config.longestPauseMs ?? defaultTimes.longestPause };
    this.documents = createClient(DocumentsService, transport);
    this.cache = new Cache(store, () => this.tellConnection(), () => this.live.keys, () => [...this.live.records(), ...this.outbox.records(), { table: "meta", key: "user", value: this.user }]);
    this.outbox = new Outbox(this.cache, {
      send: (writes) => sendWrites(this.documents, writes, this.stop.signal),
      fetch: (id) => this.fetch(id),
      merge: async (collection, base, mine, theirs) => await this.tabs.ask({ kind: "merge", collection, base, mine, theirs }) as JsonObject,
      user: () => this.user ?? "",
      changed: (collections) => {
        this.live.collectionsChanged(collections);
        this.tellConnection();
      },
      acknowledged: (write, outcome) => this.acknowledged(write, outcome),
      rejected: (write, error) => this.rejected(write, error),
      offline: (error) => this.unsent(error),
      // Once the session is known to have ended, what cannot be sent does not concern what a visitor reads.
      signedOut: (error) => this.ended ? this.tellConnection() : this.signedOut(error),
    }, times.longestPause);
    this.live = new LiveQueries(this.cache, {
      targetsChanged: (ids) => this.connection.update(ids),
      user: () => this.user ?? "",
      status: () => this.status,
      overlays: (collection) => this.outbox.overlays(collection),
      isTouched: (id) => this.outbox.touches(id),
      pendingWrites: (collection) => this.outbox.count(collection),
      send: (tab, message) => (tab as TabPort).send(message),
    });
    this.connection = new LiveConnection(createClient(RealtimeService, transport), {
      targets: () => this.live.targets(),
      ready: (target, cursor) => this.live.ready(target, cursor),
      changes: (changes) => this.live.changes(changes),
      checkpoint: (cursor) => this.live.checkpoint(cursor),
      targetError: (error) => this.live.targetError(error),
      online: () => {
        this.streaming = true;
        this.setStatus("online");
        this.outbox.wake();
      },
      offline: (error) => {
        this.streaming = false;
        this.live.suspend();
        this.setStatus(error ? "offline" : this.live.targets().length > 0 ? "connecting" : "idle", error);
      },
      signedOut: (error) => this.signedOut(error),
      refreshToken: () => this.token({ refresh: true }),
    }, times);
    this.started = this.start();
  }

  /** Connects a tab. */
  attach(tab: TabPort): void {
    tab.receive = (message) => {
      // The start itself asks for a token.
      if (message.type === "answer") this.tabs.answer(tab, message);
      else void this.started.then(() => this.receive(tab, message));
    };
    this.tabs.add(tab);
    tab.send({ type: "welcome", hub: this.id });
  }

  /** The tab has gone. */
  detach(tab: TabPort): void {
    this.tabs.remove(tab);
    void this.started.then(() => this.live.close(tab));
  }

  /** Ends all work; what is queued stays for the next hub. */
  close(): void {
    this.stop.abort();
    this.outbox.stop();
    this.connection.stop();
    this.cache.close();
  }

  private async start(): Promise<void> {
    const [user] = (await this.cache.readAll("meta")).filter(([key]) => key === "user");
    this.user = user?.[1] as string | undefined;
    // Whose cache it is must be known before anything is shown. Without an answer it is whose it was.
    await this.token({ refresh: false }).catch(() => undefined);
    if (this.ended) await this.cache.forgetDocuments();
    await this.outbox.load();
    this.status = "idle";
    void this.cache.compactDaily(unusedDays);
  }

  private async receive(tab: TabPort, message: Exclude<ToHub, { type: "answer" }>): Promise<void> {
    switch (message.type) {
      case "hello":
        tab.send({ type: "connection", state: this.connectionState() });
        break;
      case "open":
        if (this.status === "idle") this.setStatus("connecting");
        await this.live.open(tab, message.query, message.spec);
        break;
      case "close":
        this.live.close(tab, message.query);
        break;
      case "write":
        await this.write(tab, message);
        break;
      case "cancel":
        if (this.outbox.cancel(message.write)) this.finish([message.write], undefined, new VibeError({ code: "CANCELLED", message: "the write was taken back" }));
        break;
      case "session":
        await this.sessionChanged(message.purge);
        tab.send({ type: "session", done: message.done });
        break;
      case "wake":
        this.connection.wake();
        this.outbox.wake();
        void this.cache.retry();
        break;
      case "bye":
        this.detach(tab);
        break;
    }
  }

  private async write(tab: TabPort, { write, operations, seen, user }: ToHub & { type: "write" }): Promise<void> {
    const finished = this.outbox.finished(write);
    if (finished) return tab.send({ type: "written", write, ...finished });
    // A page that has just signed in may write before the hub hears of it; what it would queue for the user before would go with them.
    if (this.isOther(user)) await this.token({ refresh: false }).catch(() => undefined);
    if (this.isOther(user)) return tab.send({ type: "written", write, error: sessionEnded().toJSON() });
    const [only] = operations;
    const policy = operations.length === 1 ? this.config.policies[only!.collection] ?? "lastWriterPerField" : "lastWriterPerField";
    await this.outbox.add(write, operations, policy, new Date().toISOString().replace("Z", "000Z"), seen);
    tab.send({ type: "queued", write });
  }

  private isOther(user: string | undefined): boolean {
    return user !== undefined && this.user !== undefined && user !== this.user;
  }

  private acknowledged(write: QueuedWrite, outcome: readonly (Document | undefined)[]): void {
    outcome.forEach((document, index) => {
      const { id, collection } = write.operations[index]!;
      this.live.applied(document, document?.id ?? id, collection);
    });
    this.live.collectionsChanged(write.operations.map(({ collection }) => collection));
    if (this.live.targets().length === 0) this.setStatus("idle");
    this.tabs.sendAll({ type: "consistency", token: this.consistency.token });
    this.finish(write.requestIds, outcome);
    this.tellConnection();
  }

  // A write found no way to the server: a stream that still seems alive has to prove it.
  private unsent(error: VibeError): void {
    if (!this.streaming) this.setStatus("offline", error);
    else if (error.reason === "UNREACHABLE") this.connection.wake({ reopen: true });
  }

  private rejected(write: QueuedWrite, error: VibeError): void {
    this.tabs.sendAll({ type: "rejected", operations: write.operations, error: error.toJSON() });
    this.finish(write.requestIds, undefined, error);
    this.tellConnection();
  }

  // Every tab: the one that wrote may have been another before a reload.
  private finish(writes: readonly string[], documents?: readonly (Document | undefined)[], error?: VibeError): void {
    for (const write of writes) {
      this.tabs.sendAll({ type: "written", write, ...(documents ? { documents } : {}), ...(error ? { error: error.toJSON() } : {}) });
    }
  }

  private async fetch(id: string): Promise<Document | undefined> {
    try {
      const { document } = await this.documents.getDocument({ id }, { signal: this.stop.signal });
      return document && fromMessage(document);
    } catch (error) {
      if (VibeError.from(error).code === "NOT_FOUND") return undefined;
      throw error;
    }
  }

  // The token of the next call; whose it is decides whose cache this is.
  private async token(request: TokenRequest): Promise<GivenToken> {
    const token = await this.tabs.ask({ kind: "token", ...request }).catch((cause: unknown) => {
      const error = VibeError.from(cause);
      // Else the token's source could not be reached.
      if (error.code !== "UNAUTHENTICATED") throw new ConnectError(error.message, Code.Unavailable);
      if (!request.reads) this.ended = true;
      throw error;
    }) as GivenToken;
    if (typeof token === "object" && "visitor" in token) {
      // Nothing of the user's may be left on the screen when the visitor comes.
      if (!this.ended) throw new VibeError({ code: "UNAUTHENTICATED", reason: "TOKEN_REVOKED", message: "the session has ended" });
      return token;
    }
    this.ended = false;
    const user = subjectOf(token);
    if (user !== this.user) await this.switchUser(user);
    return token;
  }

  private async switchUser(user: string): Promise<void> {
    const before = this.user;
    this.user = user;
    if (before !== undefined) await this.purge();
    this.cache.persist("meta", "user", user);
  }

  private async purge(): Promise<void> {
    this.consistency.token = "";
    this.outbox.clear(sessionEnded());
    this.live.reset();
    await this.cache.clear();
    this.cache.persist("meta", "user", this.user);
    await this.cache.flush();
  }

  private async sessionChanged(purge: boolean): Promise<void> {
    if (purge) await this.purge();
    const before = this.ended;
    await this.token({ refresh: false }).catch(() => undefined);
    if (this.ended) await this.cache.forgetDocuments();
    if (this.ended || before) this.live.reset();
    else this.live.resume();
    this.setStatus(this.live.targets().length > 0 ? "connecting" : "idle");
    this.connection.wake({ reopen: true });
    this.outbox.wake();
  }

  // What others let this user see goes; what the user wrote waits for the user to come back.
  private signedOut(error: VibeError): void {
    this.setStatus("signedOut", error);
    this.live.lose(error);
  }

  private setStatus(status: ConnectionState["status"], error?: VibeError): void {
    if (this.status === status && this.error?.reason === error?.reason) return;
    this.status = status;
    this.error = error;
    this.live.statusChanged();
    this.tellConnection();
  }

  private tellConnection(): void {
    this.tabs.sendAll({ type: "connection", state: this.connectionState() });
  }

  private connectionState(): ConnectionState {
    return {
      status: this.status,
      ...(this.error ? { error: this.error.toJSON() } : {}),
      pendingWrites: this.outbox.count(),
      storage: this.cache.storage,
    };
  }
}

function sessionEnded(): VibeError {
  return new VibeError({ code: "CANCELLED", reason: "SESSION_ENDED", message: "the session ended before the write was sent" });
}
