import type { Channel, ChannelMessage, JsonObject, Member, VibeError } from "@vibe/client";
import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import { useVibe } from "./provider.js";
import { useAuth } from "./session.js";

/** Who is in a channel. */
export interface PresenceState<S extends object = JsonObject, M extends object = JsonObject> {
  /** Who is present, this client among them while it shows a state. */
  readonly data: readonly Member<S>[];
  /** `pending`: not joined yet. `ended`: the right to be here, or the session, is gone. */
  readonly status: "pending" | "online" | "offline" | "ended";
  readonly error?: VibeError;
  /** This client's own id in the channel; empty while it is not joined. */
  readonly self: string;
  /** Sends a message to all others, or to one. */
  readonly publish: (payload: M, options?: { readonly to?: string }) => Promise<void>;
}

/** What to show of oneself, and what to hear. */
export interface PresenceOptions<S extends object, M extends object> {
  /** What others see of this client; absent: not present, only looking. */
  readonly state?: S;
  readonly onMessage?: (message: ChannelMessage<M>) => void;
}

interface Told<S extends object> {
  readonly data: readonly Member<S>[];
  readonly status: PresenceState["status"];
  readonly error?: VibeError;
}

const nothing: Told<never> = { data: [], status: "pending" };

/**
 * Joins a channel while the component is shown: `document:<id>` or `app:<name>`. Without one (`undefined`) it waits. Nothing of it
 * is kept anywhere.
 */
export function usePresence<S extends object = JsonObject, M extends object = JsonObject>(
  channel: string | undefined, { state, onMessage }: PresenceOptions<S, M> = {},
): PresenceState<S, M> {
  const client = useVibe();
  const { status: session, user } = useAuth();
  const joined = useRef<Channel>(undefined);
  const [told, setTold] = useState<Told<S>>(nothing);
  const hear = useEffectEvent((message: ChannelMessage<M>) => onMessage?.(message));

  useEffect(() => {
    if (channel === undefined) return undefined;
    const { leave } = joined.current = client.channels.join<S, M>(channel, {
      presence: (data) => setTold((before) => ({ ...before, data })),
      status: (status, error) => setTold(({ data }) => ({ data: status === "online" ? data : [], status, ...(error ? { error } : {}) })),
      message: (message) => hear(message),
    }) as unknown as Channel;
    return () => {
      leave();
      joined.current = undefined;
      setTold(nothing);
    };
    // What had ended for one person is tried again for another.
  }, [client, channel, session, user?.did]);

  // Compared as it is sent: an equal object is nothing new.
  const text = state && JSON.stringify(state);
  useEffect(() => {
    joined.current?.setPresence(text === undefined ? undefined : JSON.parse(text) as JsonObject).catch(() => undefined);
  }, [client, channel, session, user?.did, text]);

  const publish = useCallback(async (payload: M, options: { readonly to?: string } = {}): Promise<void> => {
    await joined.current?.publish(payload as JsonObject, options);
  }, []);
  return { ...told, self: joined.current?.memberId ?? "", publish };
}
