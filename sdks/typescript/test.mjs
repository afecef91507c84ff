// The TypeScript SDK: types, build, size, what its READMEs show, units, a real server, a real browser. Ends with: N passed, N failed.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const bin = `${here}node_modules/.bin/`;
const folder = mkdtempSync(`${tmpdir()}/vibe-sdk-test-`);
let passed = 0;
let failed = 0;

// The types of one package are those the other has built.
for (const [name, script] of [["client", "check"], ["client", "build"], ["client", "size"], ["react", "check"], ["react", "build"]]) {
  run(`${name}: ${script}`, "npm", "run", "--silent", script, "--workspace", `@vibe/${name}`);
}
run("snippets", "node", "snippets.mjs");
// The server is built once, before anything waits for it to start.
execFileSync(fileURLToPath(new URL("../../scripts/vibe", import.meta.url)), ["--help"], { stdio: "ignore" });
for (const name of ["client", "react"]) {
  const report = `${folder}/${name}.json`;
  spawnSync(`${bin}vitest`, ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`], { cwd: `${here}packages/${name}`, stdio: "inherit" });
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(readFileSync(report, "utf8"));
    passed += numPassedTests;
    failed += numFailedTests + numPendingTests + (numFailedTests === 0 ? numFailedTestSuites : 0);
  } catch {
    failed++;
  }
}
rmSync(folder, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function run(name, command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: here, encoding: "utf8" });
  if (status === 0) passed++;
  else failed++;
  console.log(`${status === 0 ? "ok" : "FAILED"} ${name}\n${stdout}${status === 0 ? "" : stderr}`);
}
