// Page tokens, cursors and consistency tokens: changed in every byte, another person's, of another query, of another kind.
import { assert, check } from "../../checks.mjs";
import { send } from "../wire.mjs";

export async function run(target, world) {
  const { victim, tokens } = target;
  const [token, anotherUser] = tokens.mallories;
  const { pageToken, cursor } = world.facts;
  const get = async (path, who = token, headers = {}) => {
    const streams = path.includes(":subscribe");
    const answer = await send(target.url, { protocol: "rest", version: 1, verb: "GET", path, headers: { ...headers, ...(who && { authorization: `Bearer ${who}` }) } }, { streams, patience: 10_000, most: 1 });
    const text = `${answer.body}`;
    return { text, reason: /"reason":"([A-Z_]+)"/.exec(text)?.[1] ?? (answer.http === 200 ? "OK" : `HTTP ${answer.http}`) };
  };
  const list = (place, who, more = "") => get(`/v1/documents?collection=own&page_size=1${more}&page_token=${encodeURIComponent(place)}`, who);
  const follow = (place, who, more = "&collection=own") => get(`/v1/documents:subscribe?cursor=${encodeURIComponent(place)}${more}`, who);
  const mutants = function* (text) {
    const bytes = Buffer.from(text, "base64url");
    for (let at = 0; at < bytes.length; at++) {
      const copy = Buffer.from(bytes);
      copy[at] ^= 1 << at % 8;
      yield copy.toString("base64url");
    }
    yield* [text.slice(1), text.slice(0, -1), `${text}A`, `${text}=`, ` ${text}`, text.toUpperCase(), Buffer.from(text, "base64url").toString("base64"), text + text, "A".repeat(text.length), "a", "AA", "-".repeat(1000), "%00", "null"];
  };
  const all = async (texts, ask, allowed) => {
    const answers = await Promise.all([...texts].filter((text) => text !== pageToken && text !== cursor).map(async (text) => [text, (await ask(text)).reason]));
    assert.deepEqual(answers.filter(([, reason]) => !allowed.includes(reason)), []);
    return answers.length;
  };

  await check("page token: it is good as it came", async () => assert.equal((await list(pageToken)).reason, "OK"));
  await check("page token: changed in any byte it is refused", () => all(mutants(pageToken), (text) => list(text), ["PAGE_TOKEN_INVALID"]));
  await check("page token: another's is refused, and one's own with another query", async () => {
    assert.equal((await list(victim.pageToken)).reason, "PAGE_TOKEN_INVALID");
    for (const who of [anotherUser, tokens.app, tokens.appForMallory, null]) assert.equal((await list(pageToken, who)).reason, "PAGE_TOKEN_INVALID");
    for (const more of ["&scope=ALL", "&filter=data.n%3D1", "&order_by=data.n"]) assert.equal((await list(pageToken, token, more)).reason, "PAGE_TOKEN_INVALID", more);
    for (const path of ["/v1/documents?collection=vault&page_size=1", `/v1/documents/${world.facts.own}:edges?page_size=1`, "/v1/documents:search?collection=vault&query=a", "/v1/fieldIndexes?page_size=1"]) {
      assert.equal((await get(`${path}&page_token=${pageToken}`)).reason, "PAGE_TOKEN_INVALID", path);
    }
    for (const kind of [cursor, victim.cursor, token]) assert.equal((await list(kind)).reason, "PAGE_TOKEN_INVALID");
  });
  await check("cursor: it is good as it came", async () => assert.equal((await follow(cursor)).reason, "OK"));
  await check("cursor: changed in any byte it is refused", () => all(mutants(cursor), (text) => follow(text), ["CURSOR_INVALID", "CURSOR_EXPIRED"]));
  await check("cursor: another's is refused", async () => {
    assert.equal((await follow(victim.cursor, token, "&collection=vault&scope=ALL")).reason, "CURSOR_INVALID");
    for (const who of [anotherUser, tokens.app, null]) assert.equal((await follow(cursor, who, "&collection=own&scope=PUBLIC")).reason, "CURSOR_INVALID");
    for (const kind of [pageToken, token.slice(0, 300)]) assert.equal((await follow(kind)).reason, "CURSOR_INVALID");
  });
  await check("consistency token: changed in any byte it is refused", async () => {
    const written = await send(target.url, { protocol: "rest", version: 1, verb: "POST", path: "/v1/documents", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: Buffer.from('{"collection":"own","data":{}}') });
    const good = written.headers["vibe-consistency-token"];
    const read = (text) => get(`/v1/documents/${world.facts.own}`, token, { "vibe-consistency-token": text });
    assert.equal((await read(good)).reason, "OK");
    await all([...mutants(good)].filter((text) => text !== good && text.trim() !== good), read, ["CONSISTENCY_TOKEN_INVALID"]);
  });
  await check("etag and request id: what others know of them is worth nothing", async () => {
    const { plain, requestId } = victim;
    const write = async (verb, path, body) => {
      const answer = await send(target.url, { protocol: "rest", version: 1, verb, path, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: body && Buffer.from(JSON.stringify(body)) });
      return { text: `${answer.body}`, reason: /"reason":"([A-Z_]+)"/.exec(`${answer.body}`)?.[1] ?? answer.http };
    };
    for (const etag of [plain.etag, "r1", "r2", "*"]) assert.equal((await write("PATCH", `/v1/documents/${plain.id}?etag=${encodeURIComponent(etag)}`, { data: { taken: 1 } })).reason, "DOCUMENT_NOT_FOUND");
    const again = await write("POST", `/v1/documents?request_id=${requestId}`, { collection: "own", data: { mine: true } });
    assert.ok(!again.text.includes(victim.canary) && [200, "REQUEST_ID_REUSED"].includes(again.reason), again.text);
  });
}
