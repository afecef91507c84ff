// What an operator meets. Ends with: N passed, N failed.
import { conclude, totals } from "../checks.mjs";
import { dashboards } from "./dashboards.mjs";
import { doctor } from "./doctor.mjs";
import { logs } from "./logs.mjs";
import { metrics } from "./metrics.mjs";
import { startObserved, use } from "./observed.mjs";
import { composition, production, startProduction } from "./production.mjs";
import { restoring } from "./restore.mjs";
import { traces } from "./traces.mjs";

const parts = { observing, producing };
try {
  const wanted = process.argv.slice(2);
  for (const [name, run] of Object.entries(parts)) {
    if (wanted.length === 0 || wanted.includes(name)) await run();
  }
} catch (error) {
  totals.failed++;
  console.error(error);
}
conclude();

async function observing() {
  const observed = await startObserved();
  try {
    const used = await use(observed);
    await metrics(observed, used);
    await traces(observed, used);
    await logs(observed, used);
    await dashboards(observed);
  } finally {
    await observed.stop();
  }
}

async function producing() {
  await composition();
  const image = await startProduction();
  const cluster = await image.cluster();
  let server;
  try {
    await cluster.psql("create database vibe", "postgres"); // The image of PostgreSQL does, for POSTGRES_DB.
    server = await image.start(cluster);
    await production(image, cluster, server);
    await doctor(image, cluster);
    await restoring(image, cluster, server);
  } finally {
    server?.kill("SIGTERM");
    await server?.ended;
    await cluster.stop();
    image.remove();
  }
}
