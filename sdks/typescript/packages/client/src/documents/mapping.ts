import type { JsonObject } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { AccessControl as AccessControlMessage, Document as DocumentMessage } from "../generated/vibe/documents/v1/document_pb.js";
import { DocumentSchema } from "../generated/vibe/documents/v1/document_pb.js";
import type { AccessControl, AccessRule, Document, DocumentFields } from "./document.js";

/** A document of the wire as plain data. */
export function fromMessage<T extends object = JsonObject>(message: DocumentMessage): Document<T> {
  return {
    id: message.id,
    collection: message.collection,
    owner: message.owner,
    app: message.app,
    key: message.key,
    data: (message.data ?? {}) as T,
    ...(message.acl ? { acl: plainAcl(message.acl) } : {}),
    edges: message.edges.map(({ label, target }) => ({ label, target })),
    createTime: timeText(message.createTime),
    updateTime: timeText(message.updateTime),
    revision: Number(message.revision),
    etag: message.etag,
    ...(message.related.length > 0
      ? { related: message.related.flatMap(({ via, document }) => document ? [{ via, document: fromMessage(document) }] : []) }
      : {}),
  };
}

/** Fields to write as a message. */
export function toMessage(fields: DocumentFields): DocumentMessage {
  const { id = "", collection = "", key = "", data, acl, edges = [] } = fields;
  return create(DocumentSchema, {
    id, collection, key,
    ...(data ? { data } : {}),
    ...(acl ? { acl: { read: rule(acl.read), write: rule(acl.write) } } : {}),
    edges: edges.map(({ label, target }) => ({ label, target })),
  });
}

// A moment with microseconds, the precision documents have.
function timeText(time: Timestamp | undefined): string {
  if (!time) return "";
  const seconds = new Date(Number(time.seconds) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(Math.trunc(time.nanos / 1000)).padStart(6, "0")}Z`;
}

function plainAcl(acl: AccessControlMessage): AccessControl {
  return {
    ...(acl.read ? { read: { allow: [...acl.read.allow], deny: [...acl.read.deny] } } : {}),
    ...(acl.write ? { write: { allow: [...acl.write.allow], deny: [...acl.write.deny] } } : {}),
  };
}

function rule(rule: AccessRule = {}): { allow: string[]; deny: string[] } {
  return { allow: [...rule.allow ?? []], deny: [...rule.deny ?? []] };
}
