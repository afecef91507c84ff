import { VibeError } from "@vibe/client";
import type { SessionState, SignInOptions } from "@vibe/client";
import { useId, useState } from "react";
import type { ReactNode } from "react";
import { useAuth } from "../session.js";

/** Of a SignInButton. */
export interface SignInButtonProps extends Pick<SignInOptions, "scope" | "mode" | "returnTo"> {
  /** What it says. Default: `Continue with Vibe`. */
  readonly children?: ReactNode;
  readonly className?: string;
  readonly onSignedIn?: (session: SessionState) => void;
  /** In place of the words below the button. */
  readonly onError?: (error: VibeError) => void;
  /** What is said when signing in did not work. */
  readonly errorText?: (error: VibeError) => ReactNode;
}

/** Signs in. Shows nothing while somebody is signed in, and says so when it did not work. */
export function SignInButton({
  children = "Continue with Vibe", className = "", onSignedIn, onError, errorText = say, ...options
}: SignInButtonProps): ReactNode {
  const { status, signIn } = useAuth();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<VibeError>();
  const described = useId();
  if (status === "signedIn") return null;

  const press = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const session = await signIn(options);
      if (session.status === "signedIn") onSignedIn?.(session);
    } catch (cause) {
      const failure = VibeError.from(cause);
      if (onError) onError(failure);
      // Closing a dialog is an answer, not a failure.
      else if (failure.reason !== "SIGN_IN_CANCELLED" && failure.reason !== "ACCESS_DENIED") setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <span className={`vibe-sign-in ${className}`}>
      {/* It stays usable while busy: the window may have been closed, and nobody is told of that. */}
      <button type="button" className="vibe-button" data-primary="" aria-busy={busy} aria-describedby={error && described} onClick={() => void press()}>
        {children}
      </button>
      <span id={described} role="alert" className="vibe-error">{error && errorText(error)}</span>
    </span>
  );
}

function say({ code, reason }: VibeError): string {
  if (reason === "POPUP_BLOCKED") return "The browser has blocked the window. Allow it, and try again.";
  return code === "UNAVAILABLE" ? "The server cannot be reached. Try again in a moment." : "Signing in did not work. Please try again.";
}
