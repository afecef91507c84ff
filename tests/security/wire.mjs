// Sends one request in any of the protocols, byte for byte as given, and reads what comes back into one form.
import http from "node:http";
import http2 from "node:http2";
import { gunzipSync } from "node:zlib";
import { encode, restOf, statusOf } from "./contract.mjs";

export const protocols = ["grpc", "grpc+json", "grpc-web", "grpc-web-text", "connect", "connect+json", "connect-get", "rest"];
const codes = [
  "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
  "DATA_LOSS", "UNAUTHENTICATED",
];
const agents = new Map();
const sessions = new Map();

export const frame = (message, flags = 0) => {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

// The request of a message in a protocol, ready to send: {protocol, version, verb, path, headers, body}. json: the message as
// protobuf JSON. Null when the message cannot be said in that protocol.
export function requestOf(method, protocol, json, token) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const request = (version, type, body, extra = {}) =>
    body && { protocol, version, verb: "POST", path: method.path, headers: { ...headers, ...(type && { "content-type": type }), ...extra }, body };
  const text = () => Buffer.from(JSON.stringify(json));
  const binary = () => bufferOf(encode(method.input, json));
  const framed = (bytes) => bytes && frame(bytes);
  switch (protocol) {
    case "grpc": return request(2, "application/grpc+proto", framed(binary()), { te: "trailers" });
    case "grpc+json": return request(2, "application/grpc+json", framed(text()), { te: "trailers" });
    case "grpc-web": return request(1, "application/grpc-web+proto", framed(binary()));
    case "grpc-web-text": return request(1, "application/grpc-web-text", base64(framed(binary())));
    case "connect": return method.streams
      ? request(1, "application/connect+proto", framed(binary())) : request(1, "application/proto", binary());
    case "connect+json": return method.streams
      ? request(1, "application/connect+json", framed(text())) : request(1, "application/json", text());
    case "connect-get": {
      if (!method.reads || method.streams) return null;
      const query = new URLSearchParams({ connect: "v1", encoding: "json", message: JSON.stringify(json) });
      return { protocol, version: 1, verb: "GET", path: `${method.path}?${query}`, headers };
    }
    default: {
      const rest = method.rules.map((rule) => restOf(rule, json)).find((found) => found !== null);
      if (!rest) return null;
      return {
        protocol: "rest", version: 1, verb: rest.verb, path: rest.path, body: rest.body && Buffer.from(rest.body),
        headers: { ...headers, ...(rest.body && { "content-type": "application/json" }) },
      };
    }
  }
}

const bufferOf = (bytes) => bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const base64 = (bytes) => bytes && Buffer.from(bytes.toString("base64"));

// Sends, and reads to the end, or for a stream until it has been silent for `patience` or `most` bytes came.
// alone: on a connection of its own, as a stream always is: leaving many of them looks like an attack to the server, and ends the others.
// The answer: {http, headers, body, trailers, cut (the connection ended first), hung}.
export function send(url, request, { streams = false, alone = streams, most = 4 << 20, patience = 300, limit = 30_000 } = {}) {
  return new Promise((resolve) => {
    const answer = { http: 0, headers: {}, trailers: {}, cut: null, hung: false, ended: false };
    const chunks = [];
    let size = 0;
    let quiet;
    let leave = () => {};
    const finish = (ended = false) => {
      clearTimeout(timer);
      clearTimeout(quiet);
      if (resolve === null) return;
      answer.ended = ended;
      answer.body = Buffer.concat(chunks);
      const done = resolve;
      resolve = null;
      done(answer);
      leave();
    };
    const timer = setTimeout(() => {
      answer.hung = true;
      finish();
    }, limit);
    const take = (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > most) finish();
      wait();
    };
    const wait = () => {
      if (!streams) return;
      clearTimeout(quiet);
      quiet = setTimeout(finish, patience);
    };
    const cut = (error) => {
      if (resolve === null) return; // Cut from here.
      answer.cut ??= error.code ?? error.message;
      finish();
    };
    try {
      leave = request.version === 2 ? over2(url, request, answer, alone, { take, wait, cut, finish }) : over1(url, request, answer, alone, { take, wait, cut, finish });
    } catch (error) {
      answer.refused = error.message; // The client's own library will not send it.
      finish();
    }
  });
}

function over1(url, request, answer, alone, { take, wait, cut, finish }) {
  if (!agents.has(url)) agents.set(url, new http.Agent({ keepAlive: true, maxSockets: 64 }));
  const { hostname, port } = new URL(url);
  const call = http.request({
    hostname, port, method: request.verb, path: request.path, headers: { ...(request.body && { "content-length": request.body.length }), ...request.headers },
    agent: alone ? false : agents.get(url), insecureHTTPParser: false,
  });
  call.on("error", cut).on("response", (response) => {
    answer.http = response.statusCode;
    answer.headers = response.headers;
    response.on("data", take).on("error", cut).on("aborted", () => cut(new Error("aborted"))).on("end", () => {
      finish(true);
    });
    wait();
  });
  call.end(request.body);
  return () => !answer.ended && call.destroy();
}

