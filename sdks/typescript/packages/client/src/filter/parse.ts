import type { Field, Filter, Operator, Scalar } from "./syntax.js";
import { bytes, checkText, fieldOf, limits, syntaxError } from "./syntax.js";
import { normalTime } from "./time.js";

/** One key of an order. */
export interface OrderKey {
  readonly field: Field;
  readonly descending: boolean;
}

type Token =
  | { readonly kind: "end" | "symbol"; readonly text: string; readonly at: number }
  | { readonly kind: "text"; readonly text: string; readonly at: number }
  | { readonly kind: "path"; readonly text: string; readonly keys: readonly string[]; readonly at: number }
  | { readonly kind: "number"; readonly text: string; readonly value: number; readonly at: number };

/** Reads a condition in text form; blank text holds for every document. Throws a VibeError INVALID_ARGUMENT. */
export function parseFilter(text: string): Filter {
  if (bytes(text) > limits.textBytes) throw syntaxError(`a filter has at most ${limits.textBytes} bytes`);
  const parser = new Parser(text);
  if (parser.token.kind === "end") return { kind: "and", parts: [] };
  const filter = parser.or();
  parser.expectEnd("`and`, `or` or the end");
  if (depth(filter) > limits.depth) throw syntaxError(`a filter has at most ${limits.depth} levels`);
  return filter;
}

/** Reads an order in text form; blank text gives no keys. Throws a VibeError INVALID_ARGUMENT. */
export function parseOrder(text: string): OrderKey[] {
  if (bytes(text) > limits.orderBytes) throw syntaxError(`an order has at most ${limits.orderBytes} bytes`, "order_by");
  const parser = new Parser(text);
  const keys: OrderKey[] = [];
  while (parser.token.kind !== "end") {
    if (keys.length > 0) parser.expect(",");
    const field = parser.field();
    const descending = parser.take("desc");
    if (!descending) parser.take("asc");
    if (keys.some((key) => key.field.text === field.text)) throw syntaxError(`\`${field.text}\` orders twice`, "order_by");
    keys.push({ field, descending });
  }
  if (keys.length > limits.orderKeys) throw syntaxError(`an order has at most ${limits.orderKeys} keys`, "order_by");
  return keys;
}

// By recursive descent, loosest first; the same grammar as the server's.
class Parser {
  token: Token;
  private position = 0;
  private nesting = 0;
  private comparisons = 0;

  constructor(private readonly text: string) {
    this.token = this.next();
  }

  or(): Filter {
    return this.list("or", "||", () => this.list("and", "&&", () => this.not()));
  }

  field(): Field {
    const { token } = this;
    if (token.kind !== "path") throw this.unexpected("a field");
    this.token = this.next();
    return fieldOf(token.text, token.keys);
  }

  take(keyword: string): boolean {
    const { token } = this;
    const taken = token.kind === "symbol" ? token.text === keyword
      : token.kind === "path" && token.keys.length === 0 && token.text.toLowerCase() === keyword;
    if (taken) this.token = this.next();
    return taken;
  }

  expect(symbol: string): void {
    if (!this.take(symbol)) throw this.unexpected(`\`${symbol}\``);
  }

  expectEnd(expected: string): void {
    if (this.token.kind !== "end") throw this.unexpected(expected);
  }

  private list(kind: "and" | "or", symbol: string, part: () => Filter): Filter {
    const parts = [part()];
    while (this.take(kind) || this.take(symbol)) parts.push(part());
    return parts.length === 1 ? parts[0]! : { kind, parts };
  }

  private not(): Filter {
    if (this.take("not") || this.take("!")) return { kind: "not", part: this.nested(() => this.not()) };
    if (this.take("(")) {
      const filter = this.nested(() => this.or());
      this.expect(")");
      return filter;
    }
    if (this.take("true")) return { kind: "and", parts: [] };
    if (this.take("false")) return { kind: "or", parts: [] };
    return this.comparison();
  }

  private nested(parse: () => Filter): Filter {
    if (++this.nesting > limits.depth) throw this.error(`conditions nest at most ${limits.depth} levels deep`);
    const filter = parse();
    this.nesting--;
    return filter;
  }

