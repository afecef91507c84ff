// Runs inside the page.
import { ConnectError, Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { RpcTestService } from "../gen/vibe/rpctest/v1/rpctest_service_pb.js";

globalThis.runChecks = async ({ url, protocol, binary }) => {
  const options = { baseUrl: url, useBinaryFormat: binary, useHttpGet: protocol === "connect GET" };
  const client = createClient(RpcTestService, protocol === "grpc-web" ? createGrpcWebTransport(options) : createConnectTransport(options));
  const results = {};
  const check = async (name, body) => {
    try {
      await body();
      results[name] = "";
    } catch (error) {
      results[name] = `${error}`;
    }
  };
  const equal = (actual, expected) => {
    if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
  };
  const failure = (promise) => promise.then(() => { throw new Error("the call should have failed"); }, (error) => ConnectError.from(error));

  await check("unary", async () => equal((await client.echo({ name: "grüße" })).name, "grüße"));
  await check("an error with details", async () => {
    const error = await failure(client.fail({ code: Code.NotFound, message: "100% grüße", reason: "TOLD" }));
    equal([error.code, error.rawMessage, error.details.length], [Code.NotFound, "100% grüße", 1]);
  });
  await check("request and response headers", async () => {
    let trailers;
    const answer = await client.headers({ trailers: { "x-tail": "t" } }, {
      headers: { authorization: "Bearer x", "x-request-id": "7" }, onTrailer: (value) => (trailers = value),
    });
    equal([answer.metadata.authorization, answer.metadata["x-request-id"]], ["Bearer x", "7"]);
    // A Connect trailer is an HTTP header, and a browser shows only those the server exposes by name.
    if (protocol === "grpc-web") equal(trailers.get("x-tail"), "t");
  });
  await check("a stream, message by message", async () => {
    // Over a second: a browser that is busy for a while still sees more than one arrival, one that waits for the end does not.
    const times = [];
    for await (const { index } of client.expand({ count: 20, delay: { seconds: 0n, nanos: 50_000_000 } })) times[index] = performance.now();
    equal([times.length, times[19] - times[0] > 40], [20, true]);
  });
  await check("a stream that fails", async () => {
    const seen = [];
    const error = await failure((async () => { for await (const { index } of client.expand({ count: 2, fail: { code: 9, message: "enough" } })) seen.push(index); })());
    equal([seen, error.code, error.rawMessage], [[0, 1], Code.FailedPrecondition, "enough"]);
  });
  await check("cancelling", async () => {
    const aborter = new AbortController();
    const call = failure(client.wait({ delay: { seconds: 20n, nanos: 0 } }, { signal: aborter.signal }));
    setTimeout(() => aborter.abort(), 50);
    equal((await call).code, Code.Canceled);
  });
  return results;
};

globalThis.readEvents = (url) => new Promise((resolve, reject) => {
  const seen = [];
  const source = new EventSource(`${url}/test/v1/expand?count=3&delay=0.02s`);
  source.onmessage = ({ data }) => {
    seen.push(JSON.parse(data));
    if (seen.length === 3) {
      source.close();
      resolve(seen);
    }
  };
  source.onerror = () => { source.close(); reject(new Error(`EventSource failed after ${seen.length}`)); };
});
