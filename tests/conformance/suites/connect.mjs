// @connectrpc/connect-node and @connectrpc/connect-web (under Node's fetch): gRPC, gRPC-Web and Connect, binary and
// JSON, HTTP/1.1 and HTTP/2, plaintext and TLS.
import { create, fromJson, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, decodeBinaryHeader, encodeBinaryHeader } from "@connectrpc/connect";
import * as node from "@connectrpc/connect-node";
import * as web from "@connectrpc/connect-web";
import { assert, check } from "../../checks.mjs";
import { codes, noticed, sample } from "../fixtures.mjs";
import { AllTypesSchema, EchoRequestSchema, RpcTestService } from "../gen/vibe/rpctest/v1/rpctest_service_pb.js";

export async function run({ plain, tls }) {
  for (const { name, transport, duplex, clientStreams } of transports(plain, tls)) {
    await runOne(name, createClient(RpcTestService, transport), { duplex, clientStreams });
  }
}

function* transports(plain, tls) {
  const nodeOptions = { rejectUnauthorized: false };
  for (const useBinaryFormat of [true, false]) {
    const codec = useBinaryFormat ? "proto" : "json";
    for (const [where, baseUrl] of [["plain", plain], ["tls", tls]]) {
      for (const httpVersion of ["1.1", "2"]) {
        const options = { baseUrl, httpVersion, useBinaryFormat, nodeOptions };
        const h2 = httpVersion === "2";
        const label = `${codec}, h${httpVersion}, ${where}`;
        if (h2) yield { name: `connect-node grpc, ${label}`, transport: node.createGrpcTransport(options), duplex: true, clientStreams: true };
        yield { name: `connect-node grpc-web, ${label}`, transport: node.createGrpcWebTransport(options), duplex: h2, clientStreams: true };
        yield { name: `connect-node connect, ${label}`, transport: node.createConnectTransport(options), duplex: h2, clientStreams: true };
        yield { name: `connect-node connect GET, ${label}`, transport: node.createConnectTransport({ ...options, useHttpGet: true }), duplex: false, clientStreams: false };
        const gzip = { ...options, acceptCompression: [node.compressionGzip], sendCompression: node.compressionGzip, compressMinBytes: 1 };
        if (where === "plain" && h2) yield { name: `connect-node grpc gzip, ${label}`, transport: node.createGrpcTransport(gzip), duplex: true, clientStreams: true };
        if (where === "plain") yield { name: `connect-node connect gzip, ${label}`, transport: node.createConnectTransport(gzip), duplex: h2, clientStreams: true };
        if (where === "plain") yield { name: `connect-node grpc-web gzip, ${label}`, transport: node.createGrpcWebTransport(gzip), duplex: h2, clientStreams: true };
      }
    }
    yield { name: `connect-web grpc-web, ${codec}`, transport: web.createGrpcWebTransport({ baseUrl: plain, useBinaryFormat }) };
    yield { name: `connect-web connect, ${codec}`, transport: web.createConnectTransport({ baseUrl: plain, useBinaryFormat }) };
    yield { name: `connect-web connect GET, ${codec}`, transport: web.createConnectTransport({ baseUrl: plain, useBinaryFormat, useHttpGet: true }) };
  }
}