  private comparison(): Filter {
    if (++this.comparisons > limits.comparisons) throw this.error(`a filter has at most ${limits.comparisons} comparisons`);
    if (this.take("exists")) return { kind: "compare", field: this.field(), op: "exists", values: [] };
    const field = this.field();
    if (this.take("in")) return { kind: "compare", field, op: "in", values: this.items().map((item) => asTime(field, item)) };
    for (const [symbol, op] of operators) {
      if (!this.take(symbol)) continue;
      const value = this.scalar();
      if ("<=>=".includes(op) && op !== "=" && value === null) throw this.error("null is neither less nor greater than anything");
      if ((op === "starts_with" || op === "match") && typeof value !== "string") throw this.error("this operator needs a string");
      const compared = op === "starts_with" || op === "match" || op === "contains" ? value : asTime(field, value);
      const compare: Filter = { kind: "compare", field, op, values: [compared] };
      return symbol === "!=" ? { kind: "not", part: compare } : compare;
    }
    throw this.unexpected("an operator");
  }

  private items(): Scalar[] {
    this.expect("[");
    if (this.take("]")) return [];
    const items = [this.scalar()];
    while (this.take(",")) items.push(this.scalar());
    this.expect("]");
    if (items.length > limits.items) throw this.error(`a list has at most ${limits.items} items`);
    return items;
  }

  private scalar(): Scalar {
    const { token } = this;
    if (token.kind === "text" || token.kind === "number") {
      this.token = this.next();
      return token.kind === "number" ? token.value : token.text;
    }
    if (this.take("null")) return null;
    if (this.take("true")) return true;
    if (this.take("false")) return false;
    throw this.unexpected("a value");
  }

  private next(): Token {
    this.match(/[ \t\r\n]*/y);
    const at = this.position;
    if (at >= this.text.length) return { kind: "end", text: "", at };
    const quoted = this.match(/"(?:[^"\\\0-\x1f]|\\.)*"|'(?:[^'\\\0-\x1f]|\\.)*'/y);
    if (quoted !== undefined) return { kind: "text", text: this.unquote(quoted), at };
    const name = this.match(/[A-Za-z_]\w*/y);
    if (name !== undefined) return { kind: "path", text: name, keys: this.keys(), at };
    const number = this.match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y);
    if (number !== undefined) {
      const value = Number(number);
      if (!Number.isFinite(value)) throw this.error("the number is too large");
      return { kind: "number", text: number, value, at };
    }
    const symbol = this.match(/[=!<>]=|&&|\|\||[=<>!()[\],]/y);
    if (symbol !== undefined) return { kind: "symbol", text: symbol, at };
    throw this.error("this character means nothing here");
  }

  private keys(): string[] {
    const keys: string[] = [];
    while (this.match(/\./y) !== undefined) {
      const key = this.match(/[A-Za-z_]\w*|`(?:[^`]|``)*`/y);
      if (key === undefined) throw this.error("expected a key after the dot; a key that is not a plain name stands in backquotes");
      keys.push(key.startsWith("`") ? key.slice(1, -1).replaceAll("``", "`") : key);
    }
    return keys;
  }

  private unquote(quoted: string): string {
    const text = quoted.slice(1, -1).replace(/\\(u[\dA-Fa-f]{4}|.)/gs, (all, escape: string) => {
      if (escape.length === 5) return String.fromCharCode(parseInt(escape.slice(1), 16));
      const index = "\"'\\/bfnrt".indexOf(escape);
      if (index < 0) throw this.error("not an escape of JSON");
      return "\"'\\/\b\f\n\r\t"[index] ?? all;
    });
    checkText(text);
    return text;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.position = pattern.lastIndex;
    return found;
  }

  private unexpected(expected: string): Error {
    const { token } = this;
    return syntaxError(`at character ${token.at + 1}: expected ${expected}, found ${token.kind === "end" ? "the end" : `\`${token.text}\``}`);
  }

  private error(description: string): Error {
    return syntaxError(`at character ${this.position + 1}: ${description}`);
  }
}

const operators: readonly (readonly [string, Operator])[] = [
  ["==", "="], ["!=", "="], ["<=", "<="], [">=", ">="], ["=", "="], ["<", "<"], [">", ">"],
  ["contains", "contains"], ["starts_with", "starts_with"], ["match", "match"],
];

function asTime(field: Field, value: Scalar): Scalar {
  if (typeof value !== "string" || field.core !== "create_time" && field.core !== "update_time") return value;
  const time = normalTime(value);
  if (time === undefined) throw syntaxError("a time is an RFC 3339 string: \"2026-01-31T12:30:00Z\"");
  return time;
}

// A condition of the form `not a = b` is one level: it is how `a != b` is held.
function depth(filter: Filter): number {
  if (filter.kind === "compare") return 1;
  if (filter.kind === "not") return filter.part.kind === "compare" && filter.part.op === "=" ? 1 : 1 + depth(filter.part);
  return 1 + Math.max(0, ...filter.parts.map(depth));
}
