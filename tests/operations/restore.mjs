// The commands of docs/operations.md, word for word: what they bring back is what was there.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { assert, check } from "../checks.mjs";
import { execute, freePort, root } from "../processes.mjs";

const [, section] = readFileSync(`${root}docs/operations.md`, "utf8").split("\n## Backup\n");
const [backup, restore] = [...section.split("\n## ")[0].matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands]) => commands);

// Takes the server over: it is stopped when this ends.
export async function restoring(image, cluster, server) {
  const shell = (commands, { env }) => execute("bash", ["-euo", "pipefail", "-c", commands], { cwd: image.folder, env: { ...process.env, ...env } });
  const token = (await image.run(cluster, ["token", "--user", "owner"])).stdout.trim();
  const call = async (method, path, body) => {
    const response = await fetch(image.url + path, { method, body: body && JSON.stringify(body), headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } });
    return { status: response.status, ...(await response.json()) };
  };
  const create = async (title) => {
    const made = await call("POST", "/v1/documents", { collection: "kept", data: { title, n: 1.5, list: [1, "ü", null] }, acl: { read: { allow: ["users"] } } });
    assert.equal(made.status, 200, JSON.stringify(made));
    return made;
  };
  const all = async () => (await call("GET", "/v1/documents?collection=kept&order_by=data.title")).documents;
  for (const title of ["one", "two", "three"]) await create(title);
  const { cursor } = await firstFrame(`${image.url}/v1/documents:subscribe?collection=kept`, token, (frame) => frame.ready);
  const before = await all();
  assert.equal(before.length, 3);

  await shell(backup, cluster);
  await create("after the backup");
  server.kill("SIGTERM");
  await server.ended;

  const other = await image.cluster();
  let restored;
  try {
    await check("pg_restore takes the dump into an empty cluster, by the documented commands", async () => {
      await shell(restore, other);
    });

    await check("another master key is refused in one sentence", async () => {
      const wrong = image.secrets({ master_key: randomBytes(32).toString("base64") });
      const refused = await image.run(other, ["serve", "--port", `${await freePort()}`], { into: wrong });
      assert.deepEqual([refused.code, refused.stderr.trim()], [1, "vibe: The master key is not the one this database was set up with: give the server the old one."]);
    });

    await check("a password that is wrong is refused in one sentence", async () => {
      const wrong = image.secrets({ postgres_password: "not the password" });
      const refused = await image.run(other, ["serve", "--port", `${await freePort()}`], { into: wrong });
      assert.deepEqual([refused.code, refused.stderr.trim()], [1, "vibe: The database refuses the login of ConnectionStrings__Vibe: correct its user or password."]);
    });

    restored = await image.start(other);
    await check("documents are as they were, and tokens from before are good", async () => {
      assert.deepEqual(await all(), before);
    });

    await check("a cursor from before has expired, and the one named instead brings what comes", async () => {
      const expired = await fetch(`${image.url}/v1/documents:subscribe?collection=kept&cursor=${encodeURIComponent(cursor)}`, { headers: { authorization: `Bearer ${token}` } });
      const answer = await expired.text();
      assert.match(answer, /CURSOR_EXPIRED/);
    });

    await check("it goes on: writes, live queries and the doctor", async () => {
      const made = await create("later");
      assert.deepEqual((await all()).map(({ id }) => id).sort(), [...before.map(({ id }) => id), made.id].sort());
      await firstFrame(`${image.url}/v1/documents:subscribe?collection=kept`, token, (frame) => frame.ready);
      const report = await image.run(other, ["doctor"]);
      assert.equal(report.code, 0, report.stdout + report.stderr);
    });
  } finally {
    restored?.kill("SIGTERM");
    await restored?.ended;
    await other.stop();
  }
}

async function firstFrame(url, token, find) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(100_000) });
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (text += chunk).split("\n");
    text = lines.pop();
    for (const line of lines.filter(Boolean)) {
      const found = find(JSON.parse(line).result ?? JSON.parse(line));
      if (found) return found; // Leaving the loop ends the stream.
    }
  }
  throw new Error(`the stream ended: ${response.status} ${text}`);
}
