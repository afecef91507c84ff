import { claimsOf } from "../auth/base64url.js";
import type { GivenToken } from "../transport.js";

/** Whose token it is: the `sub` of a JWT; empty without a token, and for one that does not say. */
export function subjectOf(given: GivenToken): string {
  const token = typeof given !== "object" ? given : "visitor" in given ? given.visitor : given.token;
  const sub = token ? claimsOf(token)?.["sub"] : undefined;
  return typeof sub === "string" ? sub : "";
}
