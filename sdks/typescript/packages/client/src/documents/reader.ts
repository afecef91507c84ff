import type { Client } from "@connectrpc/connect";
import type { DocumentsService } from "../generated/vibe/documents/v1/documents_service_pb.js";
import type { CallOptions } from "../timing.js";
import type { Page, PageQuery, SearchQuery } from "./collection.js";
import type { Document, JsonObject } from "./document.js";
import { fromMessage } from "./mapping.js";
import { specOf } from "./spec.js";

/** A page of a query, from the server. */
export async function readPage<T extends object>(documents: Client<typeof DocumentsService>, collection: string, query: PageQuery<T>, options: CallOptions): Promise<Page<T>> {
  const { where: filter, orderBy, scope, limit: pageSize } = specOf(collection, query);
  const { pageToken = "", expand = [] } = query;
  return pageOf(await documents.listDocuments({ collection, filter, orderBy, scope, pageSize, pageToken, expand: [...expand] }, options));
}

/** A page of documents with these words, from the server. */
export async function searchPage<T extends object>(documents: Client<typeof DocumentsService>, collection: string, words: string, query: SearchQuery<T>, options: CallOptions): Promise<Page<T>> {
  const { where: filter, scope, limit: pageSize } = specOf(collection, query);
  return pageOf(await documents.searchDocuments({ collection, query: words, filter, scope, pageSize, pageToken: query.pageToken ?? "" }, options));
}

/** One document with what its edges lead to, from the server. */
export async function readDocument<T extends object = JsonObject>(documents: Client<typeof DocumentsService>, id: string, expand: readonly string[], options: CallOptions): Promise<Document<T>> {
  const { document } = await documents.getDocument({ id, expand: [...expand] }, options);
  return fromMessage<T>(document!);
}

function pageOf<T extends object>(page: { documents: Parameters<typeof fromMessage>[0][]; nextPageToken: string }): Page<T> {
  return { documents: page.documents.map((document) => fromMessage<T>(document)), nextPageToken: page.nextPageToken };
}
