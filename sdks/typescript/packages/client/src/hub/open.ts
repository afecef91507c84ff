import { VibeError } from "../errors.js";
import type { ClientOptions, CollectionOptions } from "../options.js";
import type { TokenSource } from "../transport.js";
import { HubClient } from "./hub-client.js";
import type { HubPort, TabEvents } from "./hub-client.js";
import type { HubConfig, Question } from "./protocol.js";
import { canShare, connectShared } from "./shared.js";

/** Connects a client to its hub: the one that all tabs share, or one of its own. */
export function openHub<C extends object>(options: ClientOptions<C>, token: TokenSource, events: Omit<TabEvents, "answer">): HubClient {
  const collections = (options.collections ?? {}) as Readonly<Record<string, CollectionOptions<object> | undefined>>;
  const config: HubConfig = {
    url: options.url,
    app: options.app ?? "",
    policies: Object.fromEntries(Object.entries(collections).map(([name, of]) => [name, typeof of?.conflict === "function" ? "merge" : of?.conflict ?? "lastWriterPerField"])),
    ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
    ...(options.longestPauseMs === undefined ? {} : { longestPauseMs: options.longestPauseMs }),
  };
  const answer = async (question: Question): Promise<unknown> => {
    if (question.kind === "token") return await token(question);
    const merge = collections[question.collection]?.conflict;
    if (typeof merge !== "function") throw new VibeError({ code: "ABORTED", reason: "ETAG_MISMATCH", message: "this version of the app does not merge" });
    return merge(question.base, question.mine, question.theirs);
  };
  return new HubClient(portOf(options, config), config, { ...events, answer });
}

function portOf<C extends object>({ store, fetch, worker }: ClientOptions<C>, config: HubConfig): HubPort {
  if (!store && !fetch && canShare()) {
    const own = typeof SharedWorker === "function" ? () => new SharedWorker(new URL("./worker.js", import.meta.url), { type: "module" }) : undefined;
    return connectShared(config, worker === false ? undefined : worker ?? own);
  }
  return deferred(Promise.all([import("./in-process.js"), import("../store/memory-store.js")])
    .then(([{ startInProcess }, { MemoryStore }]) => startInProcess(config, store ?? new MemoryStore(), fetch)));
}

// A line to a hub whose code is still being loaded.
function deferred(opening: Promise<HubPort>): HubPort {
  let port: HubPort | undefined;
  let closed = false;
  const outer: HubPort = {
    send: (message) => port?.send(message),
    receive: () => {},
    close() {
      closed = true;
      port?.close();
    },
  };
  void opening.then((opened) => {
    port = opened;
    opened.receive = (message) => outer.receive(message);
    if (closed) opened.close();
  });
  return outer;
}
