import { createClient } from "@connectrpc/connect";
import type { Client, Transport } from "@connectrpc/connect";
import { DocumentsService } from "../generated/vibe/documents/v1/documents_service_pb.js";
import { RealtimeService } from "../generated/vibe/realtime/v1/realtime_service_pb.js";
import { createTransport } from "../transport.js";
import type { TransportOptions } from "../transport.js";

export { readDocument, readPage, searchPage } from "../documents/reader.js";

/** A tab's own connection, for what is answered once. */
export interface Direct {
  readonly transport: Transport;
  readonly documents: Client<typeof DocumentsService>;
  readonly realtime: Client<typeof RealtimeService>;
}

/** Makes the connection. */
export function connect(options: TransportOptions): Direct {
  const transport = createTransport(options);
  return { transport, documents: createClient(DocumentsService, transport), realtime: createClient(RealtimeService, transport) };
}
