// What an OpenTelemetry collector gets: spans that hang together and say what and how, metrics under the same names, no secrets.
import { assert, check } from "../checks.mjs";
import { metricsToken, parentId, secrets, traceId } from "./observed.mjs";

const documents = "vibe.documents.v1.DocumentsService";

export async function traces({ collector }, used) {
  const find = (match) => () => collector.spans().find((span) => span.traceId === traceId && match(span));

  await check("a call is a span of the client's trace, below the request and above the database", async () => {
    const call = await collector.until(find(({ name }) => name === `${documents}/CreateDocument`), "the call's span");
    assert.equal(call.resource["service.name"], "vibe");
    assert.equal(call.scope, "Vibe.Rpc.Server");
    assert.equal(call.attributes["rpc.method"], `${documents}/CreateDocument`);
    assert.equal(call.attributes["rpc.response.status_code"], "OK");
    assert.equal(call.attributes["vibe.collection"], "diary");
    const request = await collector.until(find(({ spanId }) => spanId === call.parentId), "the request's span");
    assert.equal(request.name, "POST /v1/documents");
    assert.equal(request.attributes["http.response.status_code"], 200);
    assert.equal(request.parentId, parentId, "the request's span hangs below the client's");
    const statement = await collector.until(find(({ parentId, scope }) => parentId === call.spanId && scope === "Npgsql"), "the database's span");
    assert.equal(statement.attributes["db.system.name"], "postgresql");
  });

  await check("a failed call says why", async () => {
    const call = await collector.until(find(({ name }) => name === `${documents}/GetDocument`), "the failed call's span");
    assert.equal(call.attributes["rpc.response.status_code"], "NOT_FOUND");
    assert.equal(call.attributes["rpc.error.reason"], "DOCUMENT_NOT_FOUND");
    assert.equal(call.failed, false, "what a client asks for in vain is no failure of the server");
  });

  await check("metrics arrive under OpenTelemetry's names", async () => {
    for (const [name, kind] of [["rpc.server.call.duration", "histogram"], ["vibe.auth.sign_ins", "sum"], ["vibe.feed.age", "gauge"], ["db.client.connection.count", "sum"]]) {
      const metric = await collector.until(() => collector.metrics().find((metric) => metric.name === name), name);
      assert.equal(metric.kind, kind, name);
      assert.equal(metric.resource["service.name"], "vibe");
    }
  });

  await check("no span and no metric holds data or a secret", async () => {
    await collector.until(find(({ name }) => name === `${documents}/ListDocuments`), "the span of the list with a filter");
    const bytes = collector.bytes();
    const parts = used.token.split(".").slice(1).map((part) => part.slice(0, 24));
    for (const secret of [...Object.values(secrets), ...parts, metricsToken]) assert.ok(!bytes.includes(secret), secret);
  });
}
