// Live queries in headless Chromium: two tabs, an EventSource in one, writes in the other; the server and the database are
// killed in between. Ends with: N passed, N failed.
import { rmSync } from "node:fs";
import { assert, check, conclude } from "../checks.mjs";
import { execute, freePort, newFolder, postmasterPid, root, startServer } from "../processes.mjs";
import { launch } from "./browser.mjs";

const vibe = `${root}scripts/vibe`;
const folder = newFolder("live");
const data = `${folder}/data`;
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const start = () => startServer(vibe, ["serve", "--port", `${port}`, "--data", data]);

let server = await start();
const token = (await execute(vibe, ["token", "--user", "writer", "--data", data])).stdout.trim();
const browser = await launch();
try {
  const context = await browser.newContext();
  const [reader, writer] = await Promise.all([tab(context), tab(context)]);
  await follow(reader);
  await check("what one tab writes appears in the other", async () => {
    await write(writer, "first");
    await seen(reader, ["first"]);
  });
  await check("a server killed and started again: the EventSource goes on where it was", async () => {
    server.kill("SIGKILL");
    await server.ended;
    server = await start();
    await write(writer, "second");
    await seen(reader, ["first", "second"]);
  });
  await check("a database killed: the stream stays, and misses nothing", async () => {
    process.kill(postmasterPid(data), "SIGKILL");
    await write(writer, "third");
    await seen(reader, ["first", "second", "third"]);
  });
  await check("what is closed to a tab leaves it", async () => {
    await change(writer, "first", { acl: {} });
    await seen(reader, ["second", "third"]);
  });
  await check("a stream with a token shows what is its owner's alone", async () => {
    await followLines(writer);
    await write(writer, "private", {});
    await seen(writer, ["first", "private", "second", "third"]);
    await seen(reader, ["second", "third"]);
  });
} finally {
  await browser.close();
  server.kill("SIGTERM");
  await server.ended;
  rmSync(folder, { recursive: true, force: true });
}
conclude();

async function tab(context) {
  const page = await context.newPage();
  await page.goto(`${url}/docs`);
  await page.evaluate(() => {
    window.documents = new Map();
    window.fold = (frame) => {
      for (const change of frame.batch?.changes ?? []) {
        for (const document of [...(change.added ?? []), ...(change.modified ?? [])]) window.documents.set(document.id, document);
        for (const removed of change.removed ?? []) window.documents.delete(removed.id);
      }
      window.ready ||= Boolean(frame.ready);
    };
  });
  return page;
}

// As a signed-out visitor: an EventSource sends no token.
async function follow(page) {
  await page.evaluate(() => {
    const source = new EventSource("/v1/documents:subscribe?collection=posts&scope=PUBLIC&initial=true");
    source.onmessage = (event) => window.fold(JSON.parse(event.data));
  });
  await page.waitForFunction(() => window.ready);
}

async function followLines(page) {
  await page.evaluate(async (bearer) => {
    const response = await fetch("/v1/documents:subscribe?collection=posts&initial=true", { headers: { authorization: `Bearer ${bearer}` } });
    const lines = response.body.pipeThrough(new TextDecoderStream()).getReader();
    (async () => {
      for (let rest = ""; ;) {
        const { value, done } = await lines.read();
        if (done) return;
        const parts = (rest + value).split("\n");
        rest = parts.pop();
        parts.filter(Boolean).forEach((part) => window.fold(JSON.parse(part)));
      }
    })();
  }, token);
  await page.waitForFunction(() => window.ready);
}

// The database may be on its way back: a write is repeated under its request id until it is acknowledged.
async function write(page, title, acl = { read: { allow: ["*"] } }) {
  await send(page, "PUT", `/v1/documents/posts/${title}`, { data: { title }, acl });
}

async function change(page, title, document) {
  const { id } = await send(page, "GET", `/v1/documents/posts/${title}`);
  await send(page, "PATCH", `/v1/documents/${id}?update_mask=acl`, document);
}

async function send(page, method, path, body) {
  return page.evaluate(async ([method, path, body, bearer]) => {
    const separator = path.includes("?") ? "&" : "?";
    const target = method === "GET" ? path : `${path}${separator}request_id=${crypto.randomUUID()}`;
    for (let attempt = 0; ; attempt++) {
      const response = await fetch(target, {
        method, headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" }, body: body && JSON.stringify(body),
      });
      if (response.ok) return response.json();
      if (response.status !== 503 || attempt > 50) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
  }, [method, path, body, token]);
}

async function seen(page, titles) {
  const titlesOf = () => [...window.documents.values()].map((document) => document.data.title).sort();
  try {
    await page.waitForFunction((expected) => JSON.stringify([...window.documents.values()].map((document) => document.data.title).sort()) === expected,
      JSON.stringify(titles), { timeout: 60_000 });
  } catch {
    assert.deepEqual(await page.evaluate(titlesOf), titles);
  }
}
