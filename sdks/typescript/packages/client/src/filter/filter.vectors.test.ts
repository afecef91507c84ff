import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { comparator, matches, type Candidate } from "./evaluate.js";
import { parseFilter, parseOrder } from "./parse.js";
import { canonical, filterText } from "./syntax.js";
import { normalTime } from "./time.js";

interface Vectors {
  documents: Record<string, Partial<Candidate>>;
  cases: { text: string; canonical?: string; matches?: string[]; order?: string[]; error?: string }[];
}

function read(name: string): Vectors {
  const text = readFileSync(new URL(`../../../../../../tests/vectors/filter/${name}.json`, import.meta.url), "utf8");
  const vectors = JSON.parse(text) as Vectors;
  // Objects order keys that look like numbers first; a document's id is its position in the file.
  const position = ([name]: [string, unknown]): number => text.indexOf(`"${name}": {`);
  positions = new Map(Object.entries(vectors.documents ?? {}).sort((a, b) => position(a) - position(b)).map(([name], index) => [name, index + 1]));
  return vectors;
}

let positions: Map<string, number>;

const candidates = (vectors: Vectors): [string, Candidate][] => Object.entries(vectors.documents).map(([name, document]) => [name, {
  collection: "places",
  owner: "did:web:owner",
  id: `00000000-0000-7000-8000-${positions.get(name)!.toString(16).padStart(12, "0")}`,
  data: {},
  ...document,
  revision: Number(document.revision ?? 1),
  app: document.app ?? "",
  key: document.key ?? "",
  createTime: normalTime(document.createTime ?? "1970-01-01T00:00:00Z")!,
  updateTime: normalTime(document.updateTime ?? "1970-01-01T00:00:00Z")!,
}]);

describe.each(["core-fields", "logic", "numbers", "strings", "types"])("filter vectors: %s", (name) => {
  const vectors = read(name);
  const documents = candidates(vectors);
  test.each(vectors.cases)("$text", ({ text, canonical: expected, matches: names }) => {
    const filter = parseFilter(text);
    expect(documents.filter(([, document]) => matches(filter, document)).map(([name]) => name).sort()).toEqual([...names!].sort());
    expect(documents.filter(([, document]) => matches(canonical(filter), document)).map(([name]) => name).sort()).toEqual([...names!].sort());
    expect(filterText(filter)).toBe(expected);
    expect(filterText(parseFilter(filterText(filter)))).toBe(expected);
  });
});

describe("filter vectors: order", () => {
  const vectors = read("order");
  const documents = candidates(vectors);
  test.each(vectors.cases)("$text", ({ text, order }) => {
    const compare = comparator(parseOrder(text));
    expect([...documents].reverse().sort(([, left], [, right]) => compare(left, right)).map(([name]) => name)).toEqual(order);
  });
});

describe("filter vectors: errors", () => {
  test.each(read("errors").cases)("$text", ({ text }) => {
    expect(() => parseFilter(text)).toThrow(expect.objectContaining({ reason: "INVALID_ARGUMENT" }));
  });
});
