// The server under attack, with people whose documents must stay theirs, and those who attack it.
import { randomBytes, randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { assert } from "../checks.mjs";
import { execute, freePort, newFolder, pause, root, startServer } from "../processes.mjs";
import { send } from "./wire.mjs";

const vibe = `${root}scripts/vibe`;
const attackers = 3;

export async function startTarget() {
  const folder = newFolder("attack");
  const data = `${folder}/data`;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer(vibe, ["serve", "--port", `${port}`, "--data", data], { env: { ...process.env, VIBE_PUBLIC_URL: url } });
  const token = async (...options) => (await execute(vibe, ["token", "--data", data, ...options])).stdout.trim();
  const remove = async () => {
    server.kill("SIGTERM");
    const [code] = await server.ended;
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  try {
    const [alice, bob, admin, account, app, appForMallory, narrow, ...mallories] = await inTurns(3, [
      ["--user", "alice"], ["--user", "bob"], ["--user", "operator", "--scope", "admin documents:*:write"],
      ["--user", "mallory0", "--scope", "account documents:*:write"], ["--app", "evil"], ["--user", "mallory0", "--app", "evil"],
      ["--user", "alice", "--app", "narrow", "--scope", "documents:allowed:read"], ...Array.from({ length: attackers }, (_, index) => ["--user", `mallory${index}`]),
    ], (options) => token(...options));
    const target = {
      url, port, pid: server.pid, server, token, stop: remove,
      tokens: { alice, bob, admin, account, app, appForMallory, narrow, mallories },
      call: (caller, verb, path, body) => call(url, caller, verb, path, body),
    };
    target.victim = await victimOf(target);
    return target;
  } catch (error) {
    await remove();
    throw error;
  }
}

// The results of all, of which no more than so many are made at once.
async function inTurns(atOnce, items, make) {
  const results = [];
  let next = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let index; (index = next++) < items.length;) results[index] = await make(items[index]);
  }));
  return results;
}

// A call that must succeed.
async function call(url, token, verb, path, body) {
  const answer = await send(url, {
    version: 1, verb, path, body: body && Buffer.from(JSON.stringify(body)),
    headers: { ...(token && { authorization: `Bearer ${token}` }), "content-type": "application/json" },
  });
  assert.equal(answer.http, 200, `${verb} ${path}: ${answer.http} ${answer.body} ${answer.cut ?? ""}`);
  return JSON.parse(answer.body);
}

// What Alice has and Mallory must never see: each of her documents holds `canary`, which nobody else sends.
async function victimOf(target) {
  const canary = `canary${randomBytes(12).toString("hex")}`;
  const { alice, bob, admin, app, mallories } = target.tokens;
  const didOf = async (token) => (await target.call(token, "POST", "/v1/documents?validate_only=true", { collection: "x", data: {} })).owner;
  const [did, bobsDid, ...evilDids] = await Promise.all([alice, bob, admin, app, ...mallories].map(didOf));
  const make = (body, query = "") => target.call(alice, "POST", `/v1/documents${query}`, { ...body, data: { secret: canary, n: 41, ...body.data } });
  const requestId = randomUUID();
  for (const [collection, kind] of [["vault", "KIND_VALUE"], ["vault", "KIND_TEXT"], ["cellar", "KIND_TEXT"]]) {
    await target.call(admin, "POST", "/v1/fieldIndexes:approve", { collection, path: "data.secret", kind });
  }
  // Nobody else writes to this collection: what is counted here is hers.
  const cellar = await make({ collection: "cellar", key: "the-key" });
  const plain = await make({ collection: "vault", key: "the-key" }, `?request_id=${requestId}`);
  const shared = await make({ collection: "vault", acl: { read: { allow: [bobsDid] } } });
  const denied = await make({ collection: "vault", acl: { read: { allow: ["users"], deny: evilDids } } });
  const linked = await make({ collection: "vault", edges: [{ label: "to", target: plain.id }] });
  const deleted = await make({ collection: "vault" });
  await target.call(alice, "DELETE", `/v1/documents/${deleted.id}`);
  const open = await target.call(alice, "POST", "/v1/documents", { collection: "open", data: { text: "for everyone" }, acl: { read: { allow: ["*"] } } });
  const page = await target.call(alice, "GET", "/v1/documents?collection=vault&page_size=1");
  const streamId = randomUUID();
  const live = await hold(target, `/v1/documents:subscribe?collection=vault&initial=true&stream_id=${streamId}`, alice, /"ready"/);
  const channel = await hold(target, `/v1/channels/document:${plain.id}/events?stream_id=${streamId}`, alice, /"joined"/);
  await target.call(alice, "PUT", `/v1/channels/document%3A${plain.id}/presence`, { streamId, state: { secret: canary }, timeToLive: "60s" });
  for (let ready = false, until = Date.now() + 60_000; !ready && Date.now() < until; ready || await pause(50)) {
    const { fieldIndexes } = await target.call(admin, "GET", "/v1/fieldIndexes");
    ready = fieldIndexes.every(({ state }) => state === "STATE_READY");
  }
  const documents = [plain, shared, denied, linked, cellar];
  return {
    canary, did, bobsDid, requestId, streamId, plain, shared, denied, linked, deleted, open, documents,
    keys: ["the-key"], pageToken: page.nextPageToken, cursor: /"ready":\{"cursor":"([^"]+)"/.exec(live.text)[1],
    hidden: [...documents, deleted].map(({ id }) => id),
    // Both streams have told Alice nothing but what her own documents and her own presence say.
    heard: () => [live.text, channel.text],
    // Her documents are as they were, to the last revision, and nobody else sees one.
    async check() {
      const lists = await Promise.all(["vault", "cellar"].map((collection) => target.call(alice, "GET", `/v1/documents?collection=${collection}&page_size=1000`)));
      const now = lists.flatMap((list) => list.documents);
      const byId = (list) => Object.fromEntries(list.map((document) => [document.id, document]));
      assert.deepEqual(byId(now), byId(documents));
      for (const token of [null, ...mallories, target.tokens.app, target.tokens.appForMallory]) {
        for (const id of documents.map((document) => document.id)) {
          const answer = await send(target.url, { version: 1, verb: "GET", path: `/v1/documents/${id}`, headers: token ? { authorization: `Bearer ${token}` } : {} });
          assert.equal(answer.http, 404, `${id}: ${answer.http} ${answer.body}`);
        }
      }
    },
    leave() {
      live.close();
      channel.close();
    },
  };
}

// A stream that stays open: its text so far; resolves when the pattern came.
export function hold(target, path, token, pattern) {
  const controller = new AbortController();
  const stream = { text: "", ended: false, close: () => controller.abort() };
  return new Promise((resolve, reject) => {
    fetch(target.url + path, { signal: controller.signal, headers: token ? { authorization: `Bearer ${token}` } : {} }).then(async (response) => {
      const decoder = new TextDecoder();
      for await (const chunk of response.body) {
        stream.text = (stream.text + decoder.decode(chunk, { stream: true })).slice(-1 << 20);
        if (pattern.test(stream.text)) resolve(stream);
      }
      throw new Error(`the stream ended: ${response.status} ${stream.text}`);
    }).catch((error) => {
      stream.ended = true;
      reject(error);
    });
  });
}
