// @grpc/grpc-js: native gRPC on Node's HTTP/2.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import { assert, check } from "../../checks.mjs";
import { codes, noticed } from "../fixtures.mjs";

export async function run({ plain, tls, root }) {
  const definition = loader.loadSync("vibe/rpctest/v1/rpctest_service.proto", {
    includeDirs: [`${root}tests/proto`, `${root}proto`], keepCase: false, longs: String, defaults: true,
  });
  const { RpcTestService } = grpc.loadPackageDefinition(definition).vibe.rpctest.v1;
  const secure = grpc.credentials.createSsl(null, null, null, { rejectUnauthorized: false });
  for (const [where, url, credentials] of [["plain", plain, grpc.credentials.createInsecure()], ["tls", tls, secure]]) {
    const client = new RpcTestService(new URL(url).host, credentials, {
      "grpc.max_receive_message_length": -1, "grpc.default_compression_algorithm": 0,
    });
    await runOne(`grpc-js, ${where}`, client);
    client.close();
    const zipped = new RpcTestService(new URL(url).host, credentials, { "grpc.default_compression_algorithm": 2 });
    await check(`grpc-js, ${where}, gzip: a compressed request is read`, async () =>
      assert.equal((await unary(zipped, "echo", { name: "x".repeat(1000) })).name, "x".repeat(1000)));
    zipped.close();
  }
}

function unary(client, method, request, { metadata = new grpc.Metadata(), ...options } = {}) {
  return new Promise((resolve, reject) =>
    client[method](request, metadata, options, (error, answer) => (error ? reject(error) : resolve(answer))));
}

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("the call should have failed");
}

async function runOne(name, client) {
  await check(`${name}: unary`, async () => {
    const answer = await unary(client, "echo", { name: "grüße", words: ["a", "b"], message: { text: "t", int64Value: "-5" } });
    assert.deepEqual([answer.name, answer.words, answer.message.int64Value], ["grüße", ["a", "b"], "-5"]);
  });
  await check(`${name}: a thousand calls at once`, async () => {
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => unary(client, "echo", { name: `${i}` })));
    answers.forEach((answer, i) => assert.equal(answer.name, `${i}`));
  });
  await check(`${name}: three megabytes`, async () =>
    assert.equal((await unary(client, "echo", { paddingBytes: 3_000_000 })).padding.length, 3_000_000));
  await check(`${name}: a request over the limit`, async () => {
    const error = await failure(unary(client, "echo", { message: { bytesValue: Buffer.alloc(5_000_000) } }));
    assert.equal(error.code, grpc.status.RESOURCE_EXHAUSTED);
    assert.equal((await unary(client, "echo", { name: "after" })).name, "after");
  });
  for (const { name: code, number } of codes) {
    await check(`${name}: ${code} with message and details`, async () => {
      const error = await failure(unary(client, "fail", { code: number, message: "100% grüße", reason: "TOLD" }));
      assert.deepEqual([error.code, error.details], [number, "100% grüße"]);
      assert.equal(error.metadata.get("grpc-status-details-bin").length, 1);
    });
  }
  await check(`${name}: metadata and binary metadata`, async () => {
    const metadata = new grpc.Metadata();
    metadata.set("x-text", "some text");
    metadata.set("x-bytes-bin", Buffer.from([0, 255, 128, 10]));
    const [headers, trailers, answer] = await new Promise((resolve, reject) => {
      let headers, trailers;
      const call = client.headers({ headers: { "x-head-bin": "AP+A" }, trailers: { "x-tail": "t" } }, metadata, (error, answer) =>
        error ? reject(error) : setImmediate(() => resolve([headers, trailers, answer])));
      call.on("metadata", (value) => (headers = value));
      call.on("status", (status) => (trailers = status.metadata));
    });
    assert.equal(answer.metadata["x-text"], "some text");
    assert.equal(answer.metadata["x-bytes-bin"], "AP+ACg==");
    assert.deepEqual([...headers.get("x-head-bin")[0]], [0, 255, 128]);
    assert.deepEqual(trailers.get("x-tail"), ["t"]);
  });
  await check(`${name}: server stream`, async () => {
    const indexes = [];
    for await (const message of client.expand({ count: 100 })) indexes.push(message.index);
    assert.deepEqual(indexes, [...Array(100).keys()]);
  });
  await check(`${name}: a stream that fails`, async () => {
    // This client may drop messages that came before the error, so only the error is looked at.
    const error = await failure((async () => { for await (const _ of client.expand({ count: 3, fail: { code: 9, message: "enough" } })); })());
    assert.deepEqual([error.code, error.details], [9, "enough"]);
  });
  await check(`${name}: client stream`, async () => {
    const answer = await new Promise((resolve, reject) => {
      const call = client.collect((error, value) => (error ? reject(error) : resolve(value)));
      for (let n = 1; n <= 100; n++) call.write({ number: n });
      call.end();
    });
    assert.deepEqual([answer.sum, answer.count], ["5050", 100]);
  });
  await check(`${name}: conversation`, async () => {
    const call = client.chat();
    const heard = [];
    call.write({ text: "one" });
    for await (const { text } of call) {
      heard.push(text);
      if (heard.length < 3) call.write({ text: ["two", "three"][heard.length - 1] });
      else call.end();
    }
    assert.deepEqual(heard, ["one", "two", "three"]);
  });
  await check(`${name}: deadline`, async () => {
    const error = await failure(unary(client, "wait", { delay: { seconds: 20 } }, { deadline: Date.now() + 200 }));
    assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
  });
  await check(`${name}: cancelling`, async () => {
    await noticed(async () => (await unary(client, "wait", {})).cancelledCount, async (life) => {
      const error = await failure(new Promise((resolve, reject) => {
        const call = client.wait({ delay: { seconds: 20 } }, (error, value) => (error ? reject(error) : resolve(value)));
        setTimeout(() => call.cancel(), life);
      }));
      assert.equal(error.code, grpc.status.CANCELLED);
    });
  });
  await check(`${name}: an unknown method`, async () => {
    const error = await failure(new Promise((resolve, reject) =>
      client.makeUnaryRequest("/vibe.rpctest.v1.RpcTestService/Nothing", (x) => x, (x) => x, Buffer.alloc(0), (error, value) =>
        error ? reject(error) : resolve(value))));
    assert.equal(error.code, grpc.status.UNIMPLEMENTED);
  });
}
