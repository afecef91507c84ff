// grpc-web (npm), over XMLHttpRequest: binary and text (base64).
import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import xhr2 from "xhr2";
import { assert, check } from "../../checks.mjs";
import { codes } from "../fixtures.mjs";
import * as schema from "../gen/vibe/rpctest/v1/rpctest_service_pb.js";

export async function run({ plain }) {
  globalThis.XMLHttpRequest = xhr2;
  const { default: grpcWeb } = await import("grpc-web");
  for (const format of ["binary", "text"]) {
    await runOne(`grpc-web ${format}`, new Client(grpcWeb, plain, format), format);
  }
}

class Client {
  constructor(grpcWeb, url, format) {
    this.base = new grpcWeb.GrpcWebClientBase({ format });
    this.grpcWeb = grpcWeb;
    this.url = url;
  }

  descriptor(name, input, output, type) {
    return new this.grpcWeb.MethodDescriptor(
      `/vibe.rpctest.v1.RpcTestService/${name}`, type, Object, Object,
      (request) => toBinary(input, request), (bytes) => fromBinary(output, bytes));
  }

  unary(name, request, metadata = {}) {
    const { input, output } = schema.RpcTestService.method[name];
    const method = this.descriptor(name[0].toUpperCase() + name.slice(1), input, output, "unary");
    return new Promise((resolve, reject) =>
      this.base.rpcCall(`${this.url}${method.getName()}`, create(input, request), metadata, method, (error, answer) =>
        error ? reject(error) : resolve(answer)));
  }

  stream(name, request) {
    const { input, output } = schema.RpcTestService.method[name];
    const method = this.descriptor(name[0].toUpperCase() + name.slice(1), input, output, "server_streaming");
    const messages = [];
    return new Promise((resolve, reject) => {
      const call = this.base.serverStreaming(`${this.url}${method.getName()}`, create(input, request), {}, method);
      call.on("data", (message) => messages.push(message));
      call.on("error", (error) => reject(Object.assign(error, { messages })));
      call.on("end", () => resolve(messages));
    });
  }
}

async function runOne(name, client, format) {
  await check(`${name}: unary`, async () => assert.equal((await client.unary("echo", { name: "grüße" })).name, "grüße"));
  await check(`${name}: an empty message`, async () => assert.equal((await client.unary("echo", {})).name, ""));
  await check(`${name}: a megabyte`, async () => assert.equal((await client.unary("echo", { paddingBytes: 1_000_000 })).padding.length, 1_000_000));
  await check(`${name}: metadata`, async () =>
    assert.equal((await client.unary("headers", {}, { "x-text": "some text" })).metadata["x-text"], "some text"));
  for (const { name: code, number } of codes) {
    await check(`${name}: ${code}`, async () => {
      const error = await client.unary("fail", { code: number, message: "100% grüße" }).then(() => assert.fail("should fail"), (e) => e);
      assert.deepEqual([error.code, error.message], [number, "100% grüße"]);
    });
  }
  // In this client only the text form streams.
  if (format !== "text") return;
  await check(`${name}: server stream`, async () => {
    const messages = await client.stream("expand", { count: 100, paddingBytes: 10 });
    assert.deepEqual(messages.map((message) => message.index), [...Array(100).keys()]);
  });
  await check(`${name}: a stream that fails`, async () => {
    const error = await client.stream("expand", { count: 3, fail: { code: 9, message: "enough" } }).then(() => assert.fail("should fail"), (e) => e);
    assert.deepEqual([error.code, error.message, error.messages.length], [9, "enough", 3]);
  });
}
