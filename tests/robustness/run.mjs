// Kills the server and the database with SIGKILL while clients write. Afterwards: every acknowledged write is there,
// and every request has had its effect exactly once. Ends with: N passed, N failed.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { randomUUID } from "node:crypto";
import { assert, check, totals } from "../conformance/checks.mjs";
import { execute, freePort, pause, postmasterPid, root, startServer } from "../processes.mjs";

const vibe = `${root}scripts/vibe`;
const writers = 8;
const kills = Number(process.env.VIBE_KILLS ?? 6);

await faults("the server", (server) => server.kill("SIGKILL"));
await faults("the database", (_, data) => process.kill(postmasterPid(data), "SIGKILL"));
await faults("both", (server, data) => {
  process.kill(postmasterPid(data), "SIGKILL");
  server.kill("SIGKILL");
});

console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);

async function faults(what, kill) {
  const folder = mkdtempSync(`${tmpdir()}/vibe-robustness-`);
  chmodSync(folder, 0o755); // The database does not run as root: its user must get in.
  const data = `${folder}/data`;
  const port = await freePort();
  const start = () => startServer(vibe, ["serve", "--port", `${port}`, "--data", data]);
  let server = await start();
  const { stdout } = await execute(vibe, ["token", "--user", "writer", "--data", data]);
  const api = client(`http://127.0.0.1:${port}`, stdout.trim());

  const run = { stopped: false, created: new Map(), counters: [] };
  const work = Array.from({ length: writers }, (_, index) => write(api, run, index));
  for (let count = 0; count < kills; count++) {
    const before = run.created.size;
    // Each kill meets a system that has just acknowledged something.
    while (run.created.size < before + 20) await pause(5);
    await pause(Math.random() * 50);
    kill(server, data);
    if (server.killed) {
      await server.ended;
      server = await start();
    }
  }
  const before = run.created.size;
  while (run.created.size < before + 20) await pause(5);
  run.stopped = true;
  const outcomes = await Promise.allSettled(work);

  await check(`${what} killed ${kills} times: every client could go on`, async () =>
    assert.deepEqual(outcomes.filter(({ status }) => status === "rejected").map(({ reason }) => `${reason}`), []));

  const stored = await api.all("facts");
  await check(`${what} killed: none of ${run.created.size} acknowledged documents is lost or doubled`, async () => {
    const numbers = stored.map(({ data }) => data.number).sort();
    assert.deepEqual(numbers, [...new Set(numbers)]);
    for (const [number, id] of run.created) assert.equal(stored.find((document) => document.data.number === number)?.id, id, number);
    assert.equal(stored.length, run.created.size);
  });
  await check(`${what} killed: every increment counts once`, async () => {
    for (const { id, increments } of run.counters) {
      const document = await api.call("GET", `/v1/documents/${id}`);
      assert.deepEqual([document.data.n, document.revision], [increments, `${increments + 1}`]);
    }
  });

  server.kill("SIGTERM");
  await check(`${what} killed: the server still stops cleanly`, async () => assert.equal((await server.ended)[0], 0));
  rmSync(folder, { recursive: true, force: true });
}

// Creates documents and increments one of its own, repeating a request that failed with its request id until it is answered.
async function write(api, run, index) {
  const counter = { increments: 0 };
  counter.id = (await api.call("POST", `/v1/documents?request_id=${randomUUID()}`, { collection: "counters", data: { n: 0 } })).id;
  run.counters.push(counter);
  for (let round = 0; !run.stopped; round++) {
    const number = `${index}-${round}`;
    const made = await api.call("POST", `/v1/documents?request_id=${randomUUID()}`, { collection: "facts", data: { number } });
    run.created.set(number, made.id);
    await api.call("PATCH", `/v1/documents/${counter.id}?request_id=${randomUUID()}`, { data: { n: counter.increments + 1 } });
    counter.increments++;
  }
}

function client(url, token) {
  const once = async (method, path, body) => {
    const response = await fetch(url + path, {
      method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(10_000),
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    });
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(`${response.status} ${JSON.stringify(answer)}`), { status: response.status });
    return answer;
  };
  // Only what says «try again» is tried again: no connection, 503 (UNAVAILABLE), 409 (ABORTED), an answer cut off.
  const call = async (method, path, body) => {
    for (const until = Date.now() + 60_000; ;) {
      try {
        return await once(method, path, body);
      } catch (error) {
        if ((error.status !== undefined && ![503, 409].includes(error.status)) || Date.now() > until) throw error;
        await pause(20);
      }
    }
  };
  const all = async (collection) => {
    const documents = [];
    for (let token = ""; ;) {
      const page = await call("GET", `/v1/documents?collection=${collection}&page_size=1000&page_token=${token}`);
      documents.push(...(page.documents ?? []));
      token = page.nextPageToken;
      if (!token) return documents;
    }
  };
  return { call, all };
}
