import type { JsonObject, VibeClient } from "@vibe/client";
import { createContext, use } from "react";
import type { ReactNode } from "react";

/**
 * What an app says of itself to the types, once:
 * `declare module "@vibe/react" { interface Register { collections: { notes: Note } } }`.
 */
export interface Register {}

/** The collections of the app, by name. Without a `Register`, any name and any JSON. */
export type AppCollections = Register extends { collections: infer C extends object } ? C : Record<string, JsonObject>;

/** The client of the app. */
export type AppClient = VibeClient<AppCollections>;

const Client = createContext<AppClient | undefined>(undefined);

/** Gives the client to everything inside. */
export function VibeProvider({ client, children }: { readonly client: AppClient; readonly children?: ReactNode }): ReactNode {
  return <Client value={client}>{children}</Client>;
}

/** The client. Throws outside a VibeProvider. */
export function useVibe(): AppClient {
  const client = use(Client);
  if (!client) throw new Error("useVibe: there is no VibeProvider around this component");
  return client;
}
