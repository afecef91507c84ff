import { VibeError } from "../errors.js";
import type { Store } from "../store/store.js";
import type { GivenToken, TokenRequest } from "../transport.js";
import { claimsOf } from "./base64url.js";
import { newKey } from "./dpop.js";
import type { Provider, TokenAnswer } from "./provider.js";
import type { SessionState, User } from "./state.js";

/** A session as it is kept. */
interface Kept {
  readonly user: User;
  readonly scopes: readonly string[];
  readonly key: CryptoKeyPair;
  readonly accessToken: string;
  /** When the access token is no longer used, in milliseconds of this device's clock; 0 once the session has ended. */
  readonly useUntil: number;
  readonly skewMs: number;
  /** Absent when the person did not allow staying signed in, and once the session has ended. */
  readonly refreshToken?: string;
}

/** A code, and what it takes to redeem it. */
export interface RedeemableCode {
  readonly code: string;
  readonly verifier: string;
  readonly nonce: string;
  /** Absent for a code of the browser's own dialog. */
  readonly redirectUri?: string;
}

/** What a session needs of its surroundings. */
export interface SessionSurroundings {
  readonly provider: Provider;
  readonly store: Store;
  /** The name its lock and its channel share with those of other tabs. */
  readonly name: string;
  changed(state: SessionState): void;
}

const visitorGrant = "urn:vibe:params:oauth:grant-type:visitor";
// Used up a little before its end: it has to arrive.
const earlyMs = 30_000;
const withoutMs = 60_000;

/** The tokens of whoever is signed in, shared by all tabs; only one of them refreshes at a time. */
export class Session {
  private kept: Kept | undefined;
  private visitor: { readonly token: string; readonly useUntil: number } | undefined;
  private visiting: Promise<string | undefined> | undefined;
  private readonly channel: BroadcastChannel | undefined;
  private replaced: string | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly surroundings: SessionSurroundings) {
    if (typeof BroadcastChannel !== "function") return;
    this.channel = new BroadcastChannel(surroundings.name);
    this.channel.onmessage = () => void this.read();
    (this.channel as { unref?(): void }).unref?.();
  }

  /** Reads what this device keeps: at first, and when another tab has changed it. */
  async read(): Promise<void> {
    await this.load();
    this.tell();
  }

  /** What the person has allowed so far. */
  get scopes(): readonly string[] {
    return this.kept?.scopes ?? [];
  }

  /**
   * The token of the next call, with a proof for its address; a visitor's for who is not signed in, and for reading when the
   * session has ended. Else rejects with TOKEN_REVOKED when it has ended, with UNAVAILABLE when it cannot be refreshed now.
   */
  async authorize({ refresh, url, reads }: TokenRequest): Promise<GivenToken> {
    if (this.kept && (refresh || this.kept.useUntil <= Date.now())) await this.refresh(this.kept.accessToken);
    const { kept } = this;
    if (!kept) return this.visit(refresh);
    if (kept.useUntil === 0) {
      if (reads) return { visitor: await this.visit(refresh) ?? "" };
      throw ended();
    }
    const token = kept.accessToken;
    return url === undefined ? token : { token, proof: await this.surroundings.provider.proofOfCall(kept.key, url, token) };
  }

  /** Somebody has signed in. */
  async redeem({ code, verifier, nonce, redirectUri }: RedeemableCode): Promise<void> {
    const { provider } = this.surroundings;
    const key = await newKey();
    const answer = await provider.tokens({
      grant_type: "authorization_code", code, code_verifier: verifier, ...(redirectUri === undefined ? {} : { redirect_uri: redirectUri }),
    }, key);
    const user = userOf(answer, provider.app, (await provider.discovery()).issuer, nonce);
    await this.exclusively(async () => {
      await this.load();
      this.replaced = this.kept?.refreshToken;
      await this.keep(keptOf(answer, user, key, provider.skewMs));
    });
  }

  /** Ends the session that was replaced or forgotten last at the server too, if that can be reached; by now nothing uses it any more. */
  async retire(): Promise<void> {
    const { replaced } = this;
    this.replaced = undefined;
    if (replaced) await this.surroundings.provider.revoke(replaced).catch(() => undefined);
  }

  /** Forgets the session here. */
  async end(): Promise<void> {
    await this.exclusively(async () => {
      await this.load();
      this.replaced = this.kept?.refreshToken;
      await this.keep(undefined);
    });
  }

  /** The server has refused the token for good: asks whether the session has ended. */
  async check(): Promise<void> {
    if (this.kept) await this.refresh(this.kept.accessToken);
  }

  close(): void {
    this.channel?.close();
    this.surroundings.store.close();
  }

  private async refresh(used: string): Promise<void> {
    await this.exclusively(async () => {
      await this.load();
      const { kept } = this;
      // Another tab was here before, or has signed out.
      if (!kept || kept.useUntil === 0 || kept.accessToken !== used && kept.useUntil > Date.now()) return;
      const { refreshToken, ...rest } = kept;
      const answer = refreshToken && await this.surroundings.provider.tokens({ grant_type: "refresh_token", refresh_token: refreshToken }, kept.key)
        .catch((error: unknown) => {
          if (VibeError.from(error).reason !== "GRANT_INVALID") throw error;
        });
      await this.keep(answer ? keptOf(answer, kept.user, kept.key, this.surroundings.provider.skewMs) : { ...rest, useUntil: 0 });
    });
  }

  // For who is not signed in: what the app shows to everybody.
  private async visit(refresh: boolean): Promise<string | undefined> {
    if (typeof document !== "object") return undefined;
    if (!refresh && this.visitor && this.visitor.useUntil > Date.now()) return this.visitor.token || undefined;
    return this.visiting ??= this.askAsVisitor().finally(() => (this.visiting = undefined));
  }

  private async askAsVisitor(): Promise<string | undefined> {
    try {
      const { access_token: token, expires_in: seconds } = await this.surroundings.provider.tokens({ grant_type: visitorGrant });
      this.visitor = { token, useUntil: Date.now() + seconds * 1000 - earlyMs };
    } catch (error) {
      if (VibeError.from(error).reason !== "CLIENT_UNAUTHORIZED") throw error;
      // The app shows visitors nothing in its own name: they come without a token, for now.
      this.visitor = { token: "", useUntil: Date.now() + withoutMs };
    }
    return this.visitor.token || undefined;
  }

  private async keep(kept: Kept | undefined): Promise<void> {
    this.kept = kept;
    await this.surroundings.store.commit([{ table: "meta", key: "session", value: kept }]);
    this.channel?.postMessage("changed");
    this.tell();
  }

  private async load(): Promise<void> {
    this.kept = (await this.surroundings.store.read("meta", ["session"]))[0] as Kept | undefined;
    if (this.kept) this.surroundings.provider.skewMs = this.kept.skewMs;
  }

  private tell(): void {
    this.surroundings.changed(stateOf(this.kept));
  }

  private exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (typeof navigator === "object" && navigator.locks) return navigator.locks.request(this.surroundings.name, work) as Promise<T>;
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }
}

