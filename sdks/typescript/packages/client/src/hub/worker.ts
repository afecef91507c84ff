// The shared worker: runs the hubs of the apps of one origin.
import { host } from "./host.js";
import type { HubConfig } from "./protocol.js";
import { hubLock, hubName } from "./shared.js";

const hosted = new Set<string>();

addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports;
  port!.onmessage = ({ data }: MessageEvent<HubConfig>) => {
    if (hosted.has(hubName(data))) return;
    hosted.add(hubName(data));
    void navigator.locks.request(hubLock(data), () => host(data, new AbortController().signal));
  };
});
