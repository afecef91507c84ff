import { VibeError } from "../errors.js";
import { IndexedDbStore } from "../store/indexed-db-store.js";
import { MemoryStore } from "../store/memory-store.js";
import { handOver, wayOfAnswer } from "./hand-over.js";
import { Provider } from "./provider.js";
import { Session } from "./session.js";
import type { RedeemableCode } from "./session.js";
import { arrive, obtainCode, passFailure } from "./sign-in.js";
import type { AuthOptions, SessionState, SignInOptions } from "./state.js";

/** What signing in needs of the client. */
export interface Surroundings extends AuthOptions {
  readonly url: string;
  readonly app: string;
  readonly fetch: typeof globalThis.fetch;
  changed(state: SessionState): void;
}

const always = ["openid", "profile", "offline_access"];
// The layout of what is kept of a session.
const version = 1;

/** Signing in and out, and the session in between. Loaded when it is first needed. */
export class SessionManager {
  private attempt = new AbortController();
  private error: VibeError | undefined;

  private constructor(private readonly surroundings: Surroundings, private readonly provider: Provider, readonly session: Session) {}

  /** Opens the session that this device keeps, and takes the answer that the page was opened with. */
  static async open(surroundings: Surroundings): Promise<SessionManager> {
    const { url, app, fetch } = surroundings;
    const provider = new Provider(url, app, fetch);
    const name = `vibe ${url} ${app} session`;
    const store = typeof indexedDB === "object" ? await IndexedDbStore.open(name, version).catch(() => new MemoryStore()) : new MemoryStore();
    const session = new Session({ provider, store, name, changed: (state) => manager.tell(state) });
    const manager = new SessionManager(surroundings, provider, session);
    if (typeof location === "object" && typeof sessionStorage === "object") await manager.takeAnswer();
    await session.read();
    return manager;
  }

  /** Signs in; false when the browser's one tap gave nobody. A new attempt ends the one before. */
  async signIn(options: SignInOptions): Promise<boolean> {
    if (typeof document !== "object") throw new VibeError({ code: "FAILED_PRECONDITION", reason: "NOT_A_PAGE", message: "people sign in on pages" });
    if (!globalThis.isSecureContext) throw new VibeError({ code: "FAILED_PRECONDITION", reason: "NOT_SECURE", message: "people sign in on pages over https, or of localhost" });
    this.attempt.abort(new VibeError({ code: "CANCELLED", reason: "SIGN_IN_CANCELLED", message: "signing in was started again" }));
    this.attempt = new AbortController();
    const { signal } = this.attempt;
    const scopes = new Set([...always, ...this.session.scopes, ...wordsOf(this.surroundings.scope), ...wordsOf(options.scope)]);
    const both = options.signal ? AbortSignal.any([options.signal, signal]) : signal;
    try {
      const code = await obtainCode(this.provider, this.redirectUri, [...scopes].join(" "), options, both);
      if (code) await this.redeem(code);
      return code !== undefined;
    } catch (error) {
      throw VibeError.from(error);
    }
  }

  /** Signs out here, of this app. */
  async signOut(): Promise<void> {
    this.error = undefined;
    await this.session.end();
    // Else the browser's one tap would sign in again by itself.
    if (typeof document === "object") await navigator.credentials?.preventSilentAccess?.().catch(() => undefined);
  }

  private async redeem(code: RedeemableCode): Promise<void> {
    this.error = undefined;
    await this.session.redeem(code);
  }

  private async takeAnswer(): Promise<void> {
    const { search } = location;
    const way = location.href.split(/[?#]/)[0] === this.redirectUri ? wayOfAnswer(search) : undefined;
    // A code in the address is not for the history, and a reload must not send it twice.
    if (way) history.replaceState(history.state, "", location.pathname);
    else this.error = passFailure();
    if (way === "popup") handOver(this.provider.app, search);
    const arrival = way === "redirect" ? await arrive(this.provider, search) : undefined;
    if (!arrival) return;
    try {
      await this.redeem(await arrival.code);
      await this.session.retire();
    } catch (error) {
      passFailure(VibeError.from(error));
    }
    location.replace(arrival.returnTo);
  }

  private tell(state: SessionState): void {
    this.surroundings.changed(this.withError(state));
  }

  private withError(state: SessionState): SessionState {
    return this.error && !state.error && state.status !== "signedIn" ? { ...state, error: this.error.toJSON() } : state;
  }

  private get redirectUri(): string {
    return new URL(this.surroundings.redirectUri ?? "/callback", location.href).href;
  }
}

function wordsOf(text = ""): readonly string[] {
  return text.split(" ").filter(Boolean);
}
