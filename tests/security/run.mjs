// Attacks a real server from outside: named attacks, floods, and fuzzing for the rest of the time.
// usage: run.mjs [--minutes N] [--seed S] [part…]. Ends with: N passed, N failed.
import { assert, check, conclude, totals } from "../checks.mjs";
import { flood } from "./floods.mjs";
import { fuzz, replay } from "./fuzz.mjs";
import { mistakes } from "./judge.mjs";
import { watch } from "./monitor.mjs";
import { startTarget } from "./target.mjs";
import { closeAll } from "./wire.mjs";
import { World } from "./world.mjs";

const parts = ["access", "tokens", "oauth", "framing", "input", "places", "channels"];
const option = (name, otherwise) => (process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : otherwise);
const minutes = option("--minutes", 10);
const seed = option("--seed", Math.floor(Math.random() * 2 ** 32));
const wanted = process.argv.slice(2).filter((word) => /^[a-z]+$/.test(word));
const wants = (part) => wanted.length === 0 || wanted.includes(part);
console.log(`seed ${seed}: --seed ${seed} makes the same requests again`);

const target = await startTarget();
const monitor = watch(target);
try {
  const world = await World.of(target, seed, minutes >= 5);
  await world.stock(400);
  for (const part of parts.filter(wants)) {
    const { passed, failed } = totals;
    const begun = Date.now();
    const { run } = await import(`./attacks/${part}.mjs`);
    await run(target, world).catch((error) => check(part, () => Promise.reject(error)));
    report(part, passed, failed, begun);
  }
  if (wants("floods")) await flood(target, world, monitor, world.isThorough ? 10 : 1);
  for (const [name, finding] of await replay(target, world)) await check(`found once: ${name}`, async () => assert.equal(finding, null));
  if (wants("fuzz")) await fuzzing(world);
  await check("the victim's documents are as they were, and nobody else sees them", () => target.victim.check());
  await check("the victim was told nothing but her own", async () => {
    for (const text of target.victim.heard()) assert.ok(!/evil|"collection":"own"/.test(text), text);
  });
  const seen = await monitor.read();
  console.log(`health: ${seen.calls} calls, slowest ${Math.round(seen.worst)} ms; memory: ${mebibytes(seen.rss)}, at most ${mebibytes(seen.peak)}`);
  await check("health was answered throughout", async () => assert.deepEqual(seen.failed, []));
  await check("the server made no mistake: its log has no error", async () => assert.deepEqual(mistakes(target.server.errors).map((line) => line.slice(0, 600)), []));
  world.close();
} catch (error) {
  totals.failed++;
  console.error(error, mistakes(target.server.errors).slice(-5));
} finally {
  target.victim.leave();
  await monitor.stop();
  closeAll();
  await check("the server stops cleanly", async () => assert.equal(await target.stop(), 0));
}
conclude();

async function fuzzing(world) {
  const begun = Date.now();
  const { sent, codes, findings } = await fuzz(target, world, minutes * 60_000);
  const kinds = [...codes].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
  console.log(`fuzz: ${sent} requests, ${Math.round(sent / (Date.now() - begun) * 1000)} a second: ${kinds.join(", ")}`);
  await check(`fuzz: ${sent} requests with seed ${seed}: every answer is as it must be`, async () => assert.deepEqual([...findings], []));
}

function report(part, passed, failed, begun) {
  console.log(`${part.padEnd(10)} ${totals.passed - passed} passed, ${totals.failed - failed} failed here (${((Date.now() - begun) / 1000).toFixed(1)}s)`);
}

function mebibytes(bytes) {
  return `${Math.round(bytes / (1 << 20))} MiB`;
}
