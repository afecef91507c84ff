/** A new UUIDv7: ordered by time, made without asking anyone, so that a document made offline keeps its id. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const now = Date.now();
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (40 - 8 * i));
  return format(bytes, 0x70);
}

/** The id of the document with a key; the server derives the same. */
export async function idOfKey(owner: string, collection: string, key: string): Promise<string | undefined> {
  // Absent outside of secure contexts: the id is then known when the server has answered.
  const hash = await globalThis.crypto.subtle?.digest("SHA-256", new TextEncoder().encode(`${owner}\0${collection}\0${key}`));
  return hash && format(new Uint8Array(hash, 0, 16), 0x80);
}

function format(bytes: Uint8Array, version: number): string {
  bytes[6] = bytes[6]! & 0x0f | version;
  bytes[8] = bytes[8]! & 0x3f | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
