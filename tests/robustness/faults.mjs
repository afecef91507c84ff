// What happens to a cluster while people write and follow. Each fault begins in a whole cluster and leaves a whole one behind;
// `workload` goes on meanwhile.
import { assert } from "../checks.mjs";
import { pause } from "../processes.mjs";
import { fullDisk, fullOfLog } from "./disks.mjs";
import { amidMany } from "./streams.mjs";

// Kills at moments that are nobody's choice.
const anyMoment = {
  "node killed": async ({ random, place: cluster }) => {
    await pause(random.between(0, 200));
    await again(random.pick(cluster.nodes));
  },
  "database killed": async ({ random, place: cluster }) => {
    await pause(random.between(0, 200));
    await killDatabase(cluster);
  },
  "nodes and database killed": async ({ place: cluster }) => {
    await Promise.all([...cluster.nodes.map((node) => node.kill()), cluster.postgres.kill()]);
    await cluster.postgres.start();
    await Promise.all(cluster.nodes.map((node) => node.start()));
  },
};

// Kills at named points.
const points = {
  "node killed after a commit, before its answer": (run) => afterCommit(run, (node) => again(node)),
  "database killed after a commit, before its answer": (run) => afterCommit(run, () => killDatabase(run.place)),
  "node killed in a transaction": (run) => inTransaction(run, (node) => again(node)),
  "database killed in a transaction": (run) => inTransaction(run, () => killDatabase(run.place)),
  "node killed while it drains": (run) => inTransaction(run, (node) => whileDraining(node, () => node.kill())),
  "database killed while a node drains": (run) => inTransaction(run, (node) => whileDraining(node, () => killDatabase(run.place))),
  "node killed in a snapshot": (run) => amidMany(run, { resumes: false }, (node) => again(node)),
  "database killed in a snapshot": (run) => amidMany(run, { resumes: false }, () => killDatabase(run.place)),
  "node killed in a catch-up": (run) => amidMany(run, { resumes: true }, (node) => again(node)),
  "database killed in a catch-up": (run) => amidMany(run, { resumes: true }, () => killDatabase(run.place)),
};

// What lies between clients and nodes, and between nodes and database.
const connections = {
  "clients cut off": async ({ random, place: cluster }) => {
    for (let count = 0; count < 5; count++) {
      cluster.front.cut(random, 0.5);
      await pause(random.between(50, 300));
    }
  },
  "answers cut in their middle": async ({ random, place: cluster, workload }) => {
    for (let count = 0; count < 3; count++) {
      cluster.front.halve(random);
      await workload.progress(10);
    }
  },
  "clients held": ({ random, place: cluster }) => held(cluster.front, random),
  "slow clients": ({ random, place: cluster, workload }) => slow(cluster.front, random, workload),
  "database cut off from a node": async ({ random, place: cluster }) => {
    const { link } = random.pick(cluster.nodes);
    for (let count = 0; count < 5; count++) {
      link.cut(random, 0.5);
      await pause(random.between(50, 300));
    }
  },
  "database held from a node": ({ random, place: cluster }) => held(random.pick(cluster.nodes).link, random),
  "slow database for a node": ({ random, place: cluster, workload }) => slow(random.pick(cluster.nodes).link, random, workload),
};

// What the database does to its clients while it runs.
const database = {
  "slot lost": async ({ place: cluster, workload }) => {
    for (let count = 0; count < 2; count++) {
      await cluster.postgres.sql("select count(pg_terminate_backend(pid)) from pg_stat_replication");
      await workload.progress(20);
    }
  },
  "no slot is free": async ({ random, place: cluster, workload }) => {
    const node = random.pick(cluster.nodes);
    await node.kill();
    const free = "select 4 - count(*) from pg_replication_slots";
    for (let count = Number((await cluster.postgres.sql(free))[0]); count > 0; count--) {
      await cluster.postgres.sql(`select pg_create_physical_replication_slot('taken_${count}')`);
    }
    // It polls instead, for as long as it lives.
    await node.start();
    await workload.progress(60);
    await cluster.postgres.sql("select count(pg_drop_replication_slot(slot_name)) from pg_replication_slots where slot_name like 'taken_%'");
    await again(node);
  },
  "connections ended": async ({ random, place: cluster }) => {
    const { address } = random.pick(cluster.nodes);
    await cluster.postgres.sql(`select count(pg_terminate_backend(pid)) from pg_stat_activity where client_addr = '${address}'`);
  },
  "long transaction": async ({ random, place: cluster, workload }) => {
    const session = cluster.postgres.session();
    await session.run("begin");
    // It has a number, and so has whatever looks at the database meanwhile in its snapshot.
    await session.run("select pg_current_xact_id()");
    await workload.progress(60);
    cluster.front.cut(random, 0.5);
    await workload.progress(60);
    await session.run(random.chance(0.5) ? "commit" : "rollback");
    await session.end();
  },
  "disk full": ({ place: cluster, workload }) => fullDisk(cluster, workload),
  "disk full of log": async ({ place: cluster }) => {
    await fullOfLog(cluster);
    await cluster.postgres.comesBack();
  },
};

