// Watches the server from beside, in a thread of its own that no attack slows down: it asks for its health all the time and
// measures its memory. Messages to the parent: {worst, calls, failed: [], rss, peak} whenever asked.
import { readFileSync } from "node:fs";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

// Starts watching. read(): what was seen since the last read.
export function watch({ url, pid }) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { url, pid } });
  const ask = (what) => new Promise((resolve) => {
    worker.once("message", resolve);
    worker.postMessage(what);
  });
  return { read: () => ask("read"), stop: () => worker.terminate() };
}

if (!isMainThread && workerData?.pid) {
  const fresh = () => ({ worst: 0, calls: 0, failed: [], peak: 0, rss: 0 });
  let seen = fresh();
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${workerData.pid}/status`, "utf8"))[1]) * 1024;
  parentPort.on("message", () => {
    parentPort.postMessage(seen);
    seen = fresh();
  });
  (async () => {
    for (;;) {
      try {
        seen.rss = memory();
        seen.peak = Math.max(seen.peak, seen.rss);
      } catch {
        seen.failed.push("the process is gone");
      }
      await pause(50);
    }
  })();
  // A new connection each time, as a load balancer makes it: what floods connections must not keep it out.
  for (;;) {
    for (const path of ["/healthz", "/readyz"]) {
      const begin = performance.now();
      try {
        const response = await fetch(workerData.url + path, { headers: { connection: "close" }, signal: AbortSignal.timeout(30_000) });
        await response.text();
        if (response.status !== 200) seen.failed.push(`${path}: ${response.status}`);
      } catch (error) {
        seen.failed.push(`${path}: ${error.cause?.code ?? error.message}`);
      }
      seen.calls++;
      seen.worst = Math.max(seen.worst, performance.now() - begin);
    }
    await pause(50);
  }
}
