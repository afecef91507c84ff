import type { RealtimeClient } from "../contract/contract.js";
import type { JsonObject } from "../documents/document.js";
import { newId } from "../documents/uuid.js";
import { VibeError, endsSession, wantsOtherToken } from "../errors.js";
import type { JoinChannelResponse } from "../generated/vibe/realtime/v1/realtime_service_pb.js";
import type { Presence } from "../generated/vibe/realtime/v1/channel_pb.js";
import { Backoff } from "../live/backoff.js";
import { follow } from "../live/follow.js";
import type { CallOptions } from "../timing.js";

/** Who is present in a channel. */
export interface Member<S extends object = JsonObject> {
  readonly id: string;
  /** The DID behind it; empty for a signed-out visitor. */
  readonly user: string;
  /** What it says of itself. */
  readonly state: S;
}

/** A message of a channel. */
export interface ChannelMessage<M extends object = JsonObject> {
  /** The member that sent it. */
  readonly from: string;
  /** The DID behind it; empty for a signed-out visitor. */
  readonly user: string;
  /** Whether it was sent to this member alone. */
  readonly direct: boolean;
  readonly payload: M;
}

/** What a channel calls back. */
export interface ChannelCallbacks<S extends object = JsonObject, M extends object = JsonObject> {
  /** Who is present, whenever that changes, this member among them. */
  presence?(members: readonly Member<S>[]): void;
  message?(message: ChannelMessage<M>): void;
  /** This client reads too slowly: so many messages are lost. */
  dropped?(count: number): void;
  /** `online`: joined. `offline`: trying again. `ended`: the right to be here, or the session, is gone. */
  status?(status: "online" | "offline" | "ended", error?: VibeError): void;
}

const silenceMs = 45_000;
const presenceMs = 30_000;

/**
 * A place to meet for what nobody needs to keep: presence, typing, cursors, the signalling of calls. Messages come at
 * most once; presence is complete. It comes back by itself after a loss, as another member.
 */
export class Channel<S extends object = JsonObject, M extends object = JsonObject> {
  private readonly backoff = new Backoff(30_000);
  private readonly members = new Map<string, Member<S>>();
  private stream: { readonly id: string; readonly abort: AbortController } | undefined;
  private state: S | undefined;
  private heartbeat: ReturnType<typeof setInterval> | undefined;
  private left = false;
  private isRenewed = false;
  private self = "";

  /** @internal */
  constructor(
    private readonly realtime: RealtimeClient,
    private readonly name: string,
    private readonly callbacks: ChannelCallbacks<S, M>,
    private readonly refreshToken: () => Promise<unknown>,
    private readonly gone: () => void,
  ) {
    void this.run();
  }

  /** This member's id; empty while it is not joined. */
  get memberId(): string {
    return this.self;
  }

  /** Sends a message of at most 16 KiB to all others, or to one member. Rejects with STREAM_NOT_FOUND while not joined. */
  async publish(payload: M, options: CallOptions & { readonly to?: string } = {}): Promise<void> {
    const { to: recipient = "", ...call } = options;
    await this.realtime.publishMessage({ channel: this.name, streamId: this.joined(), payload: payload as JsonObject, recipient }, call);
  }

  /** Is present with a state of at most 4 KiB, kept up until it is another, or `undefined` for not present. */
  async setPresence(state: S | undefined, options: CallOptions = {}): Promise<void> {
    this.state = state;
    clearInterval(this.heartbeat);
    if (state) this.heartbeat = setInterval(() => void this.sendPresence({}).catch(() => undefined), presenceMs / 2);
    // While not joined, joining tells it.
    if (this.self) await this.sendPresence(options);
  }

  /** The network may be back. @internal */
  wake(): void {
    this.backoff.wake();
  }

  /** Somebody else is signed in: comes back as them. @internal */
  rejoin(): void {
    this.stream?.abort.abort(new VibeError({ code: "ABORTED", reason: "ACCESS_CHANGED", message: "somebody else is signed in" }));
    this.backoff.wake();
  }

  /** Leaves. */
  readonly leave = (): void => {
    this.left = true;
    this.gone();
    clearInterval(this.heartbeat);
    this.stream?.abort.abort();
    this.backoff.wake();
  };

  private joined(): string {
    if (!this.stream || !this.self) throw new VibeError({ code: "FAILED_PRECONDITION", reason: "STREAM_NOT_FOUND", message: "the channel is not joined" });
    return this.stream.id;
  }

  private async sendPresence(options: CallOptions): Promise<void> {
    const timeToLive = { seconds: BigInt(presenceMs / 1000) };
    const state = this.state as JsonObject | undefined;
    await this.realtime.setPresence({ channel: this.name, streamId: this.joined(), timeToLive, ...(state ? { state } : {}) }, options);
  }

  private async run(): Promise<void> {
    while (!this.left) {
      let pause: number | undefined;
      try {
        pause = await this.follow();
        if (!this.left) this.callbacks.status?.("offline");
      } catch (cause) {
        const error = VibeError.from(cause);
        if (this.left) return;
        const isOther = await this.renewed(error);
        if (isOver(error) && !isOther) {
          this.leave();
          this.callbacks.status?.("ended", error);
          return;
        }
        this.callbacks.status?.("offline", error);
        if (wantsOtherToken(error)) await this.refreshToken().catch(() => undefined);
        pause = error.reason === "ACCESS_CHANGED" || isOther ? 0 : error.retryAfterMs;
      }
      if (!this.left) await this.backoff.pause(pause);
    }
  }

  // The session may have been replaced by another one, of the same person with more rights. Tried once until it is joined again.
  private async renewed({ reason }: VibeError): Promise<boolean> {
    if (reason !== "TOKEN_REVOKED" && reason !== "TOKEN_INVALID" || this.isRenewed) return false;
    this.isRenewed = await this.refreshToken().then(Boolean, () => false);
    return this.isRenewed && !this.left;
  }

  private async follow(): Promise<number | undefined> {
    const abort = new AbortController();
    this.stream = { id: newId(), abort };
    const frames = this.realtime.joinChannel({ channel: this.name, streamId: this.stream.id }, { signal: abort.signal, timeoutMs: 0 });
    try {
      return await follow(frames, abort, silenceMs, (frame) => this.take(frame));
    } finally {
      this.self = "";
    }
  }

  private take({ frame }: JoinChannelResponse): void {
    switch (frame.case) {
      case "joined":
        this.backoff.reset();
        this.isRenewed = false;
        this.self = frame.value.memberId;
        this.members.clear();
        this.tell(frame.value.present, []);
        this.callbacks.status?.("online");
        if (this.state) void this.sendPresence({}).catch(() => undefined);
        break;
      case "presence":
        this.tell([...frame.value.joined, ...frame.value.updated], frame.value.left);
        break;
      case "message": {
        const { from, user, direct, payload = {} } = frame.value;
        this.callbacks.message?.({ from, user, direct, payload: payload as M });
        break;
      }
      case "dropped":
        this.callbacks.dropped?.(frame.value.count);
        break;
    }
  }

  private tell(present: readonly Presence[], left: readonly string[]): void {
    for (const { memberId: id, user, state = {} } of present) this.members.set(id, { id, user, state: state as S });
    for (const id of left) this.members.delete(id);
    this.callbacks.presence?.([...this.members.values()]);
  }
}

function isOver(error: VibeError): boolean {
  return endsSession(error) || error.reason === "CHANNEL_NOT_FOUND" || error.reason === "INVALID_ARGUMENT";
}
