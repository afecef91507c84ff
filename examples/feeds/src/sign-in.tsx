import { useAuth } from "@vibe/react";
import { useCallback } from "react";
import { useTell } from "./toasts.js";
import { isSecondThought, say } from "./words.js";

/** Does something as somebody: who is signed out is asked to sign in first. Call what it returns from a click. */
export function useAsSomebody(): (act: (me: string) => void) => void {
  const { status, user, signIn } = useAuth();
  const tell = useTell();
  return useCallback((act) => {
    if (status === "signedIn" && user) return act(user.did);
    signIn().then(
      (session) => session.status === "signedIn" && session.user && act(session.user.did),
      (error: unknown) => isSecondThought(error) || tell({ text: say(error) }),
    );
  }, [status, user, signIn, tell]);
}
