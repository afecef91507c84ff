// Changes requests: as messages of their type, as text, as bytes, as frames, as HTTP.
import { deflateRawSync, gzipSync } from "node:zlib";

const scalar = { bool: 8, string: 9, bytes: 12 }; // google.protobuf.FieldDescriptorProto.Type

const strings = [
  "", " ", "\0", "a\0b", "'", "\"", "\\", "`", "$1", "$$", "%", "%s%n", "{0}", "${jndi:ldap://x}", "../../etc/passwd", "<script>", "\ud800", "\u202e", "\ufeff",
  "𝒳".repeat(50), "é", "e\u0301", "İ", "ß", "﷽", "null", "true", "NaN", "-0", "1e309", "0x10", "__proto__", "constructor", "toString", "hasOwnProperty",
  "*", "users", "cert:did:web:x#y", "cert:#", "did:web:", "did:web:127.0.0.1%3A1:users:00000000000000000000000000000000", "document:", "app:", "document:*",
  "data", "data.", "data.a", ".data", "data..a", "data.`a``b`.c", "data.`", "acl", "owner", "id", "revision", "create_time desc", "data.a asc, data.a",
  "' or 1=1 --", "'; drop table vibe.documents; --", "\\'; select pg_sleep(20); --", "'||(select secret from vibe.signing_keys)||'", "$$;rollback;--", "1; commit",
  "~to.to", "to.to.to.to", "~~to", "r1", "r0", "r99999999999999999999", "9".repeat(400), "a".repeat(256), "a".repeat(9000), "[".repeat(3000), "(".repeat(3000),
  "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "https://[::1]:99999/", "http://169.254.169.254/", "javascript:alert(1)",
];
const filters = [
  "data.a = 1", "not not not not data.a = 1", "data.a in [1, \"x\", null, true]", "data.a in []", "exists data.a", "data.a starts_with \"%_\\\\\"", "data.a match \"((((a+)+)+)+)$\"",
  "data.a contains null", "create_time > \"2026-13-01T00:00:00Z\"", "revision = 9007199254740993", "revision = 1e300", "id = \"x\"", "owner starts_with \"did:\"", "data.a = -0",
  "data.a = 1e400", "true", "false", "data.a = \"\\u0000\"", "data.a = \"\\ud800\"", "(".repeat(9) + "true" + ")".repeat(9), "(".repeat(200) + "true" + ")".repeat(200),
  Array(100).fill("data.a = 1").join(" or "), Array(101).fill("data.a = 1").join(" and "), "data." + "a.".repeat(99) + "a = 1", "data.`\u0000` = 1", "key = null", "key != \"\"",
  "data.a < \"" + "z".repeat(4000) + "\"", "data.a in [" + Array(100).fill("\"x\"").join() + "]", "data.a = 'x' OR 1=1", "create_time = \"infinity\"", "update_time < \"-infinity\"",
  "data.n >= 0 and (data.n < 5 or not exists data.n)", "app = \"\"", "collection != \"own\"",
];
const numbers = [0, 1, -1, 50, 1000, 1001, 2147483647, -2147483648, 2147483648, 4294967295, 4294967296, 9007199254740993, 1e308, -1e308, 5e-324, 0.1];
const durations = ["0s", "-1s", "60s", "61s", "0.000000001s", "315576000000s", "-315576000000s", "315576000001s", "1e3s"];
const times = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z", "2026-11-21T00:00:00+14:00", "10000-01-01T00:00:00Z"];

// A message of its type, changed in one to three places.
export function mutateMessage(chance, schema, json, known) {
  const copy = structuredClone(json);
  for (let left = 1 + chance.below(3); left > 0; left--) change(chance, schema, copy, known, 0);
  return copy;
}

function change(chance, schema, json, known, depth) {
  const fields = schema.fields ?? [];
  if (fields.length === 0) return;
  const field = chance.pick(fields);
  const there = json[field.jsonName];
  if (field.message && depth < 4 && there && typeof there === "object" && chance.odds(0.7)) {
    const inside = Array.isArray(there) ? chance.pick(there) : there;
    if (inside && typeof inside === "object" && !field.message.typeName.startsWith("google.")) return change(chance, field.message, inside, known, depth + 1);
  }
  if (there !== undefined && chance.odds(0.15)) {
    delete json[field.jsonName];
    return;
  }
  const value = valueOf(chance, field, known, depth);
  json[field.jsonName] = field.fieldKind === "list" ? listOf(chance, depth, there, value, () => valueOf(chance, field, known, depth)) : field.fieldKind === "map" ? { [chance.pick(strings)]: value } : value;
}

