// JSON, filters and patterns that are meant to hurt: deep, long, ambiguous, of the wrong type, or costly to match.
import { assert, check } from "../../checks.mjs";
import { methodOf } from "../contract.mjs";
import { findingOf } from "../judge.mjs";
import { meaningOf, requestOf, send } from "../wire.mjs";

const create = methodOf("DocumentsService.CreateDocument");
const query = methodOf("DocumentsService.QueryDocuments");

export async function run(target) {
  const [token] = target.tokens.mallories;
  const tell = async (request) => {
    const answer = await send(target.url, request);
    assert.equal(findingOf(request, answer), null);
    return { ...meaningOf(request, answer), body: answer.body };
  };
  const raw = (text) => ["rest", "connect+json"].map((protocol) => {
    const body = protocol === "rest" ? Buffer.from(`{"collection":"own","data":${text}}`, "latin1") : Buffer.from(`{"document":{"collection":"own","data":${text}}}`, "latin1");
    return { ...requestOf(create, protocol, { document: { collection: "own", data: {} } }, token), body };
  });
  const refused = {
    "101 levels": [`{"a":${"[".repeat(101)}${"]".repeat(101)}}`, "DEPTH_LIMIT"], "100,000 levels": [`{"a":${"[".repeat(100_000)}`, "DEPTH_LIMIT"], "100,000 objects in each other": ['{"a":'.repeat(100_000), "DEPTH_LIMIT"],
    "a key twice": ['{"a":1,"a":2}', "DUPLICATE_KEY"], "a key twice, once escaped": ['{"a":1,"\\u0061":2}', "DUPLICATE_KEY"], "a key twice among a thousand": [`{${Array.from({ length: 1000 }, (_, index) => `"k${index}":0`).join()},"k500":1}`, "DUPLICATE_KEY"],
    "an infinite number": ['{"a":1e400}', "NUMBER_OUT_OF_RANGE"], "a number of 10,000 digits": [`{"a":1${"0".repeat(10_000)}}`, "NUMBER_OUT_OF_RANGE"], "an exponent of 20 digits": ['{"a":1e99999999999999999999}', "NUMBER_OUT_OF_RANGE"],
    "a leading zero": ['{"a":01}', "MALFORMED_JSON"], "a plus": ['{"a":+1}', "MALFORMED_JSON"], "hexadecimal": ['{"a":0x1}', "MALFORMED_JSON"], "a comment": ['{"a":1/**/}', "MALFORMED_JSON"], "a comma too many": ['{"a":1,}', "MALFORMED_JSON"],
    "single quotes": ["{'a':1}", "MALFORMED_JSON"], "an overlong slash": ['{"a":"\xc0\xaf"}', "INVALID_UTF8"], "a surrogate in UTF-8": ['{"a":"\xed\xa0\x80"}', "INVALID_UTF8"], "beyond Unicode": ['{"a":"\xf4\x90\x80\x80"}', "INVALID_UTF8"], "a lone byte": ['{"a":"\xff"}', "INVALID_UTF8"],
    "half a pair": ['{"a":"\\udc00"}', "LONE_SURROGATE"], "a NUL": ['{"a":"\\u0000"}', "NULL_CHARACTER"], "a NUL in a key": ['{"\\u0000":1}', "NULL_CHARACTER"], "a control character": ['{"a":"\x01"}', "MALFORMED_JSON"], "two values": ['{} {}', "MALFORMED_JSON"],
  };
  for (const [name, [text, reason]] of Object.entries(refused)) {
    await check(`JSON: ${name} is refused`, async () => {
      for (const request of raw(text)) {
        const { code, infos } = await tell(request);
        assert.deepEqual([code, infos[0].reason], ["INVALID_ARGUMENT", reason], request.protocol);
      }
    });
  }
  await check("JSON: names that mean something elsewhere are only names", async () => {
    const data = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"x":1}},"toString":1,"hasOwnProperty":null,"$type":"System.Object","$ref":"#","@type":"x",".":1,"..":2,"":3,"acl":{"read":"*"},"owner":"me"}';
    for (const request of raw(data)) {
      const { body } = await tell(request);
      const stored = (request.protocol === "rest" ? JSON.parse(body) : JSON.parse(body).document).data;
      assert.deepEqual(Object.entries(stored).sort(), Object.entries(JSON.parse(data)).sort());
    }
  });
  await check("JSON: who writes cannot say whose it is", async () => {
    const { victim } = target;
    for (const document of [{ owner: victim.did }, { app: victim.did }, { revision: "99" }, { createTime: "2001-01-01T00:00:00Z" }, { etag: "r99" }, { deleteTime: "2001-01-01T00:00:00Z" }]) {
      const { code, body } = await tell(requestOf(create, "connect+json", { document: { collection: "own", data: {}, ...document } }, token));
      const made = code === "OK" ? JSON.parse(body).document : null;
      assert.ok(made === null || (made.owner !== victim.did && made.app !== victim.did && made.revision === "1" && made.etag === "r1" && !made.deleteTime && made.createTime > "2002"), `${body}`);
    }
  });

  const nested = (depth, kind) => Array.from({ length: depth }).reduce((inner) => (kind === "not" ? { not: inner } : { [kind]: { filters: [inner] } }), { text: "true" });
  const terms = (count) => Array(count).fill("data.n = 1").join(" or ");
  const long = "a".repeat(8000);
  const filters = {
    "a thousand conditions": { text: terms(700) }, "a hundred conditions": { text: terms(100) }, "a hundred and one": { text: terms(101) }, "a hundred lists of a hundred": { and: { filters: Array(100).fill({ or: { filters: Array(100).fill({ text: "true" }) } }) } },
    "90 nots": nested(90, "not"), "90 ands": nested(90, "and"), "10 levels": nested(10, "or"), "4,000 parentheses": { text: `${"(".repeat(4000)}true${")".repeat(4000)}` }, "1,000 nots as text": { text: `${"not ".repeat(1000)}true` },
    "a pattern that backtracks": { text: `data.title match "${"a?".repeat(500)}${"a".repeat(500)}"` }, "wildcards of LIKE": { text: `data.title starts_with "${"%_".repeat(2000)}"` }, "a regular expression": { text: 'data.title match "(((((a+)+)+)+)+)$"' },
    "a text of 8 KiB": { text: `data.title = "${long}"` }, "2,000 words": { text: `data.title match "${"ab ".repeat(2000)}"` }, "a path of a thousand steps": { text: `data${".a".repeat(1000)} = 1` }, "a path of a hundred steps": { text: `data${".a".repeat(100)} = 1` },
    "a list of 101": { text: `data.n in [${Array(101).fill(1)}]` }, "a list of 100 long texts": { compare: { field: "data.n", op: "OPERATOR_IN", value: Array(100).fill(long) } }, "a number of 4,000 digits": { text: `data.n = ${"9".repeat(4000)}` },
    "a list where a text belongs": { compare: { field: "data.title", op: "OPERATOR_STARTS_WITH", value: [1] } }, "an object": { compare: { field: "data.title", op: "OPERATOR_EQ", value: { a: 1 } } }, "no value": { compare: { field: "data.title", op: "OPERATOR_EQ" } },
    "no operator": { compare: { field: "data.title", value: 1 } }, "null to be less than": { compare: { field: "data.n", op: "OPERATOR_LT", value: null } }, "a time that is none": { text: 'create_time > "yesterday"' }, "a field that is none": { text: "secret = 1" },
    "a column": { text: "is_public = true" }, "a backquote left open": { text: "data.`a = 1" }, "a quote left open": { text: 'data.a = "b' }, "nothing but operators": { text: "= = =" }, "an empty condition": {}, "an id that is none": { text: 'id = "x"' }, "an owner that is a number": { text: "owner = 1" },
    "a revision that is a text": { text: 'revision > "1"' }, "numbers and texts as one": { text: 'data.n = "1" and data.n = 1 and data.n != true and not data.n in [null, "x", 2]' },
  };
  for (const [name, filter] of Object.entries(filters)) {
    await check(`filter: ${name} is answered, or refused as a mistake of the sender`, async () => {
      const asked = [];
      for (const protocol of ["grpc", "connect+json", "rest"]) {
        const request = requestOf(query, protocol, { collection: "own", scope: "DOCUMENT_SCOPE_ALL", filter }, token);
        if (request) asked.push(await tell(request));
      }
      assert.ok(["OK", "INVALID_ARGUMENT"].includes(asked[0].code), `${asked[0].code} ${asked[0].message}`);
      assert.equal(new Set(asked.map(({ code, infos }) => `${code} ${infos[0]?.domain === "vibe.dev"}`)).size, 1, JSON.stringify(asked.map(({ code, infos }) => [code, infos])));
    });
  }
}
