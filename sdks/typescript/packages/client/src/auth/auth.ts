import type { TokenRequest, TokenSource } from "../transport.js";
import type { SessionManager, Surroundings } from "./manager.js";
import type { SessionState, SignInOptions } from "./state.js";

/** The session as the client sees it; the code behind it is loaded when it is first needed. */
export class Auth {
  private current: SessionState = { status: "loading", scopes: [] };
  private readonly listeners = new Set<(state: SessionState) => void>();
  private loading: Promise<SessionManager> | undefined;

  /**
   * @param changed This tab has signed somebody in or out; with `purge`, nothing of who was here stays.
   * @param other Somebody else is signed in, or nobody, whichever tab did it.
   */
  constructor(
    private readonly surroundings: Omit<Surroundings, "changed">, private readonly changed: (purge: boolean) => Promise<void>, private readonly other: () => void,
  ) {
    // The page was opened with an answer: whoever waits for it should not wait longer.
    if (typeof location === "object" && /[?&]state=(popup|redirect)\./.test(location.search)) this.start();
  }

  get state(): SessionState {
    return this.current;
  }

  /** The token source of the client. */
  readonly token: TokenSource = async (request: TokenRequest) => (await this.load()).session.authorize(request);

  /** Calls back with every new state until the returned function is called. */
  onState(callback: (state: SessionState) => void): () => void {
    this.listeners.add(callback);
    this.start();
    return () => this.listeners.delete(callback);
  }

  async signIn(options: SignInOptions): Promise<SessionState> {
    const manager = await this.load();
    if (await manager.signIn(options)) {
      await this.changed(false);
      void manager.session.retire();
    }
    return this.current;
  }

  async signOut(): Promise<void> {
    const manager = await this.load();
    await manager.signOut();
    await this.changed(true);
    void manager.session.retire();
  }

  /** A token was refused for good: finds out whether the session has ended. */
  async check(): Promise<void> {
    await (await this.load()).session.check();
  }

  close(): void {
    this.loading?.then(({ session }) => session.close(), () => undefined);
  }

  // What fails now is tried again, and told, with the first call that needs it.
  private start(): void {
    this.load().catch(() => undefined);
  }

  private load(): Promise<SessionManager> {
    return this.loading ??= import("./manager.js").then(({ SessionManager }) => SessionManager.open({
      ...this.surroundings,
      changed: (state) => {
        const isOther = this.current.status !== "loading" && this.current.user?.did !== state.user?.did;
        this.current = state;
        if (isOther) this.other();
        this.listeners.forEach((listener) => listener(state));
      },
    })).catch((error: unknown) => {
      this.loading = undefined;
      throw error;
    });
  }
}
