// Disks that are full to the last byte, and free again.
import { assert } from "../checks.mjs";
import { retried } from "./client.mjs";
import { pause } from "../processes.mjs";

// Writes are refused, one by one; everything can be read.
export async function fullDisk({ disk }, workload) {
  const refused = () => retried.get("429 STORAGE_FULL") ?? 0;
  const before = refused();
  disk.fill();
  for (const until = Date.now() + 60_000; refused() === before; await pause(5)) if (Date.now() > until) throw new Error("no write was refused");
  const { documents } = await workload.people[0].api.once("GET", "/v1/documents?collection=facts&page_size=1");
  disk.free();
  assert.equal(documents.length, 1);
}

// PostgreSQL ends when it cannot begin another segment of its log.
export async function fullOfLog(place) {
  for (place.disk.fill(); ;) {
    try {
      await place.sql("select pg_logical_emit_message(true, 'robustness', 'x'), pg_switch_wal()");
    } catch {
      break;
    }
  }
  await pause(500);
  place.disk.free();
}
