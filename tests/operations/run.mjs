// What an operator meets. Ends with: N passed, N failed.
import { totals } from "../conformance/checks.mjs";
import { dashboards } from "./dashboards.mjs";
import { logs } from "./logs.mjs";
import { metrics } from "./metrics.mjs";
import { startObserved, use } from "./observed.mjs";
import { traces } from "./traces.mjs";

try {
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
} catch (error) {
  totals.failed++;
  console.error(error);
}
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);
