// Broken and hostile bytes: envelopes, compression, HTTP/1.1 that two readers would read differently, HTTP/2 that breaks its rules.
import net from "node:net";
import { gzipSync } from "node:zlib";
import { assert, check } from "../../checks.mjs";
import { encode, methodOf } from "../contract.mjs";
import { findingOf } from "../judge.mjs";
import { frame, meaningOf, requestOf, send } from "../wire.mjs";

const list = methodOf("DocumentsService.ListDocuments");
const create = methodOf("DocumentsService.CreateDocument");
const open = { collection: "open", scope: "DOCUMENT_SCOPE_PUBLIC" };

export async function run(target) {
  const [token] = target.tokens.mallories;
  const ask = async (request, change) => {
    const answer = await send(target.url, { ...request, ...change, headers: { ...request.headers, ...change.headers } });
    assert.equal(findingOf(request, answer), null);
    return meaningOf(request, answer);
  };
  const message = Buffer.from(encode(list.input, open));
  const lying = (length, flags = 0) => {
    const head = Buffer.from([flags, 0, 0, 0, 0]);
    head.writeUInt32BE(length, 1);
    return head;
  };
  const envelopes = {
    "no byte at all": [Buffer.alloc(0), ["UNIMPLEMENTED"]], "half a head": [Buffer.from([0, 0, 0]), ["INTERNAL", "INVALID_ARGUMENT"]], "less than it says": [Buffer.concat([lying(message.length + 9), message]), ["INTERNAL", "INVALID_ARGUMENT"]],
    "4 GiB announced": [Buffer.concat([lying(0xffffffff), message]), ["RESOURCE_EXHAUSTED"]], "2 GiB announced": [Buffer.concat([lying(0x7fffffff), message]), ["RESOURCE_EXHAUSTED"]], "a byte over the limit": [lying((12 << 20) + 1), ["RESOURCE_EXHAUSTED"]],
    "two messages": [Buffer.concat([frame(message), frame(message)]), ["UNIMPLEMENTED"]], "bytes behind": [Buffer.concat([frame(message), Buffer.from([0, 0])]), ["INTERNAL", "UNIMPLEMENTED", "INVALID_ARGUMENT"]],
    "compressed, it says, without a compression": [frame(message, 1), ["INTERNAL"]], "an unknown flag": [frame(message, 4), ["INTERNAL", "UNIMPLEMENTED", "OK"]], "a trailer's flag": [frame(message, 0x80), ["INTERNAL", "UNIMPLEMENTED", "INVALID_ARGUMENT"]],
  };
  for (const protocol of ["grpc", "grpc-web"]) {
    for (const [name, [body, codes]] of Object.entries(envelopes)) {
      await check(`framing: ${protocol}: ${name}`, async () => {
        const request = requestOf(list, protocol, open, token);
        const { code } = await ask(request, { body });
        assert.ok(codes.includes(code), `${code} is none of ${codes}`);
        assert.equal((await ask(request, {})).code, "OK");
      });
    }
  }

  // 256 MiB of zeros in 256 KiB.
  const bomb = gzipSync(Buffer.alloc(256 << 20));
  const twice = gzipSync(bomb);
  for (const [protocol, header, framed] of [["grpc", "grpc-encoding", true], ["grpc-web", "grpc-encoding", true], ["connect", "content-encoding", false], ["connect+json", "content-encoding", false], ["rest", "content-encoding", false]]) {
    await check(`framing: ${protocol}: bytes that inflate a thousandfold are refused at the limit`, async () => {
      for (const bytes of [bomb, twice]) {
        const request = requestOf(create, protocol, { document: { collection: "own", data: {} } }, token);
        const { code } = await ask(request, { body: framed ? frame(bytes, 1) : bytes, headers: { [header]: "gzip" } });
        assert.ok((bytes === bomb ? ["RESOURCE_EXHAUSTED"] : ["RESOURCE_EXHAUSTED", "INVALID_ARGUMENT", "INTERNAL"]).includes(code), code);
      }
    });
  }

  const host = `Host: 127.0.0.1:${target.port}\r\n`;
  const inner = `GET /v1/documents/${target.victim.open.id} HTTP/1.1\r\n${host}\r\n`;
  const post = (headers, body) => `POST /v1/documents:query HTTP/1.1\r\n${host}Content-Type: application/json\r\n${headers}\r\n${body}`;
  const json = JSON.stringify(open);
  const smuggled = {
    "a length and chunks": post(`Content-Length: ${json.length}\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${inner}`), "two lengths": post(`Content-Length: ${json.length}\r\nContent-Length: 0\r\n`, json + inner),
    "two lengths in one": post(`Content-Length: ${json.length}, 0\r\n`, json + inner), "a negative length": post("Content-Length: -1\r\n", json + inner),
    "a length beyond 64 bits": post("Content-Length: 99999999999999999999\r\n", json + inner), "chunks and something else": post("Transfer-Encoding: chunked, identity\r\n", `0\r\n\r\n${inner}`), "chunks by another name": post("Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${inner}`),
    "a tab before the colon": post("Transfer-Encoding\t: chunked\r\n", `0\r\n\r\n${inner}`), "a folded header": post("X: a\r\n Transfer-Encoding: chunked\r\n", `0\r\n\r\n${inner}`), "a chunk of more than 64 bits": post("Transfer-Encoding: chunked\r\n", `FFFFFFFFFFFFFFFFFF\r\n${inner}`),
    "a chunk with a sign": post("Transfer-Encoding: chunked\r\n", `-1\r\n${inner}`), "no host": inner.replace(host, ""), "two hosts": inner.replace(host, `${host}Host: evil.example\r\n`), "a NUL in a header": inner.replace("\r\n\r\n", "\r\nX: a\0b\r\n\r\n"),
    "HTTP/9": inner.replace("HTTP/1.1", "HTTP/9.9"), "no version": `GET /healthz\r\n\r\n`, "a method of control characters": `G\x01T /healthz HTTP/1.1\r\n${host}\r\n`, "a preface that changes its mind": `PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n${inner}`,
    "a request line of 64 KiB": `GET /${"a".repeat(65536)} HTTP/1.1\r\n${host}\r\n`, "101 headers": inner.replace("\r\n\r\n", `\r\n${Array.from({ length: 101 }, (_, index) => `x${index}: y\r\n`).join("")}\r\n`),
  };
  for (const [name, bytes] of Object.entries(smuggled)) {
    await check(`framing: HTTP/1.1: ${name}: refused, and what follows is not a request`, async () => {
      const answer = await exchange(target.port, bytes);
      assert.ok(!answer.includes("for everyone"), answer);
      assert.ok(answer === "" || /^HTTP\/1\.1 (400|404|411|413|414|431|501|505)/.test(answer) || (name === "a preface that changes its mind" && !/^HTTP\/1/.test(answer)), answer.slice(0, 200));
    });
  }
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const frame2 = (type, flags, stream, payload = Buffer.alloc(0), length = payload.length) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  const settings = frame2(4, 0, 0);
  const broken = {
    "settings of five bytes": [frame2(4, 0, 0, Buffer.alloc(5))], "an even stream": [settings, frame2(1, 5, 2, Buffer.from([0x82]))], "data without a stream": [settings, frame2(0, 0, 1, Buffer.alloc(5))],
    "a frame of 16 MiB announced": [settings, frame2(0, 0, 1, Buffer.alloc(5), 0xffffff)], "a window of zero": [settings, frame2(8, 0, 0, Buffer.alloc(4))], "a window beyond its size": [settings, frame2(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))],
    "headers that are no HPACK": [settings, frame2(1, 5, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))], "a table index beyond": [settings, frame2(1, 5, 1, Buffer.from([0xfe]))], "padding longer than the frame": [settings, frame2(0, 8, 1, Buffer.from([255, 0]))],
    "a stream that depends on itself": [settings, frame2(1, 0x25, 1, Buffer.from([0, 0, 0, 1, 16, 0x82]))], "push from the client": [settings, frame2(5, 4, 1, Buffer.alloc(4))], "something between headers": [settings, frame2(1, 1, 1, Buffer.from([0x82])), frame2(6, 0, 0, Buffer.alloc(8))],
  };
  for (const [name, frames] of Object.entries(broken)) {
    await check(`framing: HTTP/2: ${name}: the connection is closed`, async () => {
      const answer = Buffer.from(await exchange(target.port, Buffer.concat([preface, ...frames]), "latin1"), "latin1");
      assert.ok([...framesIn(answer)].some((type) => type === 7 || type === 3), answer.toString("hex"));
    });
  }
  await check("framing: after all that the next caller is answered", async () => assert.equal((await ask(requestOf(list, "grpc", open, token), {})).code, "OK"));
}

function* framesIn(bytes) {
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) yield bytes[at + 3];
}

// All that comes back on a connection of its own, until the server ends it.
function exchange(port, bytes, encoding = "utf8") {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(bytes));
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error("the server keeps the connection open"));
    }, 25_000);
    let text = "";
    socket.setEncoding(encoding).on("data", (chunk) => (text += chunk)).on("error", () => {}).on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
