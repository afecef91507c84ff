import { invalidArgument } from "../errors.js";
import { shortTime } from "./time.js";

/** The operators of a comparison, as the text form writes them. NE is written as not EQ. */
export type Operator = "=" | "<" | "<=" | ">" | ">=" | "in" | "contains" | "exists" | "starts_with" | "match";

/** What a field is compared with. */
export type Scalar = null | boolean | number | string;

/** A condition on one document: true or false, never unknown. proto/vibe/documents/v1/query.proto says what it means. */
export type Filter =
  | { readonly kind: "and" | "or"; readonly parts: readonly Filter[] }
  | { readonly kind: "not"; readonly part: Filter }
  | { readonly kind: "compare"; readonly field: Field; readonly op: Operator; readonly values: readonly Scalar[] };

/** One field of a document: a core field, or `data` and the keys after it. */
export interface Field {
  readonly core?: CoreField;
  readonly keys: readonly string[];
  /** The canonical text. */
  readonly text: string;
}

/** The fields of a document besides its body, by their names in text. */
export type CoreField = "id" | "collection" | "owner" | "app" | "key" | "create_time" | "update_time" | "revision";

const coreFields: ReadonlySet<string> =
  new Set<CoreField>(["id", "collection", "owner", "app", "key", "create_time", "update_time", "revision"]);

/** The limits of the language. */
export const limits = { comparisons: 100, depth: 10, items: 100, textBytes: 8192, fieldBytes: 512, pathKeys: 20, orderKeys: 5, orderBytes: 2048, orderedCodePoints: 500 } as const;

/** A refused text. */
export function syntaxError(description: string, field = "filter"): Error {
  return invalidArgument(field, description);
}

/** The field that starts with a name and goes on with keys. */
export function fieldOf(name: string, keys: readonly string[]): Field {
  if (name !== "data") {
    if (!coreFields.has(name)) throw syntaxError(`no field is called \`${name}\``);
    if (keys.length > 0) throw syntaxError(`\`${name}\` has no fields of its own`);
    return { core: name as CoreField, keys, text: name };
  }
  if (keys.length === 0) throw syntaxError("`data` needs a path: `data.title`");
  if (keys.length > limits.pathKeys) throw syntaxError(`a path has at most ${limits.pathKeys} keys`);
  keys.forEach(checkText);
  const text = `data.${keys.map((key) => /^[A-Za-z_]\w*$/.test(key) ? key : `\`${key.replaceAll("`", "``")}\``).join(".")}`;
  if (bytes(text) > limits.fieldBytes) throw syntaxError(`a field has at most ${limits.fieldBytes} bytes`);
  return { keys, text };
}

// A value as the text form writes it.
function valueText(value: Scalar): string {
  if (typeof value === "string") checkText(value);
  if (typeof value === "number" && !Number.isFinite(value)) throw syntaxError(`${value} is not a number of JSON`);
  // Minus zero equals zero.
  return value === 0 ? "0" : JSON.stringify(value);
}

/** A filter in canonical text: equal texts mean the same condition. */
export function filterText(filter: Filter): string {
  return print(canonical(filter), 0);
}

/** The same condition with nested and/or flattened, double not gone, constants folded. */
export function canonical(filter: Filter): Filter {
  switch (filter.kind) {
    case "compare":
      return filter;
    case "not": {
      const part = canonical(filter.part);
      if (part.kind === "not") return part.part;
      if (part.kind !== "compare" && part.parts.length === 0) return { kind: part.kind === "and" ? "or" : "and", parts: [] };
      return { kind: "not", part };
    }
    default: {
      const parts: Filter[] = [];
      for (const part of filter.parts.map(canonical)) {
        const isList = part.kind === "and" || part.kind === "or";
        if (isList && part.kind !== filter.kind && part.parts.length === 0) return part;
        if (isList && part.kind === filter.kind) parts.push(...part.parts);
        else parts.push(part);
      }
      return parts.length === 1 ? parts[0]! : { kind: filter.kind, parts };
    }
  }
}

/** The length in UTF-8. */
export function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Refuses strings that no document can hold. */
export function checkText(text: string): void {
  if (text.includes("\0")) throw syntaxError("a string may not contain U+0000");
  if (/[\ud800-\udfff]/u.test(text)) throw syntaxError("a string may not contain half of a surrogate pair");
}

function print(filter: Filter, around: number): string {
  switch (filter.kind) {
    case "compare":
      return compareText(filter);
    case "not":
      return filter.part.kind === "compare" && filter.part.op === "="
        ? compareText(filter.part, "!=")
        : `not ${print(filter.part, 3)}`;
    default: {
      if (filter.parts.length === 0) return filter.kind === "and" ? "true" : "false";
      const binding = filter.kind === "and" ? 2 : 1;
      const text = filter.parts.map((part) => print(part, binding)).join(` ${filter.kind} `);
      return around >= binding ? `(${text})` : text;
    }
  }
}

function compareText({ field, op, values }: Filter & { kind: "compare" }, symbol: Operator | "!=" = op): string {
  const isTime = (field.core === "create_time" || field.core === "update_time") && !["contains", "starts_with", "match"].includes(op);
  return comparisonText(field.text, symbol, isTime ? values.map((value) => typeof value === "string" ? shortTime(value) : value) : values);
}

/** One comparison as text. */
export function comparisonText(field: string, op: Operator | "!=", values: readonly Scalar[]): string {
  if (op === "exists") return `exists ${field}`;
  return `${field} ${op} ${op === "in" ? `[${values.map(valueText).join(", ")}]` : valueText(values[0]!)}`;
}
