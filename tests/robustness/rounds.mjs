// In each round people write and follow while one thing goes wrong; then all rules are held against what is stored and what
// everyone was told.
import { assert, check } from "../checks.mjs";
import { Workload } from "./workload.mjs";

// run: random; faults by name, each run with { random, place, workload } and leaving all whole; more, whether there is time for a
// round of that number; tally. place: a cluster or a server.
export async function rounds({ random, faults, more, tally }, title, place) {
  const workload = await Workload.begin(place.url, place.token, random.fork());
  const names = Object.keys(faults);
  for (let round = 1; more(round); round++) {
    if (round > 1 && round % names.length === 1) names.splice(0, names.length, ...random.shuffle(names));
    const name = names[(round - 1) % names.length];
    const started = Date.now();
    const isWhole = await oneRound(`${title}, round ${round}, ${name}`, () => faults[name]({ random, place, workload }), place, workload);
    console.log(`${title}, round ${round}: ${name} (${Date.now() - started} ms)`);
    tally.faults.set(name, (tally.faults.get(name) ?? 0) + 1);
    tally.histories += workload.followers.length + workload.people.length;
    if (!isWhole) break;
  }
  await check(`${title}: no follower gave up`, () => workload.end());
  tally.clients += workload.followers.length + workload.people.length;
  for (const what of ["requests", "reads", "streams", "frames"]) tally[what] += workload[what];
}

// Returns whether the next one can follow.
async function oneRound(title, fault, place, workload) {
  let isWhole = false;
  workload.start();
  await check(`${title}: it happens and ends`, async () => {
    await workload.progress();
    await fault();
    await workload.progress();
    isWhole = true;
  }, 300_000);
  await check(`${title}: every client goes on`, async () => assert.deepEqual(await workload.stop(), []), 120_000);
  if (!isWhole) return false;
  await check(`${title}: nothing lost, doubled, out of order or leaked`, async () => {
    const unsettled = await workload.settle();
    const stored = await place.stored();
    const broken = [...unsettled, ...workload.judge(stored)];
    for (const text of broken.slice(0, 6)) {
      const row = stored.get(/[0-9a-f-]{36}/.exec(text)?.[0]);
      console.log(`    ${text}${row ? `\n      stored as r${row.revision}${row.deleted ? ", deleted" : ""}` : ""}`);
    }
    isWhole = broken.length === 0;
    assert.ok(isWhole);
  }, 180_000);
  return isWhole;
}
