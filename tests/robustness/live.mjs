// Live queries of several people at two nodes, while documents are written, opened and closed to people, and the servers and the
// database are killed. After each round every client has what a fresh query under its own rights returns, nothing acknowledged is
// missing from that, and nobody was ever sent a document that was not for them.
import { randomUUID } from "node:crypto";
import { assert, check } from "../conformance/checks.mjs";
import { pause, postmasterPid } from "../processes.mjs";
import { Follower, mayRead } from "./follower.mjs";
import { client, installation } from "./installation.mjs";

const rounds = Number(process.env.VIBE_ROUNDS ?? 4);
const collection = "facts";

export async function live() {
  const place = await installation();
  const node = { first: await place.start() };
  node.second = await place.startOther();
  const urls = [place.url, place.otherUrl];
  const people = await Promise.all(["ann", "ben", "cem", "dee"].map(async (name, index) => {
    const token = await place.token(name);
    const api = client(() => urls[(index + api.turn++) % 2], token);
    api.turn = 0;
    const { id, owner } = await api.call("POST", `/v1/documents?request_id=${randomUUID()}`, { collection: "people", data: {} });
    return { name, token, api, did: owner, id };
  }));
  const visitor = { name: "visitor", token: null, did: null, api: client(() => place.url, null) };
  const followers = [...people, visitor].flatMap((person) => targets(person).map((target) => new Follower(urls, person, target)));

  // What was acknowledged: the last version of each document that is not deleted.
  const facts = new Map();
  const faults = faultsOf(place, node);
  let count = 0;
  for (let round = 0; round < rounds; round++) {
    const writing = { stopped: false };
    const work = people.map((person) => write(person, people, facts, writing));
    for (const kind of round % 2 ? [pick(Object.keys(faults))] : [pick(Object.keys(faults)), pick(Object.keys(faults))]) {
      await pause(100 + Math.random() * 400);
      for (const follower of followers.filter(() => Math.random() < 0.1)) follower.drop();
      await faults[kind]();
      count++;
    }
    await pause(200);
    writing.stopped = true;
    const outcomes = await Promise.allSettled(work);
    await check(`live, round ${round + 1}: every writer could go on`, async () =>
      assert.deepEqual(outcomes.filter(({ status }) => status === "rejected").map(({ reason }) => `${reason}`), []));
    await check(`live, round ${round + 1}: what each client has is what its query returns, with all that was acknowledged`, () =>
      Promise.all(followers.map((follower) => settles(follower, facts))));
  }

  const streams = followers.reduce((sum, follower) => sum + follower.streams, 0);
  await check("live: nobody was sent a document that was not for them", async () =>
    assert.deepEqual(followers.flatMap(({ person, forbidden }) => forbidden.map((document) => [person.name, document])), []));
  await check("live: no client gave up", () => Promise.all(followers.map((follower) => follower.stop())));
  console.log(`live: ${followers.length} clients, ${streams} streams, ${rounds * followers.length} histories, ${count} faults, ${facts.size} documents at the end`);
  for (const server of [node.second, node.first]) {
    server.kill("SIGTERM");
    await server.ended;
  }
  place.remove();
}

const pick = (values) => values[Math.floor(Math.random() * values.length)];

const targets = ({ did }) => [
  { collection, scope: "ALL" },
  { collection, scope: "PUBLIC", filter: "data.open = true" },
  { collection, scope: "ALL", limit: 5, order_by: "data.n, id" },
  ...(did ? [{ collection, scope: "OWN", filter: "data.n < 50" }, { collection, scope: "SHARED" }] : []),
];

// The database lives with the first node: who kills that one kills both.
function faultsOf(place, node) {
  const again = async (name, start, signal) => {
    node[name].kill(signal);
    await node[name].ended;
    node[name] = await start();
  };
  return {
    database: async () => process.kill(postmasterPid(place.data), "SIGKILL"),
    node: () => again("second", place.startOther, "SIGKILL"),
    leaving: () => again("second", place.startOther, "SIGTERM"),
    owner: () => again("first", place.start, "SIGKILL"),
    both: async () => {
      process.kill(postmasterPid(place.data), "SIGKILL");
      await again("first", place.start, "SIGKILL");
    },
  };
}

// Makes, changes, opens, closes and deletes documents of one person. Who may read a version stands in its body.
async function write(person, people, facts, writing) {
  const id = (path) => `${path}${path.includes("?") ? "&" : "?"}request_id=${randomUUID()}`;
  const mine = () => [...facts.values()].filter(({ owner }) => owner === person.did);
  while (!writing.stopped) {
    const dids = people.map(({ did }) => did);
    const readers = ["*", "users", ...dids].filter(() => Math.random() < 0.25);
    const denied = dids.filter(() => Math.random() < 0.1);
    const body = {
      data: { n: Math.floor(Math.random() * 100), open: Math.random() < 0.5, readers, denied },
      acl: { read: { allow: readers, deny: denied } },
    };
    const target = pick(mine());
    const act = target ? Math.random() : 0;
    if (act < 0.3) {
      const made = await person.api.call("POST", id("/v1/documents"), { collection, ...body });
      facts.set(made.id, made);
    } else if (act < 0.45) {
      const writes = Array.from({ length: 4 }, () => ({ create: { collection, ...body } }));
      const { documents } = await person.api.call("POST", "/v1/documents:batchWrite", { writes, requestId: randomUUID() });
      for (const made of documents) facts.set(made.id, made);
    } else if (act < 0.85) {
      facts.set(target.id, await person.api.call("PATCH", id(`/v1/documents/${target.id}?update_mask=data,acl`), body));
    } else {
      await person.api.call("DELETE", id(`/v1/documents/${target.id}`));
      facts.delete(target.id);
    }
    await pause(5);
  }
}

// The client comes to hold what the query returns; and what everyone may see of all that was acknowledged is in the query of all.
async function settles(follower, facts) {
  const { person, target } = follower;
  const { limit, order_by, ...query } = target;
  const listed = limit
    ? (await person.api.call("GET", `/v1/documents?${new URLSearchParams({ ...query, order_by, page_size: limit })}`)).documents ?? []
    : await person.api.all(collection, query);
  const names = (documents) => [...documents].map(({ id, revision }) => `${id} r${revision}`).sort();
  if (!limit && target.scope === "ALL") {
    assert.deepEqual(names(listed), names([...facts.values()].filter((document) => mayRead(person, document))), `${person.name}: acknowledged`);
  }
  const expected = names(listed);
  for (const until = Date.now() + 60_000; ;) {
    const has = names(follower.documents.values());
    if (has.length === expected.length && has.every((name, index) => name === expected[index])) return;
    if (Date.now() > until) assert.deepEqual(has, expected, `${person.name} follows ${JSON.stringify(target)}`);
    await pause(20);
  }
}
