// Kills while a new database is filled with its schema: the next start, of both nodes at once, finishes it.
import { assert, check } from "../checks.mjs";
import { client } from "./client.mjs";

export const startFaults = {
  "node killed in a migration": (cluster) => cluster.nodes[0].kill(),
  "database killed in a migration": (cluster) => cluster.postgres.kill(),
};

export async function start({ faults, more, tally }, cluster) {
  const names = Object.keys(faults);
  for (let round = 1; more(round); round++) {
    const name = names[round % names.length];
    await check(`start, round ${round}, ${name}`, () => oneStart(cluster, faults[name]), 300_000);
    tally.faults.set(name, (tally.faults.get(name) ?? 0) + 1);
    tally.histories++;
    console.log(`start, round ${round}: ${name}`);
  }
}

async function oneStart(cluster, kill) {
  const { postgres, nodes } = cluster;
  while (!(await amidMigrations(cluster, kill)));
  if (!postgres.isRunning) await postgres.start();
  await Promise.all(nodes.map((node) => node.start()));
  const token = await cluster.token("ann");
  for (const { url } of nodes) {
    const { id } = await client(url, token).call("POST", "/v1/documents", { collection: "facts", data: { readers: [] } });
    for (const other of nodes) assert.equal((await client(other.url, token).call("GET", `/v1/documents/${id}`)).id, id);
  }
}

// Returns whether the first start was cut off: on a busy machine it may be over before it is noticed.
async function amidMigrations(cluster, kill) {
  const { postgres, nodes } = cluster;
  for (const node of nodes) if (node.isRunning) await node.kill();
  await postgres.sql("drop database vibe with (force)", "postgres");
  await postgres.sql("create database vibe", "postgres");

  let isOver = false;
  const started = nodes[0].start().then(() => (isOver = true), () => false);
  await cluster.until("select to_regclass('vibe.schema_migrations') is not null");
  // The record of what has run can be read and not be written: a migration has run and is not recorded.
  const session = postgres.session();
  await session.run("begin");
  await session.run("lock table vibe.schema_migrations in share mode");
  const waits = `select exists (select from pg_stat_activity where wait_event_type = 'Lock' and client_addr = '${nodes[0].address}')`;
  let isWaiting = false;
  while (!isOver && !isWaiting) isWaiting = (await postgres.sql(waits))[0] === "t";
  if (isWaiting) await kill(cluster);
  await session.end();
  return isWaiting && !(await started);
}
