// Debian's python3-grpcio, the C core: raw bytes, so that the framing is looked at and nothing else.
import { spawnSync } from "node:child_process";
import { totals } from "../../checks.mjs";

export async function run({ plain, here }) {
  const child = spawnSync("/usr/bin/python3", [`${here}suites/grpcio_client.py`, new URL(plain).host], { encoding: "utf8", timeout: 120_000 });
  const match = /^(\d+) passed, (\d+) failed$/m.exec(child.stdout ?? "");
  if (child.status !== 0 || !match) console.error(child.stdout, child.stderr, child.error ?? "");
  totals.passed += match ? Number(match[1]) : 0;
  totals.failed += match ? Number(match[2]) : 1;
}
