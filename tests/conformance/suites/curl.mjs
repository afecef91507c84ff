// curl: REST as a newcomer types it, Connect by hand, protocol detection on the one port, TLS.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { assert, check } from "../../checks.mjs";

const execute = promisify(execFile);

// Runs curl and returns status, headers and body.
async function curl(...args) {
  const { stdout } = await execute("curl", ["-sS", "-g", "-k", "-i", "--max-time", "20", ...args], { encoding: "utf8", maxBuffer: 1 << 26 });
  const end = stdout.indexOf("\r\n\r\n");
  const [first, ...lines] = stdout.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
  const body = stdout.slice(end + 4);
  return { version: first.split(" ")[0], status: Number(first.split(" ")[1]), headers, body, json: () => JSON.parse(body) };
}

const json = ["-H", "content-type: application/json"];

export async function run({ plain, tls }) {
  const service = `${plain}/vibe.rpctest.v1.RpcTestService`;

  await check("curl: HTTP/1.1 and HTTP/2 on the same plaintext port", async () => {
    assert.equal((await curl("--http1.1", `${plain}/test/v1/echo/hello`)).version, "HTTP/1.1");
    assert.equal((await curl("--http2-prior-knowledge", `${plain}/test/v1/echo/hello`)).version, "HTTP/2");
  });
  await check("curl: ALPN on the TLS port", async () => {
    assert.equal((await curl("--http1.1", `${tls}/test/v1/echo/hello`)).version, "HTTP/1.1");
    assert.equal((await curl("--http2", `${tls}/test/v1/echo/hello`)).version, "HTTP/2");
  });
  await check("curl: vibe.localhost", async () =>
    assert.equal((await curl(`http://vibe.localhost:${new URL(plain).port}/test/v1/echo/hello`)).status, 200));

  await check("Connect by curl: unary", async () => {
    const answer = await curl(...json, "-d", '{"name":"grüße"}', `${service}/Echo`);
    assert.deepEqual([answer.status, answer.headers["content-type"], answer.json()], [200, "application/json", { name: "grüße" }]);
  });
  await check("Connect by curl: GET", async () => {
    const message = encodeURIComponent('{"name":"by get"}');
    assert.deepEqual((await curl(`${service}/Echo?connect=v1&encoding=json&message=${message}`)).json(), { name: "by get" });
  });
  await check("Connect by curl: GET of a method with side effects", async () => {
    const answer = await curl(`${service}/Fail?connect=v1&encoding=json&message=%7B%7D`);
    assert.equal(answer.status, 405);
    assert.match(answer.headers.allow, /POST/);
  });
  await check("Connect by curl: an error", async () => {
    const answer = await curl(...json, "-d", '{"code":5,"message":"gone","reason":"TOLD"}', `${service}/Fail`);
    assert.equal(answer.status, 404);
    assert.deepEqual([answer.json().code, answer.json().message, answer.json().details[0].type], ["not_found", "gone", "google.rpc.ErrorInfo"]);
  });
  await check("an unknown content type is 415 and says what is accepted", async () => {
    const answer = await curl("-H", "content-type: text/plain", "-d", "x", `${service}/Echo`);
    assert.equal(answer.status, 415);
    assert.match(answer.headers["accept-post"], /application\/grpc/);
  });
  await check("native gRPC on HTTP/1.1 is 426", async () =>
    assert.equal((await curl("--http1.1", "-H", "content-type: application/grpc", "--data-binary", "", `${service}/Echo`)).status, 426));
  await check("an unknown path is 404", async () => assert.equal((await curl(`${plain}/nowhere`)).status, 404));

  for (const version of ["--http1.1", "--http2-prior-knowledge"]) {
    await check(`REST ${version}: POST with a body`, async () =>
      assert.deepEqual((await curl(version, ...json, "-d", '{"name":"n","message":{"int64Value":"5"}}', `${plain}/test/v1/echo`)).json(),
        { name: "n", message: { int64Value: "5" } }));
    await check(`REST ${version}: path, query and response_body`, async () => {
      assert.deepEqual((await curl(version, `${plain}/test/v1/echo/a%2Fb?words=x&words=y&message.maybe=0&message.color=GREEN`)).json(),
        { message: { text: "a/b", maybe: 0, color: "COLOR_GREEN" }, words: ["x", "y"] });
      assert.deepEqual((await curl(version, `${plain}/test/v1/shelves/1/books/2:read?message.text=t`)).json(), { text: "t" });
      assert.equal((await curl(version, `${plain}/test/v1/files/a/b%20c/d`)).json().name, "a/b c/d");
    });
    await check(`REST ${version}: PATCH of one field`, async () =>
      assert.deepEqual((await curl(version, "-X", "PATCH", ...json, "-d", '{"text":"patched"}', `${plain}/test/v1/echo/n`)).json(), { text: "patched" }));
    await check(`REST ${version}: an error has the status and the details`, async () => {
      const answer = await curl(version, ...json, "-d", '{"code":5,"message":"gone","reason":"TOLD"}', `${plain}/test/v1/fail`);
      assert.equal(answer.status, 404);
      const { error } = answer.json();
      assert.deepEqual([error.code, error.status, error.message, error.details[0].reason], [404, "NOT_FOUND", "gone", "TOLD"]);
    });
    for (const [what, ...args] of [
      ["an unknown field", ...json, "-d", '{"nonsense":1}', "/test/v1/echo"],
      ["a wrong type", ...json, "-d", '{"name":7}', "/test/v1/echo"],
      ["broken JSON", ...json, "-d", '{"name":', "/test/v1/echo"],
      ["an unknown query parameter", "/test/v1/echo/x?nonsense=1"],
      ["a bad number in the query", "/test/v1/echo/x?message.int32_value=many"],
    ]) {
      await check(`REST ${version}: ${what} is INVALID_ARGUMENT with the field`, async () => {
        const answer = await curl(version, ...args.slice(0, -1), `${plain}${args.at(-1)}`);
        assert.equal(answer.status, 400, answer.body);
        const { error } = answer.json();
        assert.equal(error.status, "INVALID_ARGUMENT");
        assert.ok(error.details.some((detail) => detail["@type"].endsWith("google.rpc.BadRequest")), answer.body);
      });
    }
    await check(`REST ${version}: a stream as NDJSON`, async () => {
      const answer = await curl(version, `${plain}/test/v1/expand?count=3`);
      assert.equal(answer.headers["content-type"], "application/x-ndjson");
      assert.deepEqual(answer.body.trim().split("\n").map((line) => JSON.parse(line)), [{}, { index: 1 }, { index: 2 }]);
    });
    await check(`REST ${version}: a stream as server-sent events`, async () => {
      const answer = await curl(version, "-H", "accept: text/event-stream", `${plain}/test/v1/expand?count=2`);
      assert.equal(answer.headers["content-type"].split(";")[0], "text/event-stream");
      assert.deepEqual(answer.body.split("\n").filter((line) => line.startsWith("data:")).map((line) => JSON.parse(line.slice(5))), [{}, { index: 1 }]);
    });
    await check(`REST ${version}: a stream that fails after messages`, async () => {
      const url = `${plain}/test/v1/expand?count=1&fail.code=9&fail.message=enough`;
      assert.equal(JSON.parse((await curl(version, url)).body.trim().split("\n")[1]).error.status, "FAILED_PRECONDITION");
      assert.match((await curl(version, "-H", "accept: text/event-stream", url)).body, /event: error\r?\ndata:.*FAILED_PRECONDITION/);
    });
    await check(`REST ${version}: a wrong verb is 405`, async () =>
      assert.equal((await curl(version, "-X", "DELETE", `${plain}/test/v1/echo`)).status, 405));
    await check(`REST ${version}: gzip both ways`, async () => {
      const answer = await curl(version, "--compressed", `${plain}/test/v1/echo/x?padding_bytes=100000`);
      assert.equal(answer.json().padding.length > 100_000, true);
    });
  }

  await check("health and reflection are there", async () => {
    assert.deepEqual((await curl(...json, "-d", "{}", `${plain}/grpc.health.v1.Health/Check`)).json(), { status: "SERVING" });
    assert.equal((await curl(`${plain}/healthz`)).status, 200);
    assert.equal((await curl(`${plain}/readyz`)).status, 200);
  });
  await check("the OpenAPI document describes the service", async () => {
    const document = (await curl(`${plain}/openapi.json`)).json();
    assert.match(document.openapi, /^3\.1/);
    assert.ok(document.paths["/test/v1/echo"].post);
  });
}
