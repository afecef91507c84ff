// The contract as the attacker sees it: every method with its messages and REST path, read from the published descriptors.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { root } from "../processes.mjs";

const library = createRequire(`${root}tests/conformance/`);
const { create, createFileRegistry, fromBinary, fromJson, getOption, hasOption, toBinary, toJson } = library("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = library("@bufbuild/protobuf/wkt");

export const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(`${root}src/Vibe.Contracts/descriptors.binpb`)));
const http = registry.getExtension("google.api.http");

// All methods of Vibe's own services: name (`DocumentsService.GetDocument`), path, input, whether it only reads, streams, REST rules.
export const methods = [...registry]
  .filter((type) => type.kind === "service" && type.typeName.startsWith("vibe."))
  .flatMap((service) => service.methods.map((method) => ({
    name: `${service.name}.${method.name}`,
    path: `/${service.typeName}/${method.name}`,
    input: method.input,
    streams: method.methodKind === "server_streaming",
    reads: method.idempotency === 1,
    rules: hasOption(method, http) ? rulesOf(getOption(method, http)) : [],
  })));

export const methodOf = (name) => methods.find((method) => method.name === name) ?? fail(`no method ${name}`);

function fail(text) {
  throw new Error(text);
}

function rulesOf(rule) {
  const { case: verb, value: path } = rule.pattern;
  return [{ verb: verb.toUpperCase(), path, body: rule.body }, ...rule.additionalBindings.flatMap(rulesOf)];
}

// A message as protobuf JSON to its binary form; null for what is no message of the type.
export function encode(schema, json) {
  try {
    return toBinary(schema, fromJson(schema, json, { registry }));
  } catch {
    return null;
  }
}

export const decode = (schema, bytes) => toJson(schema, fromBinary(schema, bytes), { registry });
export const empty = (schema) => toJson(schema, create(schema));

// The REST request of a message by one of its rules: path variables, body, and the rest in the query; null when it does not fit.
export function restOf(rule, json) {
  const rest = structuredClone(json);
  let complete = true;
  const path = rule.path.replace(/\{(\w+)\}/g, (_, name) => {
    const key = camel(name);
    const value = rest[key];
    delete rest[key];
    if (typeof value !== "string" || value === "") complete = false;
    return complete ? encodeURIComponent(value.toWellFormed()) : "";
  });
  if (!complete) return null;
  let body;
  if (rule.body === "*") {
    body = JSON.stringify(rest);
    return { verb: rule.verb, path, body };
  }
  if (rule.body) {
    body = JSON.stringify(rest[camel(rule.body)] ?? {});
    delete rest[camel(rule.body)];
  }
  const query = new URLSearchParams();
  if (!flatten(query, "", rest)) return null;
  return { verb: rule.verb, path: query.size > 0 ? `${path}?${query}` : path, body };
}

// False for what no query can say: lists of objects.
function flatten(query, name, value) {
  if (Array.isArray(value)) return value.every((item) => (typeof item !== "object" || item === null) && flatten(query, name, item));
  if (typeof value === "object" && value !== null) return Object.entries(value).every(([key, item]) => flatten(query, name ? `${name}.${key}` : key, item));
  query.append(name, `${value}`);
  return true;
}

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

// google.rpc.Status with its ErrorInfos, from the bytes of grpc-status-details-bin; throws for what is none.
export function statusOf(bytes) {
  const fields = fieldsOf(bytes);
  const details = fields.filter(([number]) => number === 3).map(([, any]) => Object.fromEntries(fieldsOf(any).map(([key, value]) => [key, value])));
  const infos = details.filter((any) => `${any[1]}` === "type.googleapis.com/google.rpc.ErrorInfo").map((any) => {
    const info = Object.fromEntries(fieldsOf(any[2] ?? Buffer.alloc(0)));
    return { reason: `${info[1] ?? ""}`, domain: `${info[2] ?? ""}` };
  });
  return { code: Number(fields.find(([number]) => number === 1)?.[1] ?? 0), message: `${fields.find(([number]) => number === 2)?.[1] ?? ""}`, infos };
}

// [field number, bytes or number] of a protobuf message.
function fieldsOf(bytes) {
  const fields = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    if ((tag & 7) === 0) fields.push([tag >> 3, varint()]);
    else if ((tag & 7) === 2) {
      const length = Number(varint());
      fields.push([tag >> 3, bytes.subarray(at, at + length)]);
      at += length;
    } else throw new Error(`wire type ${tag & 7} in a status`);
  }
  return fields;
}
