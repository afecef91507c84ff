import { readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { DocumentSchema } from "../generated/vibe/documents/v1/document_pb.js";
import type { JsonObject } from "./document.js";
import { fromMessage, toMessage } from "./mapping.js";

interface Vector {
  readonly what: string;
  readonly message: string;
  readonly input: string;
  readonly output?: string;
}

const { cases } = JSON.parse(readFileSync(new URL("../../../../../../tests/vectors/json/dynamic-types.json", import.meta.url), "utf8")) as { cases: Vector[] };
const values = cases.filter(({ message, output }) => output !== undefined && ["Struct", "Value", "ListValue"].includes(message.replace("google.protobuf.", "")));

test("there are such vectors", () => expect(values.length).toBeGreaterThan(5));

test.each(values)("$what: a document's data crosses the wire as it is", ({ input, output }) => {
  const data = { value: JSON.parse(input) } as JsonObject;
  const there = fromMessage(fromBinary(DocumentSchema, toBinary(DocumentSchema, toMessage({ data }))));
  expect(there.data).toEqual({ value: JSON.parse(output!) });
});