function keptOf(answer: TokenAnswer, user: User, key: CryptoKeyPair, skewMs: number): Kept {
  return {
    user, key, skewMs,
    scopes: answer.scope.split(" "),
    accessToken: answer.access_token,
    useUntil: Date.now() + Math.max(answer.expires_in * 1000 - earlyMs, answer.expires_in * 500),
    ...(answer.refresh_token === undefined ? {} : { refreshToken: answer.refresh_token }),
  };
}

function stateOf(kept: Kept | undefined): SessionState {
  if (!kept) return { status: "signedOut", scopes: [] };
  const { user, scopes } = kept;
  return kept.useUntil === 0 ? { status: "expired", user, scopes, error: ended().toJSON() } : { status: "signedIn", user, scopes };
}

// It came straight from the provider, over TLS: what it says is checked, its signature need not be (OpenID Connect Core 3.1.3.7).
function userOf({ id_token: token }: TokenAnswer, app: string, issuer: string, nonce: string): User {
  const claims = token ? claimsOf(token) : undefined;
  const text = (name: string): string => typeof claims?.[name] === "string" ? claims[name] : "";
  if (!claims || text("iss") !== issuer || claims["aud"] !== app || text("nonce") !== nonce || !text("sub")) {
    throw new VibeError({ code: "UNAUTHENTICATED", reason: "TOKEN_INVALID", message: "the ID token is not the one that was asked for" });
  }
  const handle = text("preferred_username");
  return { did: text("sub"), name: text("name") || handle, handle, locale: text("locale") };
}

function ended(): VibeError {
  return new VibeError({ code: "UNAUTHENTICATED", reason: "TOKEN_REVOKED", message: "the session has ended: sign in again" });
}
