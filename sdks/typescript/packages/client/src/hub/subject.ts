/** Whose token it is: the `sub` of a JWT; empty without a token, and for one that does not say. */
export function subjectOf(token: string | undefined): string {
  const payload = token?.split(".")[1];
  if (!payload) return "";
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof sub === "string" ? sub : "";
  } catch {
    return "";
  }
}
