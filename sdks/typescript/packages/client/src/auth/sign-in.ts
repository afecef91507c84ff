import { VibeError } from "../errors.js";
import { randomSecret, sha256 } from "./base64url.js";
import { askDialog, hasDialog } from "./fedcm.js";
import { takeOver } from "./hand-over.js";
import type { Way } from "./hand-over.js";
import type { Provider } from "./provider.js";
import { errorOfOAuth } from "./provider.js";
import type { RedeemableCode } from "./session.js";
import type { SignInOptions } from "./state.js";

/** What a redirect leaves behind in this tab, and finds when it comes back. */
interface Departure {
  readonly verifier: string;
  readonly nonce: string;
  readonly redirectUri: string;
  readonly returnTo: string;
}

/** One attempt to sign in: what it asks for, and the secrets that only this page knows. */
interface Attempt {
  readonly provider: Provider;
  readonly redirectUri: string;
  readonly verifier: string;
  readonly nonce: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const departures = "vibe sign-in ";
const failure = "vibe sign-in failure";
// What an opened window may take: a new account, a passkey, a mail.
const popupMs = 15 * 60_000;
// How often to look whether it is still there.
const lookMs = 500;
// What the provider's page in it says, when it can reach this one.
const greeting = "vibe sign-in window";

/**
 * Gets a code, by the first way that works. Undefined: the browser's one tap gave none, and nothing else was wanted. Never
 * ends when the page leaves for the provider.
 */
export async function obtainCode(
  provider: Provider, redirectUri: string, scope: string, { mode = "auto", returnTo }: SignInOptions, signal: AbortSignal,
): Promise<RedeemableCode | undefined> {
  const [verifier, nonce] = [randomSecret(), randomSecret()];
  const parameters = { response_type: "code", scope, nonce, code_challenge: await sha256(verifier), code_challenge_method: "S256" };
  const attempt: Attempt = { provider, redirectUri, verifier, nonce, parameters, signal };
  const clicked = isClicked();
  if ((mode === "auto" || mode === "prompt") && hasDialog()) {
    const { issuer } = await provider.discovery();
    const code = await askDialog(issuer, provider.app, mode === "auto" && clicked ? "active" : "passive", parameters, signal);
    if (code) return { code, verifier, nonce };
    // The person has looked at the dialog for a while and closed it: opening a window now would not be what they want.
    if (mode === "auto" && clicked && !isClicked()) throw cancelled("the dialog was closed");
  }
  if (mode === "prompt" || mode === "auto" && !clicked) return undefined;
  return mode === "redirect" ? leave(attempt, returnTo) : await openWindow(attempt) ?? (mode === "auto" ? leave(attempt, returnTo) : blocked());
}

/** What to do with an answer that a redirect has brought: the code, and where to go on. Undefined when this tab did not ask. */
export async function arrive(provider: Provider, search: string): Promise<{ readonly returnTo: string; readonly code: Promise<RedeemableCode> } | undefined> {
  const key = departures + new URLSearchParams(search).get("state");
  const left = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  if (!left) return undefined;
  const { returnTo, redirectUri, verifier, nonce } = JSON.parse(left) as Departure;
  return { returnTo, code: codeOf(provider, search).then((code) => ({ code, verifier, nonce, redirectUri })) };
}

/** Keeps for the next page of this tab why signing in has failed; without an error, returns what was kept and forgets it. */
export function passFailure(error?: VibeError): VibeError | undefined {
  const kept = sessionStorage.getItem(failure);
  if (error) sessionStorage.setItem(failure, JSON.stringify(error));
  else sessionStorage.removeItem(failure);
  return kept ? new VibeError(JSON.parse(kept) as VibeError) : undefined;
}

async function openWindow(attempt: Attempt): Promise<RedeemableCode | undefined> {
  const { provider, redirectUri, verifier, nonce, signal } = attempt;
  const { state, url } = await address(attempt, "popup");
  const waiting = new AbortController();
  const ends = AbortSignal.any([signal, waiting.signal, AbortSignal.timeout(popupMs)]);
  const answer = takeOver(provider.app, state, ends);
  const [width, height] = [480, 720];
  const left = Math.max(0, screenX + (outerWidth - width) / 2);
  const top = Math.max(0, screenY + (outerHeight - height) / 2);
  const popup = open(url, "", `popup,width=${width},height=${height},left=${left},top=${top}`);
  if (!popup) {
    answer.catch(() => undefined);
    waiting.abort();
    return undefined;
  }
  watchWindow(popup, new URL(url).origin, ends, () => waiting.abort(cancelled("the window was closed")));
  const search = await answer.finally(() => waiting.abort());
  return { code: await codeOf(provider, search), verifier, nonce, redirectUri };
}

/**
 * Notices that the person has closed the window without an answer. A browser that has taken window and page apart says of
 * the window that it is closed, too: that counts only once the provider's page in it was heard.
 */
function watchWindow(popup: Window, origin: string, ends: AbortSignal, closed: () => void): void {
  addEventListener("message", ({ source, origin: from, data }) => {
    if (source !== popup || from !== origin || data !== greeting) return;
    const look = setInterval(() => {
      if (!popup.closed) return;
      clearInterval(look);
      // The page that brings the answer closes itself: the answer may be on its way.
      setTimeout(closed, lookMs);
    }, lookMs);
    ends.addEventListener("abort", () => clearInterval(look), { once: true });
  }, { signal: ends });
}

async function leave(attempt: Attempt, returnTo = location.href): Promise<never> {
  const { verifier, nonce, redirectUri, signal } = attempt;
  if (new URL(returnTo, location.href).origin !== location.origin) {
    throw new VibeError({ code: "INVALID_ARGUMENT", reason: "INVALID_ARGUMENT", message: "returnTo: is of another origin" });
  }
  const { state, url } = await address(attempt, "redirect");
  signal.throwIfAborted();
  sessionStorage.setItem(departures + state, JSON.stringify({ verifier, nonce, redirectUri, returnTo } satisfies Departure));
  location.assign(url);
  return new Promise(() => {});
}

async function address({ provider, redirectUri, parameters }: Attempt, way: Way): Promise<{ state: string; url: string }> {
  const state = `${way}.${randomSecret()}`;
  const { authorization_endpoint: endpoint } = await provider.discovery();
  return { state, url: `${endpoint}?${new URLSearchParams({ ...parameters, client_id: provider.app, redirect_uri: redirectUri, state })}` };
}

// The state was found already; who answers must be who was asked (RFC 9207).
async function codeOf(provider: Provider, search: string): Promise<string> {
  const answer = new URLSearchParams(search);
  if (answer.get("iss") !== (await provider.discovery()).issuer) {
    throw new VibeError({ code: "UNAUTHENTICATED", reason: "TOKEN_INVALID", message: "the answer is not from the provider that was asked" });
  }
  const code = answer.get("code");
  if (!code) throw errorOfOAuth(answer.get("error") ?? "", answer.get("error_description") ?? "");
  return code;
}

function isClicked(): boolean {
  return navigator.userActivation?.isActive ?? true;
}

function cancelled(message: string): VibeError {
  return new VibeError({ code: "CANCELLED", reason: "SIGN_IN_CANCELLED", message });
}

function blocked(): never {
  throw new VibeError({ code: "FAILED_PRECONDITION", reason: "POPUP_BLOCKED", message: "the browser opens no window without a click" });
}
