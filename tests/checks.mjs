// Counts named checks; a check that throws, or takes longer than its time in milliseconds, has failed.
import assert from "node:assert/strict";

export { assert };
export const totals = { passed: 0, failed: 0 };
const limit = Number(process.env.CHECK_LIMIT ?? 120_000);

export async function check(name, body, time = limit) {
  let timer;
  try {
    await Promise.race([
      body(),
      new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`no end after ${time} ms`)), time); }),
    ]);
    totals.passed++;
  } catch (error) {
    totals.failed++;
    console.error(`FAILED  ${name}\n        ${String(error?.stack ?? error).split("\n").slice(0, 6).join("\n        ")}`);
  } finally {
    clearTimeout(timer);
  }
}

// The last line of a suite, and how its process ends.
export function conclude() {
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  process.exit(totals.failed === 0 ? 0 : 1);
}
