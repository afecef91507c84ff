import { readFileSync } from "node:fs";
import { createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { VibeError, endsSession, isTransient, wantsOtherToken } from "./errors.js";
import type { ErrorFields } from "./errors.js";
import { DocumentsService } from "./generated/vibe/documents/v1/documents_service_pb.js";
import { createTransport } from "./transport.js";

interface Vector {
  readonly name: string;
  readonly status: number;
  readonly message: string;
  readonly trailers: Readonly<Record<string, string>>;
  readonly expected: Omit<ErrorFields, "message"> & { readonly again: "later" | "otherToken" | "signIn" | "no" };
}

describe.each(["answers", "no-answer"])("%s", (name) => {
  const { cases } = JSON.parse(readFileSync(new URL(`../../../../../tests/vectors/errors/${name}.json`, import.meta.url), "utf8")) as { cases: Vector[] };
  test.each(cases)("$name", async (vector) => {
    const transport = createTransport({ url: "http://vectors.invalid", attempts: 1, fetch: async () => answer(vector) });
    const error = await createClient(DocumentsService, transport).getDocument({ id: "a" }).then(() => undefined, (failure: unknown) => failure);
    expect(error).toBeInstanceOf(VibeError);
    const { message: _, ...fields } = (error as VibeError).toJSON();
    expect({ ...fields, again: againOf(error as VibeError) }).toEqual(vector.expected);
  });
});

// As gRPC-Web says it: trailers alone, in the body.
function answer({ status, message, trailers }: Vector): Response {
  const lines = { "grpc-status": String(status), "grpc-message": encodeURIComponent(message), ...trailers };
  const text = new TextEncoder().encode(Object.entries(lines).map(([key, value]) => `${key}: ${value}\r\n`).join(""));
  const head = new Uint8Array(5);
  head[0] = 0x80;
  new DataView(head.buffer).setUint32(1, text.length);
  return new Response(new Uint8Array([...head, ...text]), { headers: { "content-type": "application/grpc-web+proto" } });
}

function againOf(error: VibeError): Vector["expected"]["again"] {
  return wantsOtherToken(error) ? "otherToken" : endsSession(error) ? "signIn" : isTransient(error) ? "later" : "no";
}
