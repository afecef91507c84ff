// Clients that do not give up: what says «try again» is tried again, under the same request id, and counted.
import { pause } from "../processes.mjs";

const patience = 90_000;

// Errors that were tried again, by kind, of all clients together.
export const retried = new Map();

// What an error says, in a word; null when it does not say «try again».
// No connection or an answer cut off; UNAVAILABLE; ABORTED with WRITE_CONFLICT; and a full disk, which somebody frees.
export function retryKind(error) {
  if (error.status === undefined) return error.cause?.code ?? error.name;
  const again = error.status === 503 || error.reason === "WRITE_CONFLICT" || error.reason === "STORAGE_FULL";
  return again ? `${error.status} ${error.reason}` : null;
}

export function count(kind) {
  retried.set(kind, (retried.get(kind) ?? 0) + 1);
}

// url: of the server. token: null for a signed-out visitor. `consistency` is the token of its last write.
export function client(url, token) {
  const once = async (method, path, body) => {
    const response = await fetch(url + path, {
      method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(10_000),
      headers: { ...(token && { authorization: `Bearer ${token}` }), "content-type": "application/json" },
    });
    const text = await response.text();
    if (!response.ok) throw failure(response.status, text, `${method} ${path}`);
    self.consistency = response.headers.get("vibe-consistency-token") ?? self.consistency;
    return JSON.parse(text);
  };
  const call = async (method, path, body) => {
    for (const until = Date.now() + patience; ;) {
      try {
        return await once(method, path, body);
      } catch (error) {
        const kind = retryKind(error);
        if (!kind || Date.now() > until) throw error;
        count(kind);
        await pause(kind.endsWith("STORAGE_FULL") ? 200 : 20);
      }
    }
  };
  // query: what else the list is asked for.
  const all = async (collection, query = {}) => {
    const documents = [];
    for (let token = ""; ;) {
      const page = await call("GET", `/v1/documents?${new URLSearchParams({ collection, page_size: 1000, ...query, page_token: token })}`);
      documents.push(...(page.documents ?? []));
      token = page.nextPageToken;
      if (!token) return documents;
    }
  };
  const self = { once, call, all, consistency: null };
  return self;
}

export const failure = (status, text, what = "") =>
  Object.assign(new Error(`${what} ${status} ${text}`), { status, reason: /"reason": ?"(\w+)"/.exec(text)?.[1] ?? "" });
