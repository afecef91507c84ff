// What a newcomer does, from a fresh clone, by the README's own commands. Ends with: N passed, N failed.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { assert, check, conclude } from "../checks.mjs";
import { execute, freePort, isAlive, newFolder, outputLine, postmasterPid, root, startServer } from "../processes.mjs";

const work = newFolder("e2e");
const clone = `${work}/vibe`;
const data = `${work}/data`;
execFileSync("git", ["clone", "--quiet", "--no-hardlinks", root, clone]);
// What npm fetches is the same for every clone: not fetched twice.
symlinkSync(`${root}scripts/demo/node_modules`, `${clone}/scripts/demo/node_modules`);

const port = await freePort();
const readme = readFileSync(`${clone}/README.md`, "utf8");
const local = (text) => text.replaceAll("localhost:5080", `localhost:${port}`);
const shell = async (script) => (await execute("bash", ["-euo", "pipefail", "-c", script], { cwd: clone, env: { ...process.env, VIBE_DATA: data } })).stdout;
const devStart = (...args) => spawnSync("./scripts/dev-start.sh", args, { cwd: clone, encoding: "utf8", timeout: 120_000 });

let server;
await starts();
await readmeWorks();
await refusals();
await stopsAndStartsAgain();
rmSync(work, { recursive: true, force: true });
conclude();

async function start() {
  server = await startServer("./scripts/dev-start.sh", ["--port", `${port}`, "--data", data], { cwd: clone });
}

async function starts() {
  // Builds the clone as well: the limit of one check is too short for that.
  await start();
  await check("dev-start is ready, and serves", async () => {
    assert.equal(server.output[0], `ready: http://vibe.localhost:${port}`);
    assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200);
  });
  await outputLine(server, /^cities: ready$/);
  await check("dev-start prints a token and lines that work as they stand", async () => {
    const lines = server.output.map((line) => line.trim());
    const token = lines.find((line) => line.startsWith("TOKEN="));
    const list = lines.find((line) => line.startsWith("curl") && line.includes("collection=notes"));
    const answer = JSON.parse(await shell(`${token}\n${list.replace("curl", "curl -s")}`));
    assert.equal(answer.documents.length, 3);
  });
}

async function readmeWorks() {
  const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, text]) => ({ language, text: local(text) }));
  const curls = blocks.filter(({ language, text }) => language === "sh" && text.includes("curl"));
  await check("README: the first curl returns five Portuguese places in order", async () => {
    const { documents, nextPageToken } = JSON.parse(await shell(curls[0].text.replace("curl", "curl -s")));
    const names = documents.map(({ data }) => data.name);
    assert.equal(names.length, 5);
    assert.deepEqual(names, [...names].sort());
    assert.ok(documents.every(({ data }) => data.country === "PT") && nextPageToken);
  });
  await check("README: a token from the command line writes a note", async () => {
    const note = JSON.parse(await shell(curls[1].text.replace("curl", "curl -s")));
    assert.equal(note.data.title, "hello");
    assert.ok(note.id && note.owner.startsWith("did:web:") && note.etag);
    assert.equal(note.revision, "1");
  });
  await check("README: the TypeScript sample prints five places", async () => {
    const folder = `${work}/sample`;
    mkdirSync(`${folder}/node_modules/@vibe`, { recursive: true });
    symlinkSync(`${root}sdks/typescript/node_modules`, `${clone}/sdks/typescript/node_modules`);
    await execute("npm", ["run", "build"], { cwd: `${clone}/sdks/typescript/packages/client` });
    symlinkSync(`${clone}/sdks/typescript/packages/client`, `${folder}/node_modules/@vibe/client`);
    const sample = blocks.find(({ language }) => language === "ts").text;
    // It is strict TypeScript, and its callback prints until it is stopped.
    writeFileSync(`${folder}/sample.ts`, `${sample.replace("console.log(city.data.name);", "console.log(city.data.name);\n  if (data.length === 5) stop(), vibe.close();")}`);
    writeFileSync(`${folder}/package.json`, '{"type":"module"}');
    await execute(`${root}sdks/typescript/node_modules/.bin/tsc`, ["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "sample.ts"], { cwd: folder });
    const { stdout } = await execute("node", ["sample.js"], { cwd: folder });
    assert.equal(stdout.trim().split("\n").length, 5);
  });
  await check("vibe export writes what vibe import reads", async () => {
    const out = await shell(`scripts/vibe export --collection notes --data-only --url http://vibe.localhost:${port}`);
    writeFileSync(`${work}/notes.ndjson`, `${out}not json\n{"title":"a\\u0000b"}\n`);
    const result = spawnSync(`${clone}/scripts/vibe`, ["import", "json", "--collection", "copies", "--url", `http://vibe.localhost:${port}`, "--data", data,
      `${work}/notes.ndjson`], { encoding: "utf8" });
    assert.equal(result.status, 1, result.stderr);
    assert.match(result.stdout, /4 rows imported, 2 left out/);
    assert.match(result.stderr, /row 5, line 5: /);
    assert.match(result.stderr, /row 6, line 6: /);
  });
  await check("vibe doctor finds nothing wrong", async () => assert.match(await shell(`scripts/vibe doctor --data ${data}`), /PostgreSQL/));
}

async function refusals() {
  const refused = async (name, pattern, code, ...args) => check(`dev-start ${name}: one plain sentence`, async () => {
    const { status, stderr, stdout } = devStart(...args);
    assert.equal(status, code, stdout + stderr);
    assert.match(stderr, pattern);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  });
  await refused("--nonsense", /unknown option --nonsense/, 2, "--nonsense");
  await refused("--port 99999", /port/, 2, "--port", "99999", "--no-demo");
  await refused("on the data of a running server", /already in use by process \d+/, 1, "--port", `${await freePort()}`, "--data", data, "--no-demo");
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  await refused("on a taken port", /Port \d+ is in use/, 1, "--port", `${taken.address().port}`, "--data", `${work}/other`, "--no-demo");
  taken.close();
  await refused("in a place that is no directory", /vibe: /, 1, "--port", `${await freePort()}`, "--data", "/dev/null/x", "--no-demo");
}

async function stopsAndStartsAgain() {
  const postmaster = postmasterPid(data);
  await check("SIGTERM stops server and database", async () => {
    server.kill("SIGTERM");
    assert.deepEqual(await server.ended, [0, null]);
    assert.equal(isAlive(postmaster), false);
  });
  await check("a second start has everything", async () => {
    await start();
    const answer = await (await fetch(`http://127.0.0.1:${port}/v1/documents?collection=cities&scope=PUBLIC&page_size=1`)).json();
    assert.equal(answer.documents.length, 1);
  });
  await check("kill -9 of both, and a start just works", async () => {
    process.kill(postmasterPid(data), "SIGKILL");
    server.kill("SIGKILL");
    await server.ended;
    await start();
    assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200);
    server.kill("SIGINT");
    assert.deepEqual(await server.ended, [0, null]);
  });
}