const clocks = {
  "clock of a node jumps": async ({ random, place: cluster, workload }) => {
    const clock = cluster.clock();
    const node = random.pick(cluster.nodes);
    await node.leave();
    await node.start(clock.environment);
    // Back by less than the 30 seconds that are allowed for: a token from further in the future is not believed.
    for (const seconds of [random.between(60, 3600), random.between(-28, -20)]) {
      await jumps(clock, Math.round(seconds), async () => Date.parse((await fetch(`${node.url}/healthz`)).headers.get("date")));
      await workload.progress(40);
    }
    await again(node);
  },
  "clock of the database jumps": async ({ random, place: cluster, workload }) => {
    const clock = cluster.clock();
    await cluster.postgres.kill();
    await cluster.postgres.start(clock.environment);
    for (const seconds of [random.between(60, 3600), random.between(-3600, -20)]) {
      await jumps(clock, Math.round(seconds), async () => 1000 * Number((await cluster.sql("select extract(epoch from now())"))[0]));
      await workload.progress(40);
    }
    await killDatabase(cluster);
  },
};

// Until whoever goes by the clock says so. read: its time, in milliseconds.
async function jumps(clock, seconds, read) {
  clock.jump(seconds);
  for (const until = Date.now() + 60_000; ; await pause(20)) {
    const apart = ((await read()) - Date.now()) / 1000;
    if (Math.abs(apart - seconds) < 10) return;
    if (Date.now() > until) throw new Error(`the clock is ${apart} s off and not ${seconds}`);
  }
}

const membership = {
  "node leaves and comes back": async ({ random, place: cluster, workload }) => {
    const node = random.pick(cluster.nodes);
    assert.equal(await node.leave(), 0);
    await workload.progress(40);
    await node.start();
  },
  "rolling restart": async ({ place: cluster }) => {
    for (const node of cluster.nodes) {
      assert.equal(await node.leave(), 0);
      await node.start();
      assert.equal((await fetch(`${node.url}/readyz`)).status, 200);
    }
  },
};

const all = { ...membership, ...points, ...connections, ...database, ...clocks, ...anyMoment };

// One of each family comes first: that is what a short run has.
export const faults = {
  ...Object.fromEntries([
    "rolling restart", "node killed after a commit, before its answer", "database killed in a catch-up", "disk full", "clock of a node jumps",
    "answers cut in their middle", "slot lost", "database killed in a transaction",
  ].map((name) => [name, all[name]])),
  ...all,
};

async function again(node) {
  await node.kill();
  await node.start();
}

async function killDatabase({ postgres }) {
  await postgres.kill();
  await postgres.start();
}

// A write is committed, and what the database says about it does not arrive: whoever asked hears nothing, and asks again.
async function afterCommit({ random, place: cluster, workload }, kill) {
  const node = random.pick(cluster.nodes);
  const write = workload.create(random.pick(workload.people));
  node.link.holdAfter(Buffer.from(write.id.replaceAll("-", ""), "hex"));
  const attempt = write.attempt(node.url);
  await cluster.until(`select exists (select from vibe.documents where id = '${write.id}')`);
  const killed = kill(node);
  node.link.cut();
  node.link.release();
  await killed;
  assert.equal(await attempt, null);
  await write.send();
}

// A write of the node waits for a lock, in its transaction.
async function inTransaction({ random, place: cluster, workload }, kill) {
  const node = random.pick(cluster.nodes);
  const write = workload.create(random.pick(workload.people));
  const session = cluster.postgres.session();
  await session.run("begin");
  await session.run("lock table vibe.documents in share mode");
  const attempt = write.attempt(node.url);
  await cluster.until(`select exists (select from pg_stat_activity where wait_event_type = 'Lock' and client_addr = '${node.address}')`);
  await kill(node);
  await session.end();
  await attempt;
  await write.send();
}

async function whileDraining(node, kill) {
  node.process.kill("SIGTERM");
  for (let isServing = true; isServing; ) isServing = await fetch(`${node.url}/readyz`).then(({ ok }) => ok, () => false);
  await kill();
  await node.process.ended;
  await node.start();
}

async function held(proxy, random) {
  proxy.hold(...random.pick([["up"], ["down"], ["up", "down"]]));
  await pause(random.between(500, 2000));
  // What was under way arrives late, or not at all.
  if (random.chance(0.5)) proxy.cut();
  proxy.release();
}

async function slow(proxy, random, workload) {
  proxy.delay = random.between(2, 30);
  proxy.rate = random.between(50_000, 500_000);
  await workload.progress(40);
  proxy.delay = proxy.rate = 0;
}