function listOf(chance, depth, there, value, another) {
  const act = chance.next();
  if (act < 0.3) return [value];
  if (act < 0.6) return [...(Array.isArray(there) ? there : []), value];
  if (act < 0.7) return [];
  // Many only of what is small: lists of lists of lists would be more than a request, or this process, can hold.
  const isSmall = typeof value !== "object" && `${value}`.length < 500;
  if (act < 0.8) return Array(chance.pick(isSmall ? [2, 100, 101, 501, 3000] : depth === 0 ? [2, 100, 101] : [2, 3])).fill(value);
  return Array.from({ length: 1 + chance.below(5) }, another);
}

function valueOf(chance, field, known, depth) {
  if (chance.odds(0.03)) return chance.pick([null, [], {}, "text", 7, true, [[[]]], { a: { b: {} } }]);
  if (field.enum) return chance.odds(0.8) ? chance.pick(field.enum.values).name : chance.pick([99, -1, "NO_SUCH", 2147483647]);
  if (field.message) return messageOf(chance, field, known, depth);
  switch (field.scalar ?? field.mapKind) {
    case scalar.string: return textOf(chance, field.name, known);
    case scalar.bool: return chance.odds(0.5);
    case scalar.bytes: return Buffer.from(chance.word(chance.below(20))).toString("base64");
    default: return chance.pick(numbers);
  }
}

function messageOf(chance, field, known, depth) {
  switch (field.message.typeName) {
    case "google.protobuf.Struct": return bodyOf(chance, 0);
    case "google.protobuf.Value": return chance.odds(0.7) ? chance.pick([null, true, 1, "a", [1, "b", null], {}, "", -0, 1e308]) : bodyOf(chance, 0);
    case "google.protobuf.Duration": return chance.pick(durations);
    case "google.protobuf.Timestamp": return chance.pick(times);
  }
  const json = {};
  if (field.message.typeName === "vibe.documents.v1.Filter" && chance.odds(0.2)) return nested(chance.pick([5, 9, 10, 11, 40, 90]));
  if (depth < 5) for (let left = 1 + chance.below(4); left > 0; left--) change(chance, field.message, json, known, depth + 1);
  return json;
}

const nested = (depth) => (depth === 0 ? { text: "true" } : { not: { and: { filters: [nested(depth - 1)] } } });

function textOf(chance, name, known) {
  const act = chance.next();
  if (/filter|^text$/.test(name) && act < 0.7) return chance.odds(0.5) ? chance.pick(filters) : `${chance.pick(filters)} ${chance.pick(["and", "or", "and not", ",", ")"])} ${chance.pick(filters)}`;
  if (act < 0.45) return chance.pick(known);
  if (act < 0.9) return chance.pick(strings);
  return chance.pick(known) + chance.pick(strings);
}

function bodyOf(chance, depth) {
  const value = () => (depth < 3 && chance.odds(0.3) ? bodyOf(chance, depth + 1) : chance.pick([null, true, chance.pick(numbers), chance.pick(strings), [1, [2, [3]]], []]));
  if (depth === 0 && chance.odds(0.05)) return { deep: Array.from({ length: chance.pick([98, 99, 100, 200]) }).reduce((inner) => [inner], 1) };
  return Object.fromEntries(Array.from({ length: chance.below(5) }, () => [chance.odds(0.5) ? chance.word(3) : chance.pick(strings), value()]));
}

// Bytes, changed in one to four places.
export function mutateBytes(chance, bytes, another) {
  let now = Buffer.from(bytes);
  for (let left = 1 + chance.below(4); left > 0; left--) {
    const at = chance.below(now.length + 1);
    const end = Math.min(now.length, at + 1 + chance.below(8));
    switch (chance.below(8)) {
      case 0: if (now.length > 0) now[Math.min(at, now.length - 1)] ^= 1 << chance.below(8); break;
      case 1: now = Buffer.concat([now.subarray(0, at), now.subarray(end)]); break;
      case 2: now = Buffer.concat([now.subarray(0, at), Buffer.from(Array.from({ length: 1 + chance.below(8) }, () => chance.below(256))), now.subarray(at)]); break;
      case 3: now = Buffer.concat([now.subarray(0, end), now.subarray(at)]); break;
      case 4: now = now.subarray(0, at); break;
      case 5: now.fill(chance.pick([0, 0xff, 0x7f, 0x80]), at, end); break;
      case 6: now = Buffer.concat([now.subarray(0, at), Buffer.from(chance.pick([...strings, "{", "}", "[", "]", ",", ":", "\"\"", "1e999", "{\"a\":1,\"a\":2}"])), now.subarray(at)]); break;
      default: if (another) now = Buffer.concat([now.subarray(0, at), another.subarray(chance.below(another.length + 1))]);
    }
  }
  return now;
}

const types = ["application/grpc", "application/grpc+json", "application/grpc-web", "application/grpc-web-text", "application/proto", "application/json", "application/connect+json",
  "application/connect+proto", "application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-16", "multipart/form-data; boundary=x", "", "application/grpc+xml", "APPLICATION/JSON ;x=y"];
