import type { JsonObject } from "../documents/document.js";
import type { Operator, Scalar } from "./syntax.js";
import { comparisonText, fieldOf } from "./syntax.js";

/** The dotted paths into a document's body, three levels deep; any string where the type does not say. */
export type Path<T> = [JsonObject] extends [T] ? string : PathOf<Required<T>, []>;

type PathOf<T, Depth extends unknown[]> = Depth["length"] extends 3 ? never : {
  [K in keyof T & string]: NonNullable<T[K]> extends readonly unknown[] | Scalar ? K
    : NonNullable<T[K]> extends object ? K | `${K}.${PathOf<Required<NonNullable<T[K]>>, [...Depth, 0]>}` : K;
}[keyof T & string];

/** What stands at a path. */
export type ValueAt<T, P extends string> = [JsonObject] extends [T] ? Scalar
  : P extends keyof T ? NonNullable<T[P]>
  : P extends `${infer K}.${infer Rest}` ? K extends keyof T ? ValueAt<NonNullable<T[K]>, Rest> : never : never;

type Comparable<V> = Extract<V, Scalar>;
type ItemOf<V> = V extends readonly (infer Item)[] ? Extract<Item, Scalar> : Scalar;

/** One condition, in text form. */
export class Condition {
  /** @internal */
  constructor(private readonly text: string, private readonly binding: 0 | 1 | 2 | 3 = 3) {}

  /** Both. */
  and(other: Condition): Condition {
    return new Condition(`${this.within(2)} and ${other.within(2)}`, 2);
  }

  /** At least one of the two. */
  or(other: Condition): Condition {
    return new Condition(`${this.within(1)} or ${other.within(1)}`, 1);
  }

  /** The opposite. */
  not(): Condition {
    return new Condition(`not ${this.within(3)}`);
  }

  /** The text the server understands. */
  toString(): string {
    return this.text;
  }

  private within(binding: number): string {
    return this.binding < binding ? `(${this.text})` : this.text;
  }
}

/** A key of an order. */
export class OrderTerm {
  /** @internal */
  constructor(private readonly text: string) {}

  /** The text the server understands. */
  toString(): string {
    return this.text;
  }
}

/**
 * One field of a document. Values compare only with values of the same JSON type; with an absent field, every operator
 * but `ne` is false.
 */
export class FieldRef<V = Scalar> {
  /** @internal */
  constructor(private readonly text: string) {}

  /** Equal; `null` is a JSON null, not an absent field. */
  eq(value: Comparable<V> | null): Condition { return this.compare("=", value); }
  /** Not equal, or absent, or of another type. */
  ne(value: Comparable<V> | null): Condition { return this.compare("!=", value); }
  lt(value: Comparable<V>): Condition { return this.compare("<", value); }
  le(value: Comparable<V>): Condition { return this.compare("<=", value); }
  gt(value: Comparable<V>): Condition { return this.compare(">", value); }
  ge(value: Comparable<V>): Condition { return this.compare(">=", value); }
  /** Equal to one of these, at most 100. */
  in(values: readonly (Comparable<V> | null)[]): Condition { return this.compare("in", ...values); }
  /** An array with this item. */
  contains(item: ItemOf<V>): Condition { return this.compare("contains", item); }
  /** There, whatever its value. */
  exists(): Condition { return this.compare("exists"); }
  /** A string that begins so, case-sensitive. */
  startsWith(prefix: string): Condition { return this.compare("starts_with", prefix); }
  /** A string that has all these words. */
  match(words: string): Condition { return this.compare("match", words); }
  /** Smallest first. */
  asc(): OrderTerm { return new OrderTerm(this.text); }
  /** Largest first. */
  desc(): OrderTerm { return new OrderTerm(`${this.text} desc`); }

  private compare(op: Operator | "!=", ...values: readonly Scalar[]): Condition {
    return new Condition(comparisonText(this.text, op, values));
  }
}

/**
 * The fields to build a condition or an order from: `f("address.city")` for the body, properties for the rest.
 * A key with a dot in it is given as an array: `f(["odd.key"])`.
 */
export interface Fields<T extends object = JsonObject> {
  <P extends Path<T>>(path: P): FieldRef<ValueAt<T, P>>;
  (keys: readonly string[]): FieldRef;
  readonly id: FieldRef<string>;
  readonly owner: FieldRef<string>;
  readonly app: FieldRef<string>;
  readonly key: FieldRef<string>;
  /** Compares with times of RFC 3339. */
  readonly createTime: FieldRef<string>;
  /** Compares with times of RFC 3339. */
  readonly updateTime: FieldRef<string>;
  readonly revision: FieldRef<number>;
}

/** A condition: text, or built from typed fields. */
export type Where<T extends object = JsonObject> = string | ((fields: Fields<T>) => Condition);

/** An order: text, or built from typed fields, at most 5 keys. */
export type OrderBy<T extends object = JsonObject> = string | ((fields: Fields<T>) => OrderTerm | readonly OrderTerm[]);

/** The text of a condition; empty for none. */
export function whereText<T extends object>(where: Where<T> | undefined): string {
  return typeof where === "function" ? where(fields as unknown as Fields<T>).toString() : where ?? "";
}

/** The text of an order; empty for none. */
export function orderText<T extends object>(order: OrderBy<T> | undefined): string {
  return typeof order === "function" ? [order(fields as unknown as Fields<T>)].flat().join(", ") : order ?? "";
}

const fields = Object.defineProperties(
  (path: string | readonly string[]) => new FieldRef(fieldOf("data", typeof path === "string" ? path.split(".") : path).text),
  Object.fromEntries(Object.entries({
    id: "id", owner: "owner", app: "app", key: "key", createTime: "create_time", updateTime: "update_time", revision: "revision",
  }).map(([name, text]) => [name, { value: new FieldRef(text) }])),
);