async function runOne(name, client, { duplex, clientStreams }) {
  await check(`${name}: a message of every type comes back`, async () => {
    const message = fromJson(AllTypesSchema, sample);
    const answer = await client.echo({ message, name: "n/a%2F", words: ["x", "y"] });
    assert.deepEqual(toJson(AllTypesSchema, answer.message), toJson(AllTypesSchema, message));
    assert.deepEqual([answer.name, answer.words], ["n/a%2F", ["x", "y"]]);
  });

  await check(`${name}: an empty message comes back`, async () => {
    const answer = await client.echo(create(EchoRequestSchema));
    assert.equal(answer.message, undefined);
  });

  await check(`${name}: three megabytes come back`, async () => {
    const answer = await client.echo({ paddingBytes: 3_000_000 });
    assert.equal(answer.padding.length, 3_000_000);
  });

  await check(`${name}: a request over the limit is refused, the next one served`, async () => {
    const large = { message: { bytesValue: new Uint8Array(5_000_000) } };
    const error = await failure(client.echo(large));
    // A client that asks by GET cannot send it at all; HTTP then says that the address is too long.
    assert.ok([Code.ResourceExhausted, Code.Unknown, Code.Internal].includes(error.code), `${error}`);
    assert.equal((await client.echo({ name: "after" })).name, "after");
  });

  await check(`${name}: an invalid field is named`, async () => {
    const error = await failure(client.echo({ words: Array(9).fill("w") }));
    assert.equal(error.code, Code.InvalidArgument);
  });

  for (const { name: code, number } of codes) {
    await check(`${name}: ${code} arrives with its message and details`, async () => {
      const error = await failure(client.fail({ code: number, message: `told: "${code}" 100% grüße`, reason: "TOLD" }));
      assert.equal(error.code, number);
      assert.equal(error.rawMessage, `told: "${code}" 100% grüße`);
      assert.equal(error.details.length, 1);
      assert.equal(error.details[0].type, "google.rpc.ErrorInfo");
    });
  }

  await check(`${name}: an exception nobody foresaw is INTERNAL without its text`, async () => {
    const error = await failure(client.fail({ code: -1, message: "secret" }));
    assert.equal(error.code, Code.Internal);
    assert.ok(!error.rawMessage.includes("secret"));
  });

  await check(`${name}: metadata goes both ways`, async () => {
    let headers, trailers;
    const binary = new Uint8Array([0, 255, 128, 10]);
    const answer = await client.headers(
      { headers: { "x-head": "h", "x-head-bin": "AP+A" }, trailers: { "x-tail": "t", "x-tail-bin": "AP+A" } },
      {
        headers: { "x-text": "some text", "x-bytes-bin": encodeBinaryHeader(binary) },
        onHeader: (value) => (headers = value),
        onTrailer: (value) => (trailers = value),
      });
    assert.equal(answer.metadata["x-text"], "some text");
    assert.equal(answer.metadata["x-bytes-bin"], "AP+ACg==");
    assert.equal(headers.get("x-head"), "h");
    assert.deepEqual([...decodeBinaryHeader(headers.get("x-head-bin"))], [0, 255, 128]);
    assert.equal(trailers.get("x-tail"), "t");
    assert.deepEqual([...decodeBinaryHeader(trailers.get("x-tail-bin"))], [0, 255, 128]);
  });

  await check(`${name}: a server stream arrives in order`, async () => {
    const indexes = [];
    for await (const message of client.expand({ count: 100, paddingBytes: 50 })) indexes.push(message.index);
    assert.deepEqual(indexes, [...Array(100).keys()]);
  });

  await check(`${name}: an empty server stream ends well`, async () => {
    for await (const message of client.expand({})) assert.fail(`${message.index}`);
  });

  await check(`${name}: a stream that fails delivers what came before`, async () => {
    const indexes = [];
    const error = await failure((async () => {
      for await (const message of client.expand({ count: 3, fail: { code: 9, message: "enough", reason: "TOLD" } })) indexes.push(message.index);
    })());
    assert.deepEqual(indexes, [0, 1, 2]);
    assert.deepEqual([error.code, error.rawMessage, error.details.length], [Code.FailedPrecondition, "enough", 1]);
  });

  await check(`${name}: messages of a stream arrive while it runs`, async () => {
    const aborter = new AbortController();
    const error = await failure((async () => {
      for await (const _ of client.expand({ count: 2, delay: { seconds: 1n, nanos: 0 } }, { signal: aborter.signal })) aborter.abort();
    })());
    assert.equal(error.code, Code.Canceled);
  });

  await check(`${name}: a deadline ends the call`, async () => {
    const error = await failure(client.wait({ delay: { seconds: 20n, nanos: 0 } }, { timeoutMs: 200 }));
    assert.equal(error.code, Code.DeadlineExceeded);
  });

  await check(`${name}: a cancelled call is noticed by the server`, async () => {
    await noticed(async () => (await client.wait({})).cancelledCount, async (life) => {
      const aborter = new AbortController();
      const call = failure(client.wait({ delay: { seconds: 20n, nanos: 0 } }, { signal: aborter.signal }));
      setTimeout(() => aborter.abort(), life);
      assert.equal((await call).code, Code.Canceled);
    });
  });

  if (clientStreams) {
    await check(`${name}: a client stream is added up`, async () => {
      const answer = await client.collect((async function* () { for (let n = 1n; n <= 100n; n++) yield { number: n }; })());
      assert.deepEqual([answer.sum, answer.count], [5050n, 100]);
    });
  }

  if (duplex) {
    await check(`${name}: a conversation goes back and forth`, async () => {
      let resume, heard = [];
      const turn = () => new Promise((resolve) => (resume = resolve));
      async function* speak() {
        for (const text of ["one", "two", "three"]) {
          const next = turn();
          yield { text };
          await next;
        }
      }
      for await (const answer of client.chat(speak())) {
        heard.push(answer.text);
        resume();
      }
      assert.deepEqual(heard, ["one", "two", "three"]);
    });
  }
}

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return ConnectError.from(error);
  }
  return assert.fail("the call should have failed");
}
