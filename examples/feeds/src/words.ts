import { VibeError } from "@vibe/client";

/** What went wrong, for people. */
export function say(cause: unknown): string {
  const { code, reason } = VibeError.from(cause);
  switch (reason) {
    case "POPUP_BLOCKED": return "The browser has blocked the sign-in window. Allow it, and try again.";
    case "RATE_LIMITED": return "That was a lot at once. Wait a moment, then try again.";
    case "DOCUMENT_NOT_FOUND": return "That is not there any more.";
    case "TOO_MANY_QUERIES": return "Too much is open at once. Close a tab, and try again.";
    default:
  }
  switch (code) {
    case "UNAVAILABLE": case "DEADLINE_EXCEEDED": return "Feeds cannot be reached right now.";
    case "PERMISSION_DENIED": return "You may not do that here. Sign in again to allow it.";
    case "UNAUTHENTICATED": return "Your session has ended. Sign in to go on.";
    case "RESOURCE_EXHAUSTED": return "There is no room for more. Try a shorter text.";
    case "INVALID_ARGUMENT": return "That cannot be kept the way it is. Try other words.";
    case "NOT_FOUND": return "That is not there any more.";
    default: return "That did not work. Please try again.";
  }
}

/** Whether somebody only changed their mind. */
export function isSecondThought(cause: unknown): boolean {
  return ["SIGN_IN_CANCELLED", "ACCESS_DENIED"].includes(VibeError.from(cause).reason);
}

/** `a`, `a and b`, `a, b and 3 others`. */
export function list(names: readonly string[]): string {
  const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} others`] : names;
  return new Intl.ListFormat("en", { type: "conjunction" }).format(shown);
}

const steps = [["day", 86_400], ["hour", 3_600], ["minute", 60]] as const;
const relative = new Intl.RelativeTimeFormat("en", { style: "narrow" });
const date = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });

/** How long ago, shortly. */
export function ago(time: string, now: number): string {
  const seconds = (now - Date.parse(time)) / 1000;
  if (seconds > 7 * 86_400) return date.format(new Date(time));
  const step = steps.find(([, length]) => seconds >= length);
  return step ? relative.format(-Math.floor(seconds / step[1]), step[0]) : "now";
}
