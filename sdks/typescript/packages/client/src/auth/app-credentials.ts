import type { TokenSource } from "../transport.js";
import { newKey } from "./dpop.js";
import { Provider } from "./provider.js";

/** How an app proves that it is itself. */
export interface AppCredentialsOptions {
  /** The server's URL, as for `createClient`. */
  readonly url: string;
  /** The app's DID. */
  readonly app: string;
  /** One of its credentials. In a page it would be no secret. */
  readonly secret: string;
  /** What the tokens are for, as `documents:orders:write`; all that the app may do when absent. */
  readonly scope?: string;
  /** In place of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

interface Current {
  readonly token: string;
  readonly useUntil: number;
}

// Used up a little before its end: it has to arrive.
const earlyMs = 30_000;

/**
 * Tokens of an app that acts as itself (client credentials, RFC 6749 section 4.4), for the backend of an app:
 * `createClient({ url, token: appCredentials({ url, app, secret }) })`. Asked for when they are needed, and by one call for all;
 * bound to a key that never leaves this process (DPoP).
 */
export function appCredentials({ url, app, secret, scope, fetch = globalThis.fetch }: AppCredentialsOptions): TokenSource {
  const provider = new Provider(url, app, fetch);
  const key = newKey();
  let current: Promise<Current> | undefined;
  const ask = async (): Promise<Current> => {
    const answer = await provider.tokens({ grant_type: "client_credentials", client_secret: secret, ...(scope === undefined ? {} : { scope }) }, await key);
    return { token: answer.access_token, useUntil: Date.now() + Math.max(answer.expires_in * 1000 - earlyMs, answer.expires_in * 500) };
  };
  const renew = (): Promise<Current> => {
    const asked: Promise<Current> = ask().catch((error: unknown) => {
      if (current === asked) current = undefined;
      throw error;
    });
    return current = asked;
  };
  return async ({ refresh, url: address }) => {
    const known = await (current ?? renew());
    const { token } = refresh || known.useUntil <= Date.now() ? await again(known) : known;
    return address === undefined ? token : { token, proof: await provider.proofOfCall(await key, address, token) };
  };

  // Of many that find the same token used up, the first asks.
  async function again(used: Current): Promise<Current> {
    const now = await current?.catch(() => undefined);
    return now && now !== used && now.useUntil > Date.now() ? now : renew();
  }
}
