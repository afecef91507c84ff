// PostgreSQL as an operator runs it: a cluster of its own, a password, TCP.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { execute, freePort, newFolder, pause } from "../processes.mjs";

const versions = "/usr/lib/postgresql";
const bin = process.env.VIBE_POSTGRES_BIN ?? `${versions}/${readdirSync(versions).sort((a, b) => b - a)[0]}/bin`;

// PostgreSQL refuses root.
const asPostgres = (command, args) => process.getuid() === 0 ? ["setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", command, ...args]] : [command, args];

// command: how the server is started, beginning with "postgres".
export async function startCluster(command, password) {
  const folder = newFolder("cluster");
  writeFileSync(`${folder}/password`, password);
  execFileSync("install", ["-d", ...(process.getuid() === 0 ? ["-o", "postgres"] : []), `${folder}/data`]);
  const [initialize, arguments_] = asPostgres(`${bin}/initdb`, [
    "--pgdata", `${folder}/data`, "--username=vibe_admin", "--auth=scram-sha-256", `--pwfile=${folder}/password`, "--no-sync", "--no-locale", "--encoding=UTF8",
  ]);
  await execute(initialize, arguments_, { cwd: folder });
  const port = await freePort();
  const [start, options] = asPostgres(`${bin}/postgres`, [...command.slice(1), "-D", `${folder}/data`, "-p", `${port}`, "-k", `${folder}/data`, "-c", "listen_addresses=127.0.0.1"]);
  const child = spawn(start, options, { cwd: folder, stdio: "ignore" });
  const ended = once(child, "exit");
  const env = { PGHOST: "127.0.0.1", PGPORT: `${port}`, PGUSER: "vibe_admin", PGPASSWORD: password };
  const cluster = {
    env,
    connection: `Host=127.0.0.1;Port=${port};Database=vibe;Username=vibe_admin`,
    psql: async (sql, database = "vibe") => (await execute("psql", ["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-Atc", sql, database], { env: { ...process.env, ...env } })).stdout.trim(),
    async stop() {
      child.kill("SIGINT");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (const end = Date.now() + 60_000; ; await pause(50)) {
    try {
      await cluster.psql("select 1", "postgres");
      return cluster;
    } catch (error) {
      if (Date.now() > end || child.exitCode !== null) throw error;
    }
  }
}
