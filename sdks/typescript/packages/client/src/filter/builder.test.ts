import { expect, expectTypeOf, test } from "vitest";
import type { OrderTerm, Where } from "./builder.js";
import { orderText, whereText } from "./builder.js";
import { parseFilter, parseOrder } from "./parse.js";
import { filterText } from "./syntax.js";

interface City {
  name: string;
  population: number;
  tags: string[];
  capital?: boolean;
  place: { country: string; region?: { code: number } };
}

const text = (where: Where<City>): string => {
  const built = whereText<City>(where);
  // What is built is what the language understands.
  expect(filterText(parseFilter(built))).toBeTruthy();
  return built;
};

test("a condition is built as text", () => {
  expect(text((f) => f("place.country").eq("PT").and(f("population").gt(1000)))).toBe('data.place.country = "PT" and data.population > 1000');
  expect(text((f) => f("name").in(["a", "b"]).or(f("capital").eq(true)).and(f("tags").contains("sea").not())))
    .toBe('(data.name in ["a", "b"] or data.capital = true) and not data.tags contains "sea"');
  expect(text((f) => f("name").startsWith("L").or(f("name").match("x y")).not())).toBe('not (data.name starts_with "L" or data.name match "x y")');
  expect(text((f) => f.owner.ne("did:web:a").and(f(["odd.key", "a`b"]).exists()))).toBe('owner != "did:web:a" and exists data.`odd.key`.`a``b`');
});

test("a value cannot break out of its string", () => {
  const odd = 'x" or true or data.a = "\\\n\'';
  const parsed = parseFilter(whereText<City>((f) => f("name").eq(odd)));
  expect(parsed).toMatchObject({ kind: "compare", op: "=", values: [odd] });
});

test("an order is built as text", () => {
  const order = orderText<City>((f) => [f("place.country").asc(), f.createTime.desc()]);
  expect(order).toBe("data.place.country, create_time desc");
  expect(parseOrder(order)).toHaveLength(2);
});

test("what is no JSON is refused before it is sent", () => {
  expect(() => whereText<City>((f) => f("population").eq(NaN))).toThrow(expect.objectContaining({ reason: "INVALID_ARGUMENT" }));
  expect(() => whereText<City>((f) => f("name").eq("\ud800"))).toThrow(expect.objectContaining({ reason: "INVALID_ARGUMENT" }));
});

test("types follow the document", () => {
  const wrong = (f: Parameters<Exclude<Where<City>, string>>[0]): unknown[] => [
    // @ts-expect-error no such field
    () => f("nme"),
    // @ts-expect-error no such field
    () => f("place.contry"),
    // @ts-expect-error a number
    () => f("population").eq("many"),
    // @ts-expect-error strings
    () => f("tags").contains(5),
  ];
  expect(wrong).toBeTypeOf("function");
  whereText<City>((f) => {
    expectTypeOf(f("place.region.code").desc()).toEqualTypeOf<OrderTerm>();
    return f("place.region.code").eq(5);
  });
  expect(whereText((f) => f("anything.at.all").eq(5))).toBe("data.anything.at.all = 5");
});
