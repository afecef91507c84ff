// Servers and databases to be killed: two nodes on one PostgreSQL, with a proxy before them and one between each and the
// database; or one server with the database it brings along.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { execute, freePort, isAlive, newFolder, pause, postmasterPid, root, spawnServer } from "../processes.mjs";
import { Disk, Postgres } from "./postgres.mjs";
import { Proxy } from "./proxy.mjs";

const vibe = `${root}scripts/vibe`;
// Of the Debian package libfaketime.
const faketime = readdirSync("/usr/lib").map((name) => `/usr/lib/${name}/faketime/libfaketime.so.1`).find(existsSync);

// A clock for processes: `environment` for those that go by it, `jump` sets it apart from the true one.
export function clock(file) {
  if (!faketime) throw new Error("libfaketime is not installed: scripts/dev-setup.sh does it");
  const jump = (seconds) => writeFileSync(file, `${seconds < 0 ? "" : "+"}${seconds}`);
  jump(0);
  return {
    jump,
    // The true time between two events stays: a clock is set, time does not go faster.
    environment: { LD_PRELOAD: faketime, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1" },
  };
}

// A busy machine may be slow to answer a command that waits for three seconds.
async function token(user, words, env) {
  for (const until = Date.now() + 60_000; ;) {
    try {
      return (await execute(vibe, ["token", "--user", user, ...words], { env })).stdout.trim();
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}

// What processes that went by a clock of their own and were killed have left in memory.
function forgetClocks() {
  for (const name of readdirSync("/dev/shm")) {
    const pid = /faketime_\w+_(\d+)$/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(`/dev/shm/${name}`, { force: true });
  }
}

// One node on a PostgreSQL of others.
export class Node {
  process = null;

  constructor(port, link, environment) {
    Object.assign(this, { port, link, environment, url: `http://127.0.0.1:${port}` });
  }

  // environment: more variables.
  async start(environment = {}) {
    this.process = spawnServer(vibe, ["serve", "--port", `${this.port}`], { env: { ...this.environment, ...environment } });
    await this.process.ready;
  }

  get isRunning() {
    return this.process !== null && isAlive(this.process.pid);
  }

  async kill() {
    this.process.kill("SIGKILL");
    await this.process.ended;
  }

  // Lets it drain; returns its exit code.
  async leave() {
    this.process.kill("SIGTERM");
    const [code] = await this.process.ended;
    return code;
  }
}

// Two nodes on one PostgreSQL, none of them started: the database has no schema yet.
export class EmptyCluster {
  static async create() {
    const cluster = new this();
    try {
      await cluster.begin();
      return cluster;
    } catch (error) {
      await cluster.remove();
      throw error;
    }
  }

  async begin() {
    this.folder = newFolder("robustness");
    this.disk = new Disk(`${this.folder}/disk`);
    mkdirSync(`${this.folder}/disk/postgres`, { mode: 0o755 });
    this.postgres = await Postgres.create(`${this.folder}/disk/postgres`);
    const environment = { ...process.env, VIBE_PUBLIC_URL: "http://vibe.localhost", VIBE_MASTER_KEY: randomBytes(32).toString("base64") };
    this.nodes = [];
    for (const address of ["127.0.0.2", "127.0.0.3"]) {
      const link = await Proxy.open([this.postgres.port], { from: address });
      const connection = { ConnectionStrings__Vibe: this.postgres.connectionString(link.port) };
      this.nodes.push(Object.assign(new Node(await freePort(), link, { ...environment, ...connection }), { address }));
    }
    this.front = await Proxy.open(this.nodes.map(({ port }) => port));
    this.url = `http://127.0.0.1:${this.front.port}`;
  }

  clock = () => clock(`${this.folder}/clock`);

  token = (user) => token(user, [], this.nodes[0].environment);

  // Waits until a statement says true.
  async until(statement, milliseconds = 60_000) {
    for (const until = Date.now() + milliseconds; ; await pause(25)) {
      const [answer] = await this.postgres.sql(statement).catch(() => []);
      if (answer === "t") return;
      if (Date.now() > until) throw new Error(`not true within ${milliseconds} ms: ${statement}`);
    }
  }

  // Rows as texts, one line each.
  sql = (statement) => this.postgres.sql(statement);

  // What is stored, as judgeWrites asks for it.
  stored = () => storedBy(this.sql);

  async remove() {
    for (const node of this.nodes ?? []) {
      if (node.isRunning) await node.kill();
      node.link.close();
    }
    this.front?.close();
    await this.postgres?.kill();
    this.disk?.remove();
    forgetClocks();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// The same, serving.
export class Cluster extends EmptyCluster {
  async begin() {
    await super.begin();
    await Promise.all(this.nodes.map((node) => node.start()));
  }
}

const storedBy = async (sql) => new Map(
  (await sql("select id, revision, delete_time is not null, case when collection = 'counters' then data->>'n' end from vibe.documents where collection <> 'many'")).map((line) => {
    const [id, revision, deleted, n] = line.split("|");
    return [id, { revision: Number(revision), deleted: deleted === "t", n: n ? Number(n) : undefined }];
  }));

// One server with an embedded database on a disk of its own.
export class Embedded {
  static async create() {
    const place = new Embedded();
    place.folder = newFolder("robustness");
    place.disk = new Disk(`${place.folder}/disk`);
    place.data = `${place.disk.folder}/data`;
    place.port = await freePort();
    place.url = `http://127.0.0.1:${place.port}`;
    await place.start();
    return place;
  }

  async start() {
    this.server = spawnServer(vibe, ["serve", "--port", `${this.port}`, "--data", this.data], {
      env: { ...process.env, VIBE_PUBLIC_URL: "http://vibe.localhost" },
    });
    await this.server.ready;
  }

  get isRunning() {
    return isAlive(this.server.pid);
  }

  token = (user) => token(user, ["--data", this.data], process.env);

  killDatabase = () => process.kill(postmasterPid(this.data), "SIGKILL");

  async killServer() {
    this.server.kill("SIGKILL");
    await this.server.ended;
  }

  // Starts it again when it gives up on its database, until it serves.
  async comesBack() {
    for (const until = Date.now() + 120_000; ; await pause(50)) {
      if (!this.isRunning) await this.start();
      if (await fetch(`${this.url}/readyz`).then(({ ok }) => ok, () => false)) return;
      if (Date.now() > until) throw new Error("the server does not come back");
    }
  }

  stored = () => storedBy(this.sql);

  // Rows as texts, one line each.
  sql = async (statement) => {
    const words = ["-h", this.socket(), "-U", "vibe_admin", "-d", "vibe", "-X", "-q", "-A", "-t", "-c", statement];
    return (await execute("psql", words, { maxBuffer: 1 << 28 })).stdout.split("\n").slice(0, -1);
  };

  socket() {
    return readFileSync(`${this.data}/cluster/postmaster.pid`, "utf8").split("\n")[4];
  }

  async remove() {
    if (this.isRunning) {
      this.server.kill("SIGTERM");
      await this.server.ended;
    }
    this.disk.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
