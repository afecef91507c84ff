// Histories of people who write and follow while servers, databases, connections, clocks and disks fail; see scripts/robustness.sh.
// Ends with: N passed, N failed.
import { parseArgs } from "node:util";
import { check, conclude } from "../checks.mjs";
import { checker } from "./checker.mjs";
import { retried } from "./client.mjs";
import { embeddedFaults } from "./embedded.mjs";
import { faults } from "./faults.mjs";
import { Cluster, Embedded, EmptyCluster } from "./installation.mjs";
import { Random } from "./random.mjs";
import { rounds } from "./rounds.mjs";
import { start, startFaults } from "./start.mjs";

const { values: options } = parseArgs({
  options: { minutes: { type: "string" }, rounds: { type: "string" }, seed: { type: "string" }, only: { type: "string", default: "" } },
});
const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 32));
const tally = { histories: 0, clients: 0, requests: 0, reads: 0, streams: 0, frames: 0, faults: new Map() };
const began = Date.now();

// Each part: what may happen in it, how many rounds it has by itself, and its share of the time when that is given.
const parts = {
  start: { faults: startFaults, rounds: 1, share: 0.1, run: (run) => at(EmptyCluster, (place) => start(run, place)) },
  embedded: { faults: embeddedFaults, rounds: 2, share: 0.2, run: (run) => at(Embedded, (place) => rounds(run, "embedded", place)) },
  nodes: { faults, rounds: 8, share: 0.7, run: (run) => at(Cluster, (place) => rounds(run, "nodes", place)) },
};

async function at(kind, body) {
  const place = await kind.create();
  places.add(place);
  try {
    await body(place);
  } finally {
    places.delete(place);
    await place.remove();
  }
}

// Who is interrupted leaves no process and no disk behind.
const places = new Set();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await Promise.allSettled([...places].map((place) => place.remove()));
    process.exit(130);
  });
}

console.log(`seed ${seed}`);
if (!options.only || options.only === "checker") await checker();
const random = new Random(seed);
for (const [name, part] of Object.entries(parts)) {
  const wanted = Object.entries(part.faults).filter(([fault]) => !options.only || options.only === name || fault.includes(options.only));
  const until = Date.now() + Number(options.minutes) * 60_000 * part.share;
  const most = Number(options.rounds ?? part.rounds);
  const more = (round) => (options.minutes ? Date.now() < until : round <= most);
  const run = { random: random.fork(), faults: Object.fromEntries(wanted), more, tally };
  if (wanted.length) await check(`${name}: it runs to its end`, () => part.run(run), 24 * 3_600_000);
}

const list = (counts) => [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${count} ${name}`).join(", ");
const count = [...tally.faults.values()].reduce((sum, number) => sum + number, 0);
console.log(`${tally.histories} histories of ${tally.clients} clients in ${Math.round((Date.now() - began) / 1000)} s: ${tally.requests} acknowledged requests, ${tally.reads} reads, ${tally.streams} streams with ${tally.frames} frames`);
console.log(`${count} faults: ${list(tally.faults)}`);
console.log(`tried again: ${list(retried)}`);
conclude();
