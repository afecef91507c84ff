import { IndexedDbStore } from "../store/indexed-db-store.js";
import { MemoryStore } from "../store/memory-store.js";
import { Hub } from "./hub.js";
import type { HubConfig, ToHub } from "./protocol.js";
import type { Announcement } from "./shared.js";
import { hubName } from "./shared.js";
import type { TabPort } from "./tabs.js";

/** Runs the hub of an app until the signal is aborted. The caller holds the hub's lock, so that there is never a second one. */
export async function host(config: HubConfig, signal: AbortSignal): Promise<void> {
  const name = hubName(config);
  const hub = new Hub(config, await IndexedDbStore.open(name).catch(() => new MemoryStore()));
  const all = new BroadcastChannel(name);
  const tabs = new Set<string>();
  all.onmessage = ({ data }: MessageEvent<Announcement>) => {
    if (data.type !== "connect" || tabs.has(data.tab)) return;
    tabs.add(data.tab);
    attach(hub, `${name} ${data.tab}`, () => tabs.delete(data.tab));
  };
  all.postMessage({ type: "ready" } satisfies Announcement);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  all.close();
  hub.close();
}

function attach(hub: Hub, name: string, gone: () => void): void {
  const line = new BroadcastChannel(name);
  let open = true;
  const port: TabPort = {
    send: (message) => open && line.postMessage(message),
    receive: () => {},
    close() {
      open = false;
      line.close();
    },
  };
  line.onmessage = ({ data }: MessageEvent<ToHub>) => port.receive(data);
  hub.attach(port);
  void navigator.locks.request(name, () => {
    gone();
    hub.detach(port);
    port.close();
  });
}
