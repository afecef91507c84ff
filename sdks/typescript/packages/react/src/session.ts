import type { ConnectionState, SessionState, SignInOptions } from "@vibe/client";
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { useVibe } from "./provider.js";

/** Who is signed in, and how that changes. */
export interface AuthState extends SessionState {
  /** As `vibe.signIn`; call it from a click, so that the browser lets it open a window. */
  readonly signIn: (options?: SignInOptions) => Promise<SessionState>;
  readonly signOut: () => Promise<void>;
}

const loading: SessionState = { status: "loading", scopes: [] };
const idle: ConnectionState = { status: "idle", pendingWrites: 0, storage: "memory" };

/** The session, which all tabs share. `loading` on a server. */
export function useAuth(): AuthState {
  const client = useVibe();
  const subscribe = useCallback((changed: () => void) => client.onSession(changed), [client]);
  const session = useSyncExternalStore(subscribe, () => client.session, () => loading);
  return useMemo(() => ({ ...session, signIn: (options) => client.signIn(options), signOut: () => client.signOut() }), [client, session]);
}

/** The state of the connection, the queue and the store. `idle` on a server. */
export function useConnection(): ConnectionState {
  const client = useVibe();
  const subscribe = useCallback((changed: () => void) => client.onConnection(changed), [client]);
  return useSyncExternalStore(subscribe, () => client.connection, () => idle);
}
