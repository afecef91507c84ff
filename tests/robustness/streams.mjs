// A stream with many documents, interrupted while it is sent its first ones, or what it missed.
import { randomUUID } from "node:crypto";
import { assert } from "../checks.mjs";
import { pause } from "../processes.mjs";
import { Follower } from "./follower.mjs";
import { difference } from "./judge.mjs";

const collection = "many";
// Six pages of a snapshot and three of a catch-up: with the database so slow, each leaves a second to be killed in.
const documents = 1100;
const bytes = 600;
const bytesPerSecond = 300_000;

// Nothing else is known of these documents: what is held against a fresh query at the end says it all.
const world = { facts: new Map(), isGone: () => false, couldRead: () => true };

// resumes: whether the stream goes on from a cursor. kill: what happens to the node, or to the database, meanwhile.
export async function amidMany(run, { resumes }, kill) {
  // A busy machine may notice the first documents when the last are there: then once more, and slower.
  for (let rate = bytesPerSecond; !(await amid(run, resumes, rate, kill)); rate /= 2) {
    assert.ok(rate > bytesPerSecond / 50, "the stream always had its documents before the kill");
  }
}

async function amid({ random, place: cluster, workload }, resumes, rate, kill) {
  const node = random.pick(cluster.nodes);
  const person = workload.people[0];
  await fill(person, random);
  const follower = new Follower(node.url, person, { collection, scope: "OWN" }, world);
  if (resumes) {
    follower.start();
    await until(() => follower.isReady);
    // A node that has just started knows nothing of what was before: what was missed comes from the tables.
    await node.kill();
    await fill(person, random);
    node.link.rate = rate;
    await node.start();
  } else {
    node.link.rate = rate;
    follower.start();
  }
  const before = follower.frames;
  await until(() => follower.frames > before);
  const isAmid = !follower.isReady;
  const killed = kill(node);
  node.link.rate = 0;
  await killed;
  await until(() => follower.isReady);
  const listed = await person.api.all(collection, { scope: "OWN" });
  await until(() => !difference(follower.documents.values(), listed).length);
  assert.deepEqual(follower.judge(), []);
  await follower.stop();
  return isAmid;
}

// Every document gets a new text.
async function fill({ api }, random) {
  const text = `${random.next()}`.padEnd(bytes, "x");
  for (let first = 0; first < documents; first += 500) {
    const writes = Array.from({ length: Math.min(500, documents - first) }, (_, index) =>
      ({ upsert: { collection, key: `${first + index}`, data: { text, readers: [], denied: [] } } }));
    await api.call("POST", "/v1/documents:batchWrite", { writes, requestId: randomUUID() });
  }
}

async function until(holds) {
  for (const until = Date.now() + 60_000; !holds(); await pause(5)) if (Date.now() > until) throw new Error(`never: ${holds}`);
}
