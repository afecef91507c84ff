import type { Store } from "../store/store.js";
import { Hub } from "./hub.js";
import type { HubPort } from "./hub-client.js";
import type { HubConfig, ToHub, ToTab } from "./protocol.js";
import type { TabPort } from "./tabs.js";

/** A hub beside its only tab, in one process: Node, tests, and browsers without locks. */
export function startInProcess(config: HubConfig, store: Store, fetch?: typeof globalThis.fetch): HubPort {
  const hub = new Hub(config, store, fetch);
  const [tabEnd, hubEnd] = line();
  const closeTab = tabEnd.close;
  tabEnd.close = () => {
    closeTab();
    hub.detach(hubEnd);
    hub.close();
  };
  // The tab sets its receiver first.
  queueMicrotask(() => hub.attach(hubEnd));
  return tabEnd;
}

/** The two ends of a line that delivers in order and never at once, as between tabs. */
export function line(): [HubPort, TabPort] {
  let open = true;
  const post = <T>(to: { receive(message: T): void }, message: T): void => queueMicrotask(() => {
    if (open) to.receive(message);
  });
  const close = (): void => {
    open = false;
  };
  const tabEnd: HubPort = { send: (message: ToHub) => post(hubEnd, message), receive: () => {}, close };
  const hubEnd: TabPort = { send: (message: ToTab) => post(tabEnd, message), receive: () => {}, close };
  return [tabEnd, hubEnd];
}
