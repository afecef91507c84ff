// An OpenTelemetry collector that keeps what it is sent: OTLP over gRPC, as exporters speak it unless told otherwise.
import { once } from "node:events";
import { createServer } from "node:http2";
import { pause } from "../processes.mjs";

export async function startCollector() {
  const received = []; // { path, body }
  const server = createServer();
  const sessions = new Set();
  server.on("session", (session) => sessions.add(session.on("close", () => sessions.delete(session))));
  server.on("stream", async (stream, headers) => {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const message = Buffer.concat(chunks);
    // One frame: a flag, which says that it is not compressed, and a length.
    if (message[0] === 0) received.push({ path: headers[":path"], body: message.subarray(5, 5 + message.readUInt32BE(1)) });
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.alloc(5));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const of = (service) => received.filter(({ path }) => path.includes(service)).map(({ body }) => body);
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    spans: () => of("trace").flatMap(spansOf),
    metrics: () => of("metrics").flatMap(metricsOf),
    bytes: () => Buffer.concat(received.map(({ body }) => body)).toString("utf8"),
    // Waits until something has arrived.
    async until(find, what) {
      for (const end = Date.now() + 100_000; ; await pause(50)) {
        const found = find();
        if (found) return found;
        if (Date.now() > end) throw new Error(`the collector never got ${what}`);
      }
    },
    stop() {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}

// opentelemetry/proto: resource_spans.scope_spans.spans.
const spansOf = (body) => read(body).all(1).flatMap((of) => of.all(2).flatMap((scope) => scope.all(2).map((span) => ({
  resource: attributesOf(of.one(1), 1),
  scope: scope.one(1).text(1),
  traceId: span.hex(1), spanId: span.hex(2), parentId: span.hex(4),
  name: span.text(5), kind: span.number(6), attributes: attributesOf(span, 9), failed: span.one(15)?.number(3) === 2,
}))));

// resource_metrics.scope_metrics.metrics; what kind it is says the number of the field.
const metricsOf = (body) => read(body).all(1).flatMap((of) => of.all(2).flatMap((scope) => scope.all(2).map((metric) => ({
  resource: attributesOf(of.one(1), 1),
  scope: scope.one(1).text(1), name: metric.text(1), unit: metric.text(3),
  kind: metric.has(5) ? "gauge" : metric.has(7) ? "sum" : metric.has(9) ? "histogram" : "other",
}))));

const attributesOf = (message, field) => Object.fromEntries((message?.all(field) ?? []).map((pair) => {
  const value = pair.one(2);
  return [pair.text(1), value.has(1) ? value.text(1) : value.has(2) ? value.number(2) === 1 : value.has(3) ? value.number(3) : undefined];
}));

// The wire form of protobuf, without a schema: field numbers and what they hold.
function read(bytes) {
  const fields = new Map();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const [field, type] = [tag >> 3, tag & 7];
    let value;
    if (type === 0) value = varint();
    else if (type === 1) value = bytes.readBigUInt64LE((at += 8) - 8);
    else if (type === 5) value = BigInt(bytes.readUInt32LE((at += 4) - 4));
    else {
      const length = Number(varint());
      value = bytes.subarray(at, (at += length));
    }
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  const first = (field) => fields.get(field)?.[0];
  return {
    has: (field) => fields.has(field),
    one: (field) => fields.has(field) ? read(first(field)) : undefined,
    all: (field) => (fields.get(field) ?? []).map(read),
    text: (field) => first(field)?.toString("utf8") ?? "",
    hex: (field) => first(field)?.toString("hex") ?? "",
    number: (field) => Number(first(field) ?? 0),
  };
}
