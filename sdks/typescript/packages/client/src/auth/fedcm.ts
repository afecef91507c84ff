// The browser's own dialog (Federated Credential Management). TypeScript's DOM does not know it yet.
interface IdentityCredential {
  readonly token?: string;
}

/** What an app passes along, as texts. */
export type DialogParameters = Readonly<Record<string, string>>;

/** Whether this page may ask. In a frame the dialog would name another site than the one that gets the code. */
export function hasDialog(): boolean {
  return "IdentityCredential" in globalThis && globalThis.top === globalThis.self;
}

/**
 * Asks the browser to show its dialog: `active` after a click, `passive` when a page opens. Returns a code, or undefined when
 * it has none: nobody is signed in, the person has closed it, the browser will not ask again so soon. It does not say which.
 */
export async function askDialog(issuer: string, app: string, mode: "active" | "passive", params: DialogParameters, signal: AbortSignal): Promise<string | undefined> {
  const identity = { mode, context: "signin", providers: [{ configURL: `${issuer}/fedcm/config.json`, clientId: app, params }] };
  const options = { identity, mediation: mode === "passive" ? "optional" : "required", signal };
  try {
    return (await navigator.credentials.get(options as CredentialRequestOptions) as IdentityCredential | null)?.token;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
