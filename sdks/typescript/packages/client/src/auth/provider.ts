import type { ErrorCode } from "../errors.js";
import { VibeError } from "../errors.js";
import { prove } from "./dpop.js";

/** What the provider says of itself (OpenID Connect Discovery 1.0), as far as it is used here. */
export interface Discovery {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly revocation_endpoint: string;
}

/** The answer of the token endpoint (RFC 6749 section 5.1). */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: string;
  /** Seconds. */
  readonly expires_in: number;
  readonly scope: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
}

// docs/protocol.md names the reasons of errors of OAuth.
const reasons: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  invalid_client: ["UNAUTHENTICATED", "CLIENT_INVALID"],
  invalid_grant: ["UNAUTHENTICATED", "GRANT_INVALID"],
  unauthorized_client: ["PERMISSION_DENIED", "CLIENT_UNAUTHORIZED"],
  access_denied: ["PERMISSION_DENIED", "ACCESS_DENIED"],
  login_required: ["UNAUTHENTICATED", "SIGN_IN_REQUIRED"],
  invalid_scope: ["INVALID_ARGUMENT", "SCOPE_INVALID"],
  invalid_dpop_proof: ["UNAUTHENTICATED", "PROOF_INVALID"],
  slow_down: ["UNAVAILABLE", "RATE_LIMITED"],
  temporarily_unavailable: ["UNAVAILABLE", "UNAVAILABLE"],
};

/** An error in the words of OAuth as a VibeError. */
export function errorOfOAuth(error: string, description: string): VibeError {
  const [code, reason] = reasons[error] ?? ["INVALID_ARGUMENT", "INVALID_ARGUMENT"];
  return new VibeError({ code, reason, message: description || error, metadata: { error } });
}

/** The OAuth side of a server. */
export class Provider {
  private known: Promise<Discovery> | undefined;
  /** How far this device's clock is behind the server's, in milliseconds, as far as is known. */
  skewMs = 0;

  /** @param app The app's DID: its client id. */
  constructor(private readonly url: string, readonly app: string, private readonly fetch: typeof globalThis.fetch) {}

  /** What it says of itself; asked once. */
  discovery(): Promise<Discovery> {
    return this.known ??= this.discover().catch((error: unknown) => {
      this.known = undefined;
      throw error;
    });
  }

  /** Asks for tokens; with a key, for tokens that are worth nothing without it. */
  async tokens(parameters: Readonly<Record<string, string>>, key?: CryptoKeyPair): Promise<TokenAnswer> {
    return await this.post((await this.discovery()).token_endpoint, parameters, key) as TokenAnswer;
  }

  /** Ends a refresh token, and all that was issued with it. */
  async revoke(token: string): Promise<void> {
    await this.post((await this.discovery()).revocation_endpoint, { token, token_type_hint: "refresh_token" });
  }

  /** A proof for a call of the API at this address. */
  async proofOfCall(key: CryptoKeyPair, address: string, token: string): Promise<string> {
    const { issuer } = await this.discovery();
    // By the name it knows itself by.
    return prove(key, { method: "POST", url: issuer + new URL(address).pathname.slice(basePathOf(this.url).length), token, skewMs: this.skewMs });
  }

  private async discover(): Promise<Discovery> {
    const response = await this.reach(`${this.url.replace(/\/$/, "")}/.well-known/openid-configuration`);
    if (!response.ok) throw unreachable(`${response.status} of the provider's description`);
    return await response.json() as Discovery;
  }

  private async post(url: string, parameters: Readonly<Record<string, string>>, key?: CryptoKeyPair): Promise<unknown> {
    const { issuer } = await this.discovery();
    // The server may have another name where this runs than the one it knows itself by.
    const address = url.startsWith(`${issuer}/`) ? this.url.replace(/\/$/, "") + url.slice(issuer.length) : url;
    for (let again = false; ; again = true) {
      const response = await this.reachAsPage(address, {
        method: "POST",
        // Signing out may be the last thing a page does.
        keepalive: true,
        body: new URLSearchParams({ client_id: this.app, ...parameters }),
        ...(key ? { headers: { dpop: await prove(key, { method: "POST", url, skewMs: this.skewMs }) } } : {}),
      });
      if (response.ok) return response.status === 200 && response.headers.get("content-type")?.includes("json") ? response.json() : undefined;
      const { error = "", error_description: description = "" } = await response.json().catch(() => ({})) as { error?: string; error_description?: string };
      // Most proofs that are refused come from a clock that is wrong: the server's answer says what time it is.
      const time = Date.parse(response.headers.get("date") ?? "");
      if (error === "invalid_dpop_proof" && key && !again && time) {
        this.skewMs = time - Date.now();
        continue;
      }
      throw error ? errorOfOAuth(error, description) : unreachable(`${response.status} of ${url}`);
    }
  }

  // The browser does not say why a page of another origin gets no answer. What is open to all pages tells whether it is the network.
  private async reachAsPage(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.reach(url, init);
    } catch (error) {
      if (typeof location !== "object") throw error;
      await this.discover();
      throw errorOfOAuth("unauthorized_client", `the server does not answer pages of ${location.origin}: is that among the origins of the app's manifest?`);
    }
  }

  private async reach(url: string, init?: RequestInit): Promise<Response> {
    try {
      return await this.fetch(url, { cache: "no-store", credentials: "omit", redirect: "error", signal: AbortSignal.timeout(15_000), ...init });
    } catch (error) {
      throw unreachable(error instanceof Error ? error.message : String(error), error);
    }
  }
}

function basePathOf(url: string): string {
  return new URL(url).pathname.replace(/\/$/, "");
}

function unreachable(message: string, cause?: unknown): VibeError {
  return new VibeError({ code: "UNAVAILABLE", reason: "UNREACHABLE", message }, { cause });
}
