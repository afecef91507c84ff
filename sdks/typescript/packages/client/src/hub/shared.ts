import { newId } from "../documents/uuid.js";
import type { HubPort } from "./hub-client.js";
import type { HubConfig, ToTab } from "./protocol.js";

/** What is said to all on an app's own channel. */
export type Announcement = { readonly type: "connect"; readonly tab: string } | { readonly type: "ready" };

/** How long a shared worker may take before this tab offers to be the hub. */
const workerMs = 5_000;

/** The name that an app's locks, channels and database share. */
export function hubName({ url, app }: HubConfig): string {
  return `vibe ${url} ${app}`;
}

/** The lock that whoever runs an app's hub holds. */
export function hubLock(config: HubConfig): string {
  return `${hubName(config)} hub`;
}

/** Whether the tabs of this browser can share a hub. */
export function canShare(): boolean {
  return typeof document === "object" && typeof BroadcastChannel === "function" && typeof indexedDB === "object" && navigator.locks !== undefined;
}

/**
 * Connects this tab to the hub that the tabs share, whoever runs it: a shared worker, or else one of the tabs. Only who
 * holds the hub's lock runs it, so that there is never a second one. When it dies, one of the tabs goes on.
 */
export function connectShared(config: HubConfig, startWorker: (() => SharedWorker) | undefined): HubPort {
  const name = hubName(config);
  const tab = newId();
  const closed = new AbortController();
  const line = new BroadcastChannel(`${name} ${tab}`);
  const all = new BroadcastChannel(name);
  let waits = false;
  const port: HubPort = {
    send: (message) => line.postMessage(message),
    receive: () => {},
    close() {
      closed.abort();
      line.close();
      all.close();
    },
  };
  line.onmessage = ({ data }: MessageEvent<ToTab>) => {
    // Now that there is one.
    standBy();
    port.receive(data);
  };
  const connect = (): void => all.postMessage({ type: "connect", tab } satisfies Announcement);
  all.onmessage = ({ data }: MessageEvent<Announcement>) => {
    if (data.type === "ready") connect();
  };
  // Held as long as the tab lives: the hub waits for it, and so knows when the tab has gone.
  void navigator.locks.request(`${name} ${tab}`, async () => {
    if (closed.signal.aborted) return;
    connect();
    await new Promise((resolve) => closed.signal.addEventListener("abort", resolve, { once: true }));
  });
  // Waits for the hub to die, and runs it then; while there is none, that is at once.
  const standBy = (): void => {
    if (waits || closed.signal.aborted) return;
    waits = true;
    navigator.locks.request(hubLock(config), { signal: closed.signal }, async () => (await import("./host.js")).host(config, closed.signal)).catch(() => {
      // The code could not be loaded: another tab may have more luck.
      waits = false;
      setTimeout(standBy, workerMs);
    });
  };
  try {
    if (!startWorker) throw new Error("no shared workers here");
    const worker = startWorker();
    worker.onerror = standBy;
    worker.port.postMessage(config);
    setTimeout(standBy, workerMs);
  } catch {
    standBy();
  }
  return port;
}
