// Kills the server and the database with SIGKILL while clients write. Afterwards: every acknowledged write is there,
// and every request has had its effect exactly once.
import { randomUUID } from "node:crypto";
import { assert, check } from "../conformance/checks.mjs";
import { pause, postmasterPid } from "../processes.mjs";
import { client, installation } from "./installation.mjs";

const writers = 8;
const kills = Number(process.env.VIBE_KILLS ?? 3);

export async function writes() {
  await faults("the server", (server) => server.kill("SIGKILL"));
  await faults("the database", (_, data) => process.kill(postmasterPid(data), "SIGKILL"));
  await faults("both", (server, data) => {
    process.kill(postmasterPid(data), "SIGKILL");
    server.kill("SIGKILL");
  });
}

async function faults(what, kill) {
  const place = await installation();
  const { data } = place;
  let server = await place.start();
  const api = client(() => place.url, await place.token("writer"));

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
      server = await place.start();
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
  place.remove();
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
