import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { fromMessage, toMessage } from "../documents/mapping.js";
import type { Document as DocumentMessage } from "../generated/vibe/documents/v1/document_pb.js";
import type { DocumentsService, Write } from "../generated/vibe/documents/v1/documents_service_pb.js";
import { WriteSchema } from "../generated/vibe/documents/v1/documents_service_pb.js";
import type { Outcome } from "../outbox/outbox.js";
import type { QueuedWrite, WriteOperation } from "../outbox/write.js";

/** Sends queued writes: one by the method made for it, several as a batch. Answers for each. */
export async function sendWrites(documents: Client<typeof DocumentsService>, writes: readonly QueuedWrite[], signal: AbortSignal): Promise<readonly Outcome[]> {
  const [only] = writes as readonly [QueuedWrite];
  if (writes.length === 1 && only.operations.length === 1) return [await sendOne(documents, only, only.operations[0]!, signal)];
  const all = writes.flatMap((write) => write.operations.map((operation) => ({ operation, etag: etagOf(write, operation) })));
  const requestId = writes.length > 1 ? only.batch! : only.requestIds[0]!;
  const answer = await documents.batchWriteDocuments({ requestId, writes: all.map(({ operation, etag }) => writeOf(operation, etag)) }, { signal });
  const stored = answer.documents.map((document, index) => all[index]!.operation.kind === "remove" ? undefined : fromMessage(document));
  return writes.map(({ operations }) => stored.splice(0, operations.length));
}

async function sendOne(documents: Client<typeof DocumentsService>, write: QueuedWrite, operation: WriteOperation, signal: AbortSignal): Promise<Outcome> {
  const requestId = write.requestIds[0]!;
  const etag = etagOf(write, operation);
  const { id } = operation;
  const document = messageOf(operation);
  switch (operation.kind) {
    case "create":
      return stored(await documents.createDocument({ requestId, document }, { signal }));
    case "upsert":
      return stored(await documents.upsertDocument({
        requestId, document, etag, ...(operation.key ? { collection: operation.collection, key: operation.key } : { id }),
      }, { signal }));
    case "update":
    case "replace":
      return stored(await documents.updateDocument({ requestId, id, document, etag, updateMask: maskOf(operation) }, { signal }));
    case "remove":
      await documents.deleteDocument({ requestId, id, etag }, { signal });
      return [undefined];
  }
}

// What the writer saw, for the policies that ask.
function etagOf({ policy, base }: QueuedWrite, { etag }: WriteOperation): string {
  return etag ?? (policy === "lastWriterPerField" ? "" : base?.etag ?? "");
}

function writeOf(operation: WriteOperation, etag: string): Write {
  const { kind, id } = operation;
  const document = messageOf(operation);
  return create(WriteSchema, {
    ...(etag ? { precondition: { case: "etag", value: etag } } : {}),
    operation: kind === "create" || kind === "upsert" ? { case: kind, value: document }
      : kind === "remove" ? { case: "delete", value: { id } }
      : { case: "update", value: { document, updateMask: maskOf(operation) } },
  });
}

// A keyed document derives its id from the key; an update names the document alone.
function messageOf({ kind, id, key, collection, data, acl, edges }: WriteOperation): DocumentMessage {
  const isNew = kind === "create" || kind === "upsert";
  return toMessage({
    ...(isNew ? { collection } : {}),
    ...(key ? { key } : { id }),
    ...(data ? { data } : {}),
    ...(acl ? { acl } : {}),
    ...(edges ? { edges } : {}),
  });
}

function maskOf({ kind, data, acl, edges }: WriteOperation): string[] {
  // Without a mask data is merged, and edges that are empty are not given.
  if (kind === "replace") return ["data", ...(acl ? ["acl"] : []), ...(edges ? ["edges"] : [])];
  return edges?.length === 0 && !data ? ["edges", ...(acl ? ["acl"] : [])] : [];
}

function stored({ document }: { document?: DocumentMessage | undefined }): Outcome {
  return [document && fromMessage(document)];
}
