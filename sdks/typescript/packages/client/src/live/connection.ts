import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { VibeError, endsSession, wantsOtherToken } from "../errors.js";
import { newId } from "../documents/uuid.js";
import type { RealtimeService, SubscribeResponse } from "../generated/vibe/realtime/v1/realtime_service_pb.js";
import type { TargetChange, TargetError, TargetSchema } from "../generated/vibe/realtime/v1/subscription_pb.js";
import { Backoff } from "./backoff.js";
import { follow } from "./follow.js";

/** A target as it is asked for. */
export type TargetInit = MessageInitShape<typeof TargetSchema> & { id: number };

/** What a live connection tells. */
export interface LiveEvents {
  /** The targets to follow, each from where it stands now. Asked for when a stream is opened. */
  targets(): readonly TargetInit[];
  ready(target: number, cursor: string): void;
  /** One transaction. */
  changes(changes: readonly TargetChange[]): void;
  checkpoint(cursor: string): void;
  targetError(error: TargetError): void;
  /** A stream delivers. */
  online(): void;
  /** No stream delivers any more; why, if it failed. */
  offline(error?: VibeError): void;
  /** The token is refused for good: nothing is tried until `wake`. */
  signedOut(error: VibeError): void;
  /** The token has expired: get another one. */
  refreshToken(): Promise<unknown>;
}

/** Times in milliseconds; tests shorten them. */
export interface LiveTimes {
  /** Silence after which a stream is dead. The server speaks at least every 15 seconds. */
  readonly silence: number;
  /** The longest pause between two attempts. */
  readonly longestPause: number;
}

export const defaultTimes: LiveTimes = { silence: 45_000, longestPause: 30_000 };

/** One multiplexed stream, kept alive: opened while there are targets, and again whenever it ends. */
export class LiveConnection {
  private readonly backoff: Backoff;
  private stream: { readonly id: string; readonly abort: AbortController; delivers: boolean; known: Set<number> } | undefined;
  private running = false;
  private stopped = false;
  private held = false;

  constructor(
    private readonly realtime: Client<typeof RealtimeService>,
    private readonly events: LiveEvents,
    private readonly times: LiveTimes = defaultTimes,
  ) {
    this.backoff = new Backoff(times.longestPause);
  }

  /** Some targets came or went, or one has to start again. */
  update(changed: readonly number[]): void {
    if (this.stopped || this.held) return;
    if (!this.running) void this.run();
    const { stream } = this;
    // Before the first frame the server may not know the stream: what is new then follows with the first frame.
    if (!stream?.delivers) return;
    const targets = this.events.targets();
    if (targets.length === 0) return stream.abort.abort();
    const now = new Map(targets.map((target) => [target.id, target]));
    const remove = changed.filter((id) => stream.known.has(id) && !now.has(id));
    const add = changed.flatMap((id) => now.get(id) ?? []);
    for (const id of changed) {
      if (now.has(id)) stream.known.add(id);
      else stream.known.delete(id);
    }
    if (add.length + remove.length === 0) return;
    this.realtime.updateSubscriptions({ streamId: stream.id, add, remove }, { signal: stream.abort.signal })
      // The stream is gone, or its server does not answer: another one starts with all targets.
      .catch(() => stream.abort.abort());
  }

  /** The network may be back, or the session is another one: try now. */
  wake(options: { readonly reopen?: boolean } = {}): void {
    this.held = false;
    this.backoff.wake();
    if (options.reopen) this.stream?.abort.abort();
    if (!this.running) void this.run();
  }

  stop(): void {
    this.stopped = true;
    this.backoff.wake();
    this.stream?.abort.abort();
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      while (!this.stopped && !this.held && this.events.targets().length > 0) {
        let pause: number | undefined;
        try {
          pause = await this.follow();
          this.events.offline();
        } catch (cause) {
          pause = await this.failed(VibeError.from(cause));
        }
        if (!this.stopped && !this.held) await this.backoff.pause(pause);
      }
    } finally {
      this.running = false;
    }
  }

  // The pause before the next attempt; undefined for the usual one.
  private async failed(error: VibeError): Promise<number | undefined> {
    if (endsSession(error)) {
      this.held = true;
      this.events.signedOut(error);
      return undefined;
    }
    this.events.offline(error);
    if (wantsOtherToken(error)) await this.events.refreshToken().catch(() => undefined);
    return error.reason === "ACCESS_CHANGED" ? 0 : error.retryAfterMs;
  }

  // Follows one stream to its end; resolves with the pause the server asks for.
  private async follow(): Promise<number | undefined> {
    const abort = new AbortController();
    const targets = this.events.targets();
    const stream = { id: newId(), abort, delivers: false, known: new Set(targets.map(({ id }) => id)) };
    this.stream = stream;
    const changes: TargetChange[] = [];
    const frames = this.realtime.subscribe({ streamId: stream.id, targets: [...targets] }, { signal: abort.signal, timeoutMs: 0 });
    try {
      return await follow(frames, abort, this.times.silence, (frame) => {
        if (!stream.delivers) this.delivers(stream);
        this.take(frame, changes);
      });
    } catch (error) {
      // Ended by us: for want of targets, or to start again.
      if (error === abort.signal.reason && !(error instanceof VibeError)) return 0;
      throw error;
    } finally {
      this.stream = undefined;
    }
  }

  private delivers(stream: NonNullable<LiveConnection["stream"]>): void {
    stream.delivers = true;
    this.backoff.reset();
    this.events.online();
    const now = this.events.targets().map(({ id }) => id);
    const changed = [...now.filter((id) => !stream.known.has(id)), ...[...stream.known].filter((id) => !now.includes(id))];
    this.update(changed);
  }

  private take({ frame }: SubscribeResponse, changes: TargetChange[]): void {
    switch (frame.case) {
      case "ready":
        this.events.ready(frame.value.targetId, frame.value.cursor);
        break;
      case "batch":
        changes.push(...frame.value.changes);
        if (!frame.value.hasMore) this.events.changes(changes.splice(0));
        break;
      case "checkpoint":
        this.events.checkpoint(frame.value.cursor);
        break;
      case "targetError":
        this.stream?.known.delete(frame.value.targetId);
        this.events.targetError(frame.value);
        break;
    }
  }
}
