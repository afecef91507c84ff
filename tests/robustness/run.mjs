// What kill -9 of the server, of the database and of both leaves behind. Ends with: N passed, N failed.
import { totals } from "../conformance/checks.mjs";
import { live } from "./live.mjs";
import { writes } from "./writes.mjs";

await writes();
await live();
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);
