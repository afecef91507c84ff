// Independent clients against the RPC runtime. Ends with: N passed, N failed.
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { conclude, totals } from "../checks.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const here = fileURLToPath(new URL("./", import.meta.url));
const host = `${here}host/bin/Release/net10.0/Vibe.ConformanceHost.dll`;
// The server's certificate is made at its start, for this run alone.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
process.removeAllListeners("warning");

execFileSync("buf", ["generate", "--template", "tests/conformance/buf.gen.yaml"], {
  cwd: root, stdio: "inherit", env: { ...process.env, PATH: `${root}sdks/typescript/node_modules/.bin:${process.env.PATH}` },
});
if (!existsSync(host)) execFileSync("dotnet", ["build", `${here}host`, "-c", "Release", "-v", "quiet", "-nologo"], { stdio: "inherit" });

const server = spawn("dotnet", [host], { stdio: ["pipe", "pipe", "inherit"] });
try {
  const lines = createInterface({ input: server.stdout });
  const [addresses] = await once(lines, "line", { signal: AbortSignal.timeout(60_000) });
  const of = (scheme) => addresses.split(" ").find((address) => address.startsWith(scheme)).replace("127.0.0.1", "localhost");
  const urls = { plain: of("http:").replace("[::1]", "localhost"), tls: of("https:"), root, here };

  const wanted = process.argv.slice(2);
  for (const name of ["connect", "grpc-js", "grpc-web", "python", "curl", "browser"]) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const { passed, failed } = totals;
    const { run } = await import(`./suites/${name}.mjs`);
    await run(urls);
    console.log(`${name.padEnd(10)} ${totals.passed - passed} passed, ${totals.failed - failed} failed here`);
  }
} catch (error) {
  totals.failed++;
  console.error(error);
} finally {
  server.stdin.end();
  await Promise.race([once(server, "exit"), new Promise((resolve) => setTimeout(resolve, 20_000))]);
  if (server.exitCode !== 0) {
    totals.failed++;
    console.error(`the server ended with ${server.exitCode}`);
    server.kill("SIGKILL");
  }
}
conclude();
