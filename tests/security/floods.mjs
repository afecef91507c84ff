// Resource attacks: while each goes on, and after it, the server must answer for its health and keep its memory within bounds.
import { Worker } from "node:worker_threads";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { assert, check } from "../checks.mjs";
import { floods } from "./attackers.mjs";
import { mistakes } from "./judge.mjs";

// Far above what it needs, and far below what one attack without a bound takes.
const mostBytes = 3 * 1024 * (1 << 20);
const mebibytes = (bytes) => `${Math.round(bytes / (1 << 20))}`;

// seconds: how long each goes on.
export async function flood(target, world, monitor, seconds) {
  const { mallories, account } = target.tokens;
  for (let left = 10; left > 0; left--) {
    await target.call(mallories[0], "POST", "/v1/documents:batchWrite", {
      writes: Array.from({ length: 100 }, (_, n) => ({ create: { collection: "large", data: { n, text: "x".repeat(20_000) } } })),
    });
  }
  for (const name of Object.keys(floods)) {
    await monitor.read();
    const logged = target.server.errors.length;
    const { url, port } = target;
    const worker = new Worker(fileURLToPath(new URL("./attackers.mjs", import.meta.url)), { workerData: { flood: name, url, port, tokens: [...mallories, account], facts: world.facts, seconds } });
    const [done] = await once(worker, "message");
    await worker.terminate();
    await answersAgain(target, world);
    const seen = await monitor.read();
    console.log(`flood      ${name}: ${done} in ${seconds}s; health ${seen.calls} calls, slowest ${Math.round(seen.worst)} ms; memory at most ${mebibytes(seen.peak)} MiB`);
    await check(`flood: ${name}: health is answered, memory is bounded`, async () => {
      assert.deepEqual(seen.failed, []);
      assert.deepEqual(mistakes(target.server.errors.slice(logged)).map((line) => line.slice(0, 300)), []);
      assert.ok(seen.calls > 0);
      assert.ok(seen.peak < mostBytes, `${mebibytes(seen.peak)} MiB`);
    });
  }
}

// An honest caller gets an answer, and a live query, when it is over; one that shares a bucket with the attacker may have to wait.
async function answersAgain(target, world) {
  for (const end = Date.now() + 60_000; ;) {
    const response = await fetch(`${target.url}/v1/documents/${world.facts.open}`, { headers: { authorization: `Bearer ${target.tokens.alice}`, connection: "close" }, signal: AbortSignal.timeout(30_000) }).catch((error) => error);
    if (response.status === 200) return;
    if (Date.now() > end) throw new Error(`no answer for an honest caller: ${response.status ?? response}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
