// Channels in headless Chromium: two people in two browsers, each at another node of one installation. They see each other
// type, and set up a WebRTC connection through the channel of a document. Ends with: N passed, N failed.
import { readFileSync, rmSync } from "node:fs";
import { assert, check, conclude } from "../checks.mjs";
import { execute, freePort, newFolder, root, startServer } from "../processes.mjs";
import { launch } from "./browser.mjs";

const vibe = `${root}scripts/vibe`;
const folder = newFolder("channels");
const data = `${folder}/data`;
const url = "http://vibe.localhost";

const ports = [await freePort(), await freePort()];
const servers = [];
// Two peers on one machine, perhaps without a network: loopback addresses, and not hidden behind names.
const browser = await launch("--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns");
try {
  await serve(ports[0], ["--data", data], {});
  // The second node uses the first one's embedded database, as two nodes use one PostgreSQL elsewhere.
  const [, , , port, socket] = readFileSync(`${data}/cluster/postmaster.pid`, "utf8").split("\n");
  const second = await serve(ports[1], [], {
    VIBE_MASTER_KEY: readFileSync(`${data}/master.key`, "utf8").trim(),
    ConnectionStrings__Vibe: `Host=${socket};Port=${port};Database=vibe;Username=vibe_admin`,
  });
  const [ann, ben] = await Promise.all([person("ann", ports[0]), person("ben", ports[1])]);
  const document = await ann.evaluate(() => window.send("POST", "/v1/documents", { collection: "drafts", data: {}, acl: { read: { allow: ["users"] } } }));
  await check("both join the channel of a document, each at a node of their own", async () => {
    await ann.evaluate((id) => window.join(`document:${id}`), document.id);
    await ben.evaluate((id) => window.join(`document:${id}`), document.id);
  });
  await check("one sees the other type, and stop when nothing more is said", async () => {
    await ben.evaluate(() => window.present({ name: "ben" }));
    await ann.evaluate(() => window.present({ typing: true }, "60s"));
    await sees(ben, [{ name: "ben" }, { typing: true }]);
    await sees(ann, [{ name: "ben" }, { typing: true }]);
    await ann.evaluate(() => window.present({ typing: true }, "1s"));
    await sees(ben, [{ name: "ben" }]);
  });
  await check("they talk through a data channel that was signalled on the channel", async () => {
    await Promise.all([ann, ben].map((page) => page.evaluate(() => window.answerCalls())));
    const heard = ben.waitForFunction(() => window.heard, null, { timeout: 60_000 });
    const reply = await ann.evaluate(() => window.call([...window.members.keys()].find((id) => id !== window.memberId), "hello"));
    assert.equal(await (await heard).jsonValue(), "hello");
    assert.equal(reply, "hello to you");
  });
  await check("a page that is closed leaves", async () => {
    const other = await person("cem", ports[1]);
    await other.evaluate((id) => window.join(`document:${id}`), document.id);
    await other.evaluate(() => window.present({ name: "cem" }));
    await sees(ann, [{ name: "ben" }, { name: "cem" }]);
    await other.close();
    await sees(ann, [{ name: "ben" }]);
  });
  await check("a node that is killed takes its members with it, long before their states end", async () => {
    await ben.evaluate(() => window.present({ name: "ben" }, "60s"));
    await sees(ann, [{ name: "ben" }]);
    second.kill("SIGKILL");
    await sees(ann, [], 40_000);
  });
} finally {
  await browser.close();
  for (const server of servers.reverse()) {
    server.kill("SIGTERM");
    await server.ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
conclude();

async function serve(port, args, env) {
  const server = await startServer(vibe, ["serve", "--port", `${port}`, ...args], { env: { ...process.env, VIBE_PUBLIC_URL: url, ...env } });
  servers.push(server);
  return server;
}

// A page of a person of their own, at one node, with the few functions a client needs.
async function person(name, port) {
  const token = (await execute(vibe, ["token", "--user", name, "--data", data], { env: { ...process.env, VIBE_PUBLIC_URL: url } })).stdout.trim();
  const page = await (await browser.newContext()).newPage();
  await page.goto(`http://127.0.0.1:${port}/docs`);
  await page.evaluate((bearer) => {
    const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
    window.members = new Map();
    window.onMessage = () => {};
    window.send = async (method, path, body) => {
      const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      return response.json();
    };

    window.join = async (channel) => {
      window.path = `/v1/channels/${channel}`;
      window.streamId = crypto.randomUUID();
      const response = await fetch(`${window.path}/events?stream_id=${window.streamId}`, { headers });
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      const next = async () => {
        const { value, done } = await reader.read();
        if (done) return false;
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        lines.filter(Boolean).forEach((line) => fold(JSON.parse(line)));
        return true;
      };
      while (!window.memberId) await next();
      (async () => { while (await next()); })();
    };

    function fold({ joined, presence, message }) {
      if (joined) window.memberId = joined.memberId;
      for (const one of [...(joined?.present ?? []), ...(presence?.joined ?? []), ...(presence?.updated ?? [])]) window.members.set(one.memberId, one.state);
      for (const id of presence?.left ?? []) window.members.delete(id);
      if (message) window.onMessage(message);
    }

    window.present = (state, timeToLive) => window.send("PUT", `${window.path}/presence`, { streamId: window.streamId, state, timeToLive });
    const signal = (recipient, payload) => window.send("POST", `${window.path}/messages`, { streamId: window.streamId, recipient, payload });

    // The offer or answer goes before the candidates: each message waits for the one before.
    function peer(other) {
      const connection = new RTCPeerConnection();
      let sent = Promise.resolve();
      connection.tell = (payload) => (sent = sent.then(() => signal(other, payload)));
      connection.onicecandidate = ({ candidate }) => candidate && connection.tell({ candidate: candidate.toJSON() });
      return connection;
    }

    const peers = new Map();
    window.answerCalls = () => {
      window.onMessage = async ({ from, direct, payload }) => {
        if (!direct) return;
        if (payload.offer) {
          const connection = peer(from);
          peers.set(from, connection);
          connection.ondatachannel = ({ channel }) => (channel.onmessage = ({ data }) => {
            window.heard = data;
            channel.send(`${data} to you`);
          });
          const described = connection.setRemoteDescription(payload.offer);
          connection.described = described;
          await described;
          await connection.setLocalDescription();
          connection.tell({ answer: connection.localDescription.toJSON() });
          return;
        }

        const connection = peers.get(from);
        if (payload.answer) connection.accept(payload.answer);
        if (payload.candidate) {
          await connection.described;
          await connection.addIceCandidate(payload.candidate);
        }
      };
    };

    window.call = async (other, text) => {
      const connection = peer(other);
      peers.set(other, connection);
      connection.described = new Promise((resolve) => (connection.accept = (answer) => resolve(connection.setRemoteDescription(answer))));
      const channel = connection.createDataChannel("talk");
      channel.onopen = () => channel.send(text);
      const reply = new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(data)));
      await connection.setLocalDescription();
      connection.tell({ offer: connection.localDescription.toJSON() });
      return reply;
    };
  }, token);
  return page;
}

// Waits until exactly these states are present.
async function sees(page, states, timeout = 60_000) {
  const wanted = JSON.stringify(states.map((state) => JSON.stringify(state)).sort());
  try {
    await page.waitForFunction((expected) => JSON.stringify([...window.members.values()].map((state) => JSON.stringify(state)).sort()) === expected, wanted, { timeout });
  } catch {
    assert.deepEqual(await page.evaluate(() => [...window.members.values()]), states);
  }
}
