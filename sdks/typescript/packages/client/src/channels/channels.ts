import type { RealtimeClient } from "../contract/contract.js";
import type { JsonObject } from "../documents/document.js";
import { Channel } from "./channel.js";
import type { ChannelCallbacks } from "./channel.js";

type AnyChannel = Channel<object, object>;

/** Places to meet for what nobody needs to keep, by their names. */
export class Channels {
  private readonly joined = new Set<AnyChannel>();

  /** @internal */
  constructor(private readonly realtime: RealtimeClient, private readonly refreshToken: () => Promise<unknown>, private readonly listen: () => void) {}

  /**
   * Joins a channel: `document:<id>` for whoever may read the document, `app:<name>` for the users of the app. What is
   * returned says and shows something there, and leaves again.
   */
  join<S extends object = JsonObject, M extends object = JsonObject>(channel: string, callbacks: ChannelCallbacks<S, M> = {}): Channel<S, M> {
    const joined: Channel<S, M> = new Channel<S, M>(this.realtime, channel, callbacks, this.refreshToken, () => this.joined.delete(joined as unknown as AnyChannel));
    this.joined.add(joined as unknown as AnyChannel);
    this.listen();
    return joined;
  }

  /** The network may be back. @internal */
  wake(): void {
    this.joined.forEach((channel) => channel.wake());
  }

  /** Somebody else is signed in. @internal */
  rejoin(): void {
    this.joined.forEach((channel) => channel.rejoin());
  }

  /** @internal */
  close(): void {
    [...this.joined].forEach((channel) => channel.leave());
  }
}
