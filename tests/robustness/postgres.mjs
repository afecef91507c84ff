// A PostgreSQL of the harness's own, for nodes that share one: on a small disk that can be filled, under a clock that can be
// changed, to be killed and started again.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { execute, freePort, pause } from "../processes.mjs";

const superuser = "vibe_admin";

export class Postgres {
  port = 0;
  #folder;
  #process = null;

  // folder: where its data goes. It does not run as root: its user must get in.
  static async create(folder) {
    const postgres = new Postgres();
    postgres.#folder = folder;
    postgres.port = await freePort();
    mkdirSync(`${folder}/data`, { mode: 0o700 });
    if (process.getuid() === 0) execFileSync("chown", ["-R", "postgres:postgres", folder]);
    execFileSync(...postgres.#as(program("initdb"), ["-D", `${folder}/data`, "-U", superuser, "-A", "trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]), { stdio: "ignore" });
    writeFileSync(`${folder}/data/pg_hba.conf`, "local all all trust\nhost all all 127.0.0.0/8 trust\nhost replication all 127.0.0.0/8 trust\n");
    await postgres.start();
    await postgres.sql("create database vibe", "postgres");
    return postgres;
  }

  // How a node reaches it; through another port, that is a proxy.
  connectionString = (port = this.port) => `Host=127.0.0.1;Port=${port};Database=vibe;Username=${superuser}`;

  get isRunning() {
    return this.#process?.exitCode === null && this.#process.signalCode === null;
  }

  // Starts it, and again while what a killed one left behind goes away.
  // environment: more variables for its processes, for them alone.
  async start(environment = {}) {
    for (const until = Date.now() + 60_000; ;) {
      const log = openSync(`${this.#folder}/log`, "a");
      const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      const server = [program("postgres"), "-D", `${this.#folder}/data`, ...settings(this.port, this.#folder)];
      this.#process = spawn(...this.#as("env", [...variables, ...server]), { stdio: ["ignore", log, log] });
      closeSync(log);
      while (this.isRunning) {
        try {
          return await this.sql("select 1", "postgres");
        } catch {
          await pause(20);
        }
      }
      if (Date.now() > until) throw new Error(`PostgreSQL does not start: ${readFileSync(`${this.#folder}/log`, "utf8").slice(-2000)}`);
      await pause(50);
    }
  }

  // Starts it again when it has ended, until it answers.
  async comesBack() {
    for (const until = Date.now() + 120_000; ; await pause(50)) {
      if (!this.isRunning) await this.start();
      const [answer] = await this.sql("select 'yes'", "postgres").catch(() => []);
      if (answer) return;
      if (Date.now() > until) throw new Error("PostgreSQL does not come back");
    }
  }

  async kill(signal = "SIGKILL") {
    if (!this.isRunning) return;
    const ended = once(this.#process, "exit");
    this.#process.kill(signal);
    await ended;
  }

  // Rows as texts, one line each.
  async sql(statement, database = "vibe") {
    const { stdout } = await execute(program("psql"), [...this.#login(database), "-c", statement], { maxBuffer: 1 << 28 });
    return stdout.split("\n").slice(0, -1);
  }

  // A session that stays: `run` resolves when a statement is done, `end` ends it with whatever it had begun.
  session() {
    const psql = spawn(program("psql"), this.#login("vibe"), { stdio: ["pipe", "pipe", "ignore"] });
    psql.stdin.on("error", () => {});
    const lines = createInterface({ input: psql.stdout })[Symbol.asyncIterator]();
    const ended = once(psql, "exit");
    return {
      run: async (statement) => {
        psql.stdin.write(`${statement};\n\\echo done\n`);
        for (let line = await lines.next(); !line.done; line = await lines.next()) if (line.value === "done") return;
        throw new Error("the session ended");
      },
      end: async () => {
        psql.kill("SIGKILL");
        await ended;
      },
    };
  }

  #login = (database) => ["-h", this.#folder, "-p", `${this.port}`, "-U", superuser, "-d", database, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"];

  #as(command, words) {
    return process.getuid() === 0
      ? ["setpriv", ["--reuid", "postgres", "--regid", "postgres", "--clear-groups", command, ...words]]
      : [command, words];
  }
}

const settings = (port, folder) => Object.entries({
  port, listen_addresses: "127.0.0.1", unix_socket_directories: folder, wal_level: "logical", max_replication_slots: 4, max_wal_senders: 6,
  max_connections: 200, shared_buffers: "64MB", max_wal_size: "64MB", min_wal_size: "32MB", jit: "off", timezone: "UTC",
}).flatMap(([name, value]) => ["-c", `${name}=${value}`]);

function program(name) {
  const root = "/usr/lib/postgresql";
  const folder = process.env.VIBE_POSTGRES_BIN ?? `${root}/${readdirSync(root).sort((a, b) => b - a)[0]}/bin`;
  return `${folder}/${name}`;
}

// A disk of its own, small enough to be filled.
export class Disk {
  constructor(folder, megabytes = 400) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0755`, "tmpfs", folder], { stdio: ["ignore", "ignore", "pipe"] });
    } catch (error) {
      throw new Error(`the suite fills a disk of its own and must be root to mount it: ${error.stderr}`);
    }
  }

  // Leaves not a byte.
  fill() {
    const ballast = openSync(`${this.folder}/ballast`, "w");
    for (const size of [1 << 20, 1 << 12]) {
      try {
        for (const bytes = Buffer.alloc(size); ;) writeSync(ballast, bytes);
      } catch (error) {
        if (error.code !== "ENOSPC") throw error;
      }
    }
    closeSync(ballast);
  }

  free() {
    rmSync(`${this.folder}/ballast`, { force: true });
  }

  remove() {
    execFileSync("umount", ["--lazy", this.folder]);
  }
}
