import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { fromMessage, toMessage } from "../documents/mapping.js";
import type { Document as DocumentMessage } from "../generated/vibe/documents/v1/document_pb.js";
import type { DocumentsService, Write } from "../generated/vibe/documents/v1/documents_service_pb.js";
import { WriteSchema } from "../generated/vibe/documents/v1/documents_service_pb.js";
import type { Outcome } from "../outbox/outbox.js";
import type { QueuedWrite, WriteOperation } from "../outbox/write.js";

/** Sends a queued write: one by the method made for it, several as a batch. */
export async function sendWrite(documents: Client<typeof DocumentsService>, write: QueuedWrite, signal: AbortSignal): Promise<Outcome> {
  const { operations } = write;
  const requestId = write.requestIds[0]!;
  if (operations.length > 1) {
    const { documents: stored } = await documents.batchWriteDocuments({ requestId, writes: operations.map(writeOf) }, { signal });
    return stored.map((document, index) => operations[index]!.kind === "remove" ? undefined : fromMessage(document));
  }
  const [operation] = operations as [WriteOperation];
  const etag = operation.etag ?? (write.policy === "lastWriterPerField" ? "" : write.base?.etag ?? "");
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

function writeOf(operation: WriteOperation): Write {
  const { kind, id, etag } = operation;
  const document = messageOf(operation);
  return create(WriteSchema, {
    ...(etag === undefined ? {} : { precondition: { case: "etag", value: etag } }),
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
