// What floods a server, each for some seconds, in a thread of its own. Every function returns how much it did.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { encode, methodOf } from "./contract.mjs";
import { frame, requestOf, send } from "./wire.mjs";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const frame2 = (type, flags, stream, payload = Buffer.alloc(0)) => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};
// A header without indexing; short names and values only.
const literal = (name, value) => Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
const callHeaders = (path, token) => Buffer.concat([
  literal(":method", "POST"), literal(":scheme", "http"), literal(":authority", "localhost"), literal(":path", path), literal("content-type", "application/grpc"), literal("te", "trailers"),
  ...(token ? [literalLong("authorization", `Bearer ${token}`)] : []),
]);
const literalLong = (name, value) => {
  const rest = value.length - 127;
  return Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from(rest < 128 ? [127, rest] : [127, rest & 127 | 128, rest >> 7]), Buffer.from(value)]);
};
const head1 = (port, path, headers, body = "") => `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}\r\n${body}`;

// Not `once`, which fails when the connection does.
const closed = (socket) => (socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once("close", resolve)));

class Flood {
  constructor({ url, port, tokens, facts, seconds }) {
    Object.assign(this, { url, port, tokens, facts });
    this.until = Date.now() + seconds * 1000;
    this.sockets = new Set();
  }

  get isOver() {
    return Date.now() >= this.until;
  }

  // A connection; null when the server closes it at once. reads: whether what comes is read.
  async connect(reads = true) {
    const socket = net.connect(this.port, "127.0.0.1");
    this.sockets.add(socket);
    socket.setMaxListeners(0).on("error", () => {}).on("close", () => this.sockets.delete(socket));
    if (reads) socket.resume();
    await Promise.race([once(socket, "connect").catch(() => {}), closed(socket)]);
    return socket.destroyed ? null : socket;
  }

  // Writes and waits until the system takes it; false when the connection is gone.
  async write(socket, bytes) {
    if (socket.destroyed) return false;
    if (socket.write(bytes)) return true;
    await Promise.race([once(socket, "drain").catch(() => {}), closed(socket), pause(Math.max(1, this.until - Date.now()))]);
    return !socket.destroyed;
  }

  // Runs `count` of them side by side until the time is over; each is begun again when it ends.
  async all(count, body) {
    let done = 0;
    await Promise.all(Array.from({ length: count }, async (_, index) => {
      while (!this.isOver) {
        const count = await body(index);
        done += count ?? 1;
        await pause(1);
      }
    }));
    return done;
  }

  // One HTTP/2 connection after the other, on which bytes are made until it is closed.
  over2(count, make, reads = true) {
    return this.all(count, async () => {
      const socket = await this.connect(reads);
      if (!socket || !(await this.write(socket, Buffer.concat([preface, frame2(4, 0, 0)])))) return 0;
      let sent = 0;
      while (!this.isOver && (await this.write(socket, make(sent)))) sent += 1;
      socket.destroy();
      return sent;
    });
  }

  close() {
    for (const socket of this.sockets) socket.destroy();
  }
}

const list = methodOf("DocumentsService.ListDocuments");
const open = { collection: "open", scope: "DOCUMENT_SCOPE_PUBLIC" };