function over2(url, request, answer, alone, { take, wait, cut, finish }) {
  const session = alone ? http2.connect(url).on("error", cut) : sessionOf(url);
  let ended = false;
  const stream = session.request({ ":method": request.verb, ":path": request.path, ...request.headers }, { endStream: !request.body });
  stream.on("error", cut).on("response", (headers) => {
    answer.http = headers[":status"];
    answer.headers = headers;
    wait();
  }).on("trailers", (trailers) => (answer.trailers = trailers)).on("data", take).on("end", () => (ended = true)).on("close", () => {
    if (ended) finish(true);
    else cut(new Error(`reset ${stream.rstCode}`));
  });
  if (request.body) stream.end(request.body);
  return () => {
    if (alone) session.destroy();
    else if (!answer.ended) stream.close(http2.constants.NGHTTP2_CANCEL);
  };
}

function sessionOf(url) {
  const open = sessions.get(url);
  if (open && !open.closed && !open.destroyed) return open;
  const session = http2.connect(url).on("error", () => {}).on("goaway", () => session.close());
  session.setMaxListeners(0);
  sessions.set(url, session);
  return session;
}

export function closeAll() {
  for (const agent of agents.values()) agent.destroy();
  for (const session of sessions.values()) session.destroy();
  agents.clear();
  sessions.clear();
}

// What the answer says, in the words of the contract: {code, infos, message}. Code null: the HTTP layer answered, not a call.
export function meaningOf({ path }, answer) {
  const type = `${answer.headers["content-type"] ?? ""}`;
  const fromTrailers = (fields) => {
    if (fields["grpc-status"] === undefined) return { code: null, infos: [] };
    const details = fields["grpc-status-details-bin"];
    const status = details ? statusOf(Buffer.from(`${details}`, "base64")) : { infos: [] };
    return { code: codes[Number(fields["grpc-status"])] ?? `code ${fields["grpc-status"]}`, infos: status.infos, message: decodeURIComponent(fields["grpc-message"] ?? "") };
  };
  if (type.startsWith("application/grpc-web")) {
    const body = type.includes("-text") ? fromBase64(answer.body) : answer.body;
    const last = framesOf(body).find(({ flags }) => flags & 0x80);
    return fromTrailers(last ? Object.fromEntries(`${last.data}`.trim().split("\r\n").map(splitHeader)) : answer.headers);
  }
  if (type.startsWith("application/grpc")) return fromTrailers(answer.trailers["grpc-status"] !== undefined ? answer.trailers : answer.headers);
  if (type.startsWith("application/connect+")) {
    const last = framesOf(answer.body).find(({ flags }) => flags & 2);
    return last ? fromConnect(JSON.parse(`${last.flags & 1 ? gunzipSync(last.data) : last.data}`).error) : { code: null, infos: [] };
  }
  const text = `${answer.body}`;
  const line = text.trimEnd().split("\n").at(-1).replace(/^data: ?/, "");
  const json = /json|event-stream/.test(type) && line.startsWith("{") ? tryParse(/ndjson|event-stream/.test(type) ? line : text) : undefined;
  if (json?.error?.status) {
    return { code: json.error.status, message: json.error.message, infos: (json.error.details ?? []).filter((detail) => `${detail["@type"]}`.endsWith("google.rpc.ErrorInfo")) };
  }
  // OAuth's errors, FedCM's, and the pages that tell a person that an app's request is wrong.
  if (typeof json?.error?.code === "string") return { code: `oauth:${json.error.code}`, infos: [] };
  if (type.startsWith("text/html") && answer.http === 400 && /oauth.*(authorize|logout)/i.test(path)) return { code: "oauth:page", infos: [] };
  if (typeof json?.error === "string") return { code: `oauth:${json.error}`, infos: [], message: json.error_description };
  if (answer.http >= 400 && typeof json?.code === "string") return fromConnect(json);
  return { code: answer.http >= 200 && answer.http < 400 ? "OK" : null, infos: [] };
}

function fromConnect(error) {
  if (!error) return { code: "OK", infos: [] };
  const infos = (error.details ?? []).filter((detail) => detail.type === "google.rpc.ErrorInfo").map((detail) => {
    const bytes = Buffer.from(detail.value, "base64");
    return infoOf(bytes);
  });
  return { code: error.code === "canceled" ? "CANCELLED" : error.code.toUpperCase(), infos, message: error.message };
}

// An ErrorInfo, read as the only detail of a Status.
const infoOf = (bytes) => {
  const type = Buffer.from("type.googleapis.com/google.rpc.ErrorInfo");
  const field = (number, value) => Buffer.concat([Buffer.from([number << 3 | 2]), length(value.length), value]);
  return statusOf(field(3, Buffer.concat([field(1, type), field(2, bytes)]))).infos[0];
};
const length = (value) => Buffer.from(value < 128 ? [value] : value < 16384 ? [value & 127 | 128, value >> 7] : [value & 127 | 128, value >> 7 & 127 | 128, value >> 14]);
const tryParse = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
const splitHeader = (line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()];
// Each frame of a text body may be padded by itself.
const fromBase64 = (body) => Buffer.concat(`${body}`.split(/(?<==)(?=[^=])/).map((part) => Buffer.from(part, "base64")));

export function framesOf(body) {
  const frames = [];
  for (let at = 0; at + 5 <= body.length;) {
    const size = body.readUInt32BE(at + 1);
    frames.push({ flags: body[at], data: body.subarray(at + 5, at + 5 + size) });
    at += 5 + size;
  }
  return frames;
}
