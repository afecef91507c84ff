import type { ErrorFields } from "../errors.js";

/** Who is signed in. */
export interface User {
  readonly did: string;
  /** The name to show; the handle when there is no other. */
  readonly name: string;
  readonly handle: string;
  /** BCP 47; empty when not said. */
  readonly locale: string;
}

/**
 * The session that all tabs share. `expired`: it has ended, by itself or because the person took it back. What visitors may see
 * can still be read; what was written and not sent waits for the same person to sign in again, or goes when `signOut` is called.
 */
export interface SessionState {
  readonly status: "loading" | "signedOut" | "signedIn" | "expired";
  /** Who is, or was, signed in. */
  readonly user?: User;
  /** What the person has allowed. */
  readonly scopes: readonly string[];
  /** Why the session has ended, or the last sign-in by redirect failed. */
  readonly error?: ErrorFields;
}

/** How to sign in. */
export interface SignInOptions {
  /**
   * What the app wants to do, by the names of its manifest, separated by spaces; added to what is allowed already. Identity
   * and staying signed in (`openid profile offline_access`) are always asked for.
   */
  readonly scope?: string;
  /**
   * `auto`: after a click, the browser's own dialog, else a window, else this page goes there and comes back; without a click,
   * as `prompt`. `prompt`: the browser's one tap or nothing, to call when a page opens. `popup`, `redirect`: only that.
   * Default `auto`.
   */
  readonly mode?: "auto" | "prompt" | "popup" | "redirect";
  /** Where the page comes back to after a redirect, on this origin. Default: where it is. */
  readonly returnTo?: string;
  readonly signal?: AbortSignal;
}

/** How people sign in to the app. */
export interface AuthOptions {
  /** An address of the app that its manifest registers, and that makes a client. Default: `/callback` of this origin. */
  readonly redirectUri?: string;
  /** What is asked for at every sign-in. */
  readonly scope?: string;
}