export const floods = {
  "streams opened and reset (rapid reset)": (flood) => {
    const headers = callHeaders(list.path);
    const message = frame(Buffer.from(encode(list.input, open)));
    return flood.over2(8, (sent) => Buffer.concat(Array.from({ length: 50 }, (_, index) => {
      const stream = 2 * (sent * 50 + index) + 1;
      return Buffer.concat([frame2(1, 4, stream, headers), frame2(0, 1, stream, message), frame2(3, 0, stream, Buffer.from([0, 0, 0, 8]))]);
    })));
  },
  "a header block without end (CONTINUATION)": (flood) => {
    const block = Buffer.concat(Array(120).fill(literal("x", "a".repeat(126))));
    return flood.over2(8, (sent) => (sent === 0 ? frame2(1, 0, 1, callHeaders(list.path)) : frame2(9, 0, 1, sent % 2 ? block : Buffer.alloc(0))));
  },
  "headers that grow when they are unpacked (HPACK)": (flood) => {
    // One entry of 4 KB in the table, named again and again in a byte each.
    const entry = Buffer.concat([Buffer.from([0x40, 1]), Buffer.from("x"), Buffer.from([0x7f, 0x81, 0x1e]), Buffer.alloc(4000, 97)]);
    const bomb = Buffer.concat([callHeaders(list.path), entry, Buffer.alloc(8000, 0xbe)]);
    return flood.over2(8, (sent) => frame2(1, 5, 2 * sent + 1, bomb));
  },
  "pings, settings, priorities and empty frames, answers unread": (flood) => flood.over2(8, (sent) => Buffer.concat(Array(200).fill(
    [frame2(6, 0, 0, Buffer.alloc(8)), frame2(4, 0, 0), frame2(2, 0, 2 * (sent % 1000) + 1, Buffer.from([0, 0, 0, 0, 9])), frame2(8, 0, 0, Buffer.from([0, 0, 0, 1]))][sent % 4])), false),
  "connections that say nothing": (flood) => flood.all(2000, async () => {
    const socket = await flood.connect();
    if (socket) await Promise.race([closed(socket), pause(Math.max(1, flood.until - Date.now()))]);
    socket?.destroy();
  }),
  "connections that speak HTTP/2 and ask nothing": (flood) => flood.all(1500, async () => {
    const socket = await flood.connect();
    if (socket && (await flood.write(socket, Buffer.concat([preface, frame2(4, 0, 0)])))) await Promise.race([closed(socket), pause(Math.max(1, flood.until - Date.now()))]);
    socket?.destroy();
  }),
  "headers that come byte by byte (slowloris)": (flood) => flood.all(800, async (index) => {
    const socket = await flood.connect();
    if (!socket) return 0;
    await flood.write(socket, index % 2 ? "GET / HTTP/1.1\r\nHost: a\r\nX: " : Buffer.concat([preface, frame2(4, 0, 0), frame2(1, 0, 1, callHeaders(list.path))]));
    while (!flood.isOver && (await flood.write(socket, index % 2 ? "a" : frame2(9, 0, 1, literal("x", "a"))))) await pause(500);
    socket.destroy();
    return 1;
  }),
  "large bodies of strangers that stop before their end": (flood) => {
    // As fast as it goes to the last byte, and then a byte now and then.
    const body = Buffer.alloc((12 << 20) - 1024, 32);
    return flood.all(100, async () => {
      const socket = await flood.connect();
      if (!socket) return 0;
      await flood.write(socket, head1(flood.port, list.path, `Content-Type: application/json\r\nContent-Length: ${12 << 20}\r\n`));
      for (let at = 0; at < body.length && !flood.isOver; at += 65536) if (!(await flood.write(socket, body.subarray(at, at + 65536)))) return 0;
      while (!flood.isOver && (await flood.write(socket, Buffer.alloc(200, 32)))) await pause(500);
      socket.destroy();
      return 1;
    });
  },
  "small bodies that come byte by byte": (flood) => flood.all(600, async (index) => {
    const socket = await flood.connect();
    if (!socket) return 0;
    await flood.write(socket, head1(flood.port, "/v1/documents:query", `Content-Type: application/json\r\n${index % 2 ? "Content-Length: 100000" : "Transfer-Encoding: chunked"}\r\n`, index % 2 ? "{" : "1\r\n{\r\n"));
    while (!flood.isOver && (await flood.write(socket, index % 2 ? " " : "1\r\n \r\n"))) await pause(400);
    socket.destroy();
    return 1;
  }),
  "answers that nobody reads": (flood) => flood.all(200, async (index) => {
    const socket = await flood.connect(false);
    if (!socket) return 0;
    const token = flood.tokens[index % flood.tokens.length];
    const headers = `Host: a\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    await flood.write(socket, index % 2 ? `GET /v1/documents:subscribe?collection=large&initial=true HTTP/1.1\r\n${headers}` : `GET /v1/documents?collection=large&page_size=1000 HTTP/1.1\r\n${headers}`.repeat(20));
    await Promise.race([closed(socket), pause(Math.max(1, flood.until - Date.now()))]);
    socket.destroy();
    return 1;
  }),
  "giant filters": (flood) => {
    const query = methodOf("DocumentsService.QueryDocuments");
    const filter = { and: { filters: Array.from({ length: 99 }, (_, index) => ({ compare: { field: `data.${"a.".repeat(20)}f${index}`, op: "OPERATOR_STARTS_WITH", value: "%_".repeat(2000) } })) } };
    return flood.all(24, async (index) => {
      await send(flood.url, requestOf(query, "connect+json", { collection: "large", scope: "DOCUMENT_SCOPE_ALL", filter }, flood.tokens[index % flood.tokens.length]));
    });
  },
  "live queries: many streams of many targets with long filters": (flood) => {
    const subscribe = methodOf("RealtimeService.Subscribe");
    const long = Array.from({ length: 99 }, (_, index) => `data.f${index} starts_with "${"x".repeat(40)}"`).join(" or ");
    const message = frame(Buffer.from(encode(subscribe.input, { targets: Array.from({ length: 100 }, (_, id) => ({ id, collection: "own", scope: "DOCUMENT_SCOPE_ALL", filter: long, readMask: Array.from({ length: 100 }, (_, at) => `data.${"m".repeat(100)}${at}`) })) })));
    return flood.all(40, async (index) => {
      const socket = await flood.connect();
      if (!socket) return 0;
      await flood.write(socket, Buffer.concat([preface, frame2(4, 0, 0), frame2(8, 0, 0, Buffer.from([0x3f, 0xff, 0xff, 0xff]))]));
      const headers = callHeaders(subscribe.path, index % 4 ? flood.tokens[index % flood.tokens.length] : null);
      let stream = 1;
      for (; stream < 480 && !flood.isOver; stream += 2) {
        if (!(await flood.write(socket, frame2(1, 4, stream, headers)))) break;
        for (let at = 0; at < message.length; at += 16384) await flood.write(socket, frame2(0, at + 16384 >= message.length ? 1 : 0, stream, message.subarray(at, at + 16384)));
      }
      if (!socket.destroyed) await Promise.race([closed(socket), pause(Math.max(1, flood.until - Date.now()))]);
      socket.destroy();
      return (stream - 1) / 2;
    });
  },
  "channels and presence": (flood) => flood.all(40, async (index) => {
    const token = flood.tokens[index % flood.tokens.length];
    const streamId = randomUUID();
    const channel = `document:${flood.facts.open}`;
    const socket = await flood.connect(index % 3 !== 0);
    if (!socket) return 0;
    await flood.write(socket, `GET /v1/channels/${encodeURIComponent(channel)}/events?stream_id=${streamId} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    let sent = 0;
    for (; !flood.isOver && !socket.destroyed && sent < 400; sent++) {
      const isState = sent % 2 === 0;
      const body = isState ? { streamId, state: { text: "s".repeat(3800) } } : { streamId, payload: { text: "p".repeat(15_000) } };
      await send(flood.url, {
        protocol: "rest", version: 1, verb: isState ? "PUT" : "POST", path: `/v1/channels/${encodeURIComponent(channel)}/${isState ? "presence" : "messages"}`, body: Buffer.from(JSON.stringify(body)),
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      });
    }
    socket.destroy();
    return sent;
  }),
  "sign-ins, sign-ups, codes, devices and mails": (flood) => {
    const page = (path, body) => ({ protocol: "form", version: 1, verb: "POST", path, headers: { origin: flood.url, "content-type": "application/json" }, body: Buffer.from(JSON.stringify(body)) });
    const form = (path, text) => ({ protocol: "form", version: 1, verb: "POST", path, headers: { "content-type": "application/x-www-form-urlencoded" }, body: Buffer.from(text) });
    return flood.all(48, async (index) => {
      const name = `u${Math.random().toString(36).slice(2, 12)}`;
      await send(flood.url, [
        () => page("/auth/password/sign-in", { identifier: index % 2 ? "alice" : name, password: "x".repeat(2000) }), () => page("/auth/password/sign-up", { handle: name, displayName: name, password: `correct horse ${name}` }),
        () => page("/auth/mail/sign-in", { identifier: `${name}@mail.example` }), () => page("/auth/recovery/sign-in", { identifier: name, code: "a".repeat(40) }), () => page("/auth/passkeys/sign-in/options", {}),
        () => form("/oauth/device_authorization", `client_id=${flood.facts.app}&scope=openid`), () => form("/oauth/token", `grant_type=refresh_token&client_id=${flood.facts.app}&refresh_token=${"r".repeat(200)}`),
        () => form("/oauth/par", `client_id=${flood.facts.app}&response_type=code&redirect_uri=https%3A%2F%2Frp.example%2Fcallback&scope=openid&state=${"s".repeat(2000)}&code_challenge=${"c".repeat(43)}&code_challenge_method=S256`),
      ][index % 8]());
    });
  },
  "large batches and tokens nobody issued": (flood) => {
    const batch = methodOf("DocumentsService.BatchWriteDocuments");
    const writes = Array.from({ length: 8 }, () => ({ create: { collection: "bulk", data: { text: "x".repeat(900_000) } } }));
    const request = requestOf(batch, "connect+json", { writes, validateOnly: true }, null);
    return flood.all(16, async (index) => {
      const token = index % 2 ? flood.tokens[index % flood.tokens.length] : `${randomUUID().repeat(20)}.a.b`;
      await send(flood.url, { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } });
    });
  },
};

if (!isMainThread && workerData?.flood) {
  const flood = new Flood(workerData);
  const done = await floods[workerData.flood](flood);
  flood.close();
  parentPort.postMessage(done);
}