const headers = [
  ["grpc-timeout", ["0n", "1n", "99999999H", "-1S", "100000000S", "x", ""]], ["connect-timeout-ms", ["0", "1", "9999999999", "99999999999", "-1", "x"]],
  ["grpc-encoding", ["gzip", "identity", "br", "deflate", "gzip,gzip"]], ["content-encoding", ["gzip", "identity", "br", "gzip, gzip"]], ["connect-content-encoding", ["gzip", "br"]],
  ["grpc-accept-encoding", ["gzip", "br", "*"]], ["accept-encoding", ["gzip", "identity;q=0", "*;q=0"]], ["connect-protocol-version", ["0", "1", "2", "x"]], ["te", ["trailers", "gzip"]],
  ["authorization", ["Bearer", "Bearer ", "Bearer x", "Basic YTpi", "DPoP x", "bearer a.b.c", "Bearer " + "a".repeat(9000), "Negotiate"]], ["dpop", ["x", "a.b.c", "{}"]],
  ["vibe-consistency-token", ["x", "AA", "A".repeat(64), ""]], ["last-event-id", ["x", "AXG2", ""]], ["accept", ["text/event-stream", "application/x-ndjson", "text/html", "*/*;q=0"]],
  ["origin", ["null", "https://rp.example", "x"]], ["x-forwarded-for", ["1.2.3.4", "x, y", "::1"]], ["x-http-method-override", ["DELETE"]], ["expect", ["100-continue"]],
  ["cookie", ["vibe-session=x", "a=b; c", "="]], ["traceparent", ["00-" + "0".repeat(32) + "-" + "0".repeat(16) + "-01", "x"]], ["grpc-trace-bin", ["!!", "AA"]], ["x-bin", ["!!"]],
  ["if-match", ["*", "\"r1\""]], ["range", ["bytes=0-1"]], ["content-language", ["x".repeat(4000)]], ["grpc-message-type", ["x"]], ["host", ["evil.example"]], ["content-type", types],
];

// A request, changed as HTTP: headers, verb, path, frames, compression.
export function mutateHttp(chance, request) {
  const copy = { ...request, headers: { ...request.headers } };
  switch (chance.below(6)) {
    case 0:
    case 1: {
      const [name, values] = chance.pick(headers);
      copy.headers[name === "host" && copy.version === 2 ? "x-host" : name] = chance.pick(values);
      break;
    }
    case 2: copy.verb = chance.pick(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"]); break;
    case 3: copy.path = mutatePath(chance, request.path); break;
    case 4: if (copy.body) copy.body = mutateFrames(chance, copy.body); break;
    default: if (copy.body) Object.assign(copy, compress(chance, copy));
  }
  if ((copy.verb === "GET" || copy.verb === "HEAD") && copy.version === 1 && chance.odds(0.5)) delete copy.body;
  return copy;
}

function mutatePath(chance, path) {
  const at = 1 + chance.below(path.length);
  const piece = chance.pick(["/", "//", "/../", "%2f", "%00", "%", "%zz", "%c0%af", "%ff", ":", "%3A", "?", "&", "=", "#", ";", "*", "{id}", "%F0%9F%98%80", ":query", "&page_size=-1", "&filter=", "a".repeat(3000), "..%2f", "&page_size=1&page_size=2", "&__proto__=1", "&x.y.z=1"]);
  return (path.slice(0, at) + piece + path.slice(at + chance.below(3))).replace(/[^\x21-\x7e]/g, "");
}

function mutateFrames(chance, body) {
  if (body.length < 5) return body;
  const copy = Buffer.from(body);
  switch (chance.below(5)) {
    case 0: copy[0] = chance.pick([1, 2, 3, 128, 129, 255]); return copy;
    case 1: copy.writeUInt32BE(chance.pick([0, 1, body.length, 0x7fffffff, 0xffffffff, 12 << 20, (12 << 20) + 1]), 1); return copy;
    case 2: return Buffer.concat([copy, copy]);
    case 3: return Buffer.concat([copy, Buffer.from([0, 0, 0])]);
    default: return copy.subarray(0, chance.below(copy.length));
  }
}

function compress(chance, { body, headers }) {
  const packed = chance.pick([(bytes) => gzipSync(bytes), (bytes) => gzipSync(bytes).subarray(0, -4), (bytes) => deflateRawSync(bytes), (bytes) => Buffer.concat([gzipSync(bytes), gzipSync(bytes)]), (bytes) => gzipSync(gzipSync(bytes)), (bytes) => bytes]);
  if (/grpc|connect\+/.test(`${headers["content-type"]}`) && body.length >= 5) {
    const message = packed(body.subarray(5));
    const head = Buffer.from([1, 0, 0, 0, 0]);
    head.writeUInt32BE(message.length, 1);
    return { body: Buffer.concat([head, message]), headers: { ...headers, [`${headers["content-type"]}`.includes("connect") ? "connect-content-encoding" : "grpc-encoding"]: "gzip" } };
  }
  return { body: packed(body), headers: { ...headers, "content-encoding": "gzip" } };
}
