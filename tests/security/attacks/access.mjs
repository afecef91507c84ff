// Reading and changing what is another's: by every RPC, in every protocol, with all that an attacker could have got hold of.
import { randomUUID } from "node:crypto";
import { assert, check } from "../../checks.mjs";
import { methodOf, methods } from "../contract.mjs";
import { findingOf } from "../judge.mjs";
import { hold } from "../target.mjs";
import { meaningOf, protocols, requestOf, send } from "../wire.mjs";
import { valid } from "../world.mjs";

const injections = [
  "' or 1=1 --", "x'; update vibe.documents set is_public = true; --", "\\'; select pg_sleep(3600); --", "$$; reset role; --", "data.a') or true or ('", "\0' or ''='",
  "data.`x' or 1=1 --`", "*", "%", "users", "{}", "did:web:x' or 'a'='a",
];

export async function run(target, world) {
  const { victim, tokens } = target;
  await check("the corpus has a request of every RPC", async () => {
    const named = new Set(valid().map(({ method }) => method));
    assert.deepEqual(methods.map(({ name }) => name).filter((name) => !named.has(name)), []);
  });
  for (const protocol of protocols) {
    await check(`the corpus is answered as it says: ${protocol}`, async () => {
      const others = (await Promise.all(valid().map((template) => asItSays(target, world, template, protocol)))).filter((other) => other !== null);
      assert.ok(others.length === 0, others.join("; "));
    });
  }
  const attackers = { stranger: null, user: tokens.mallories[1], account: tokens.account, app: tokens.app, "app for a user": tokens.appForMallory, operator: tokens.admin };
  for (const [name, token] of Object.entries(attackers)) {
    await check(`every RPC shows nothing of another's: ${name}`, () => everything(target, world, token));
  }
  await check("an app that was granted another collection sees nothing of its user's vault", () => everything(target, world, tokens.narrow));
  await check("no string field of any RPC is taken for SQL", () => inject(target, world));
  await check("counts, sums, extremes, order and search tell nothing of what is hidden", () => counts(target));
  await check("live queries and catching up tell nothing of what is hidden", () => live(target, world));
  await check("what was attacked is as it was", () => victim.check());
}

// What is otherwise; null for nothing.
async function asItSays(target, world, template, protocol) {
  const method = methodOf(template.method);
  const request = requestOf(method, protocol, world.fillAll(template.message), world.tokenOf(template.caller, method.name));
  if (!request) return null;
  const answer = await send(target.url, request, { streams: method.streams, patience: 5000, ...(method.streams && { most: 1 }) });
  const finding = findingOf(request, answer);
  const meaning = meaningOf(request, answer);
  const code = meaning.code ?? (method.streams && answer.http === 200 ? "OK" : null);
  const expected = template.code ?? "OK";
  return finding === null && (expected === "ANY" || code === expected) ? null : `${template.method}: ${finding ?? code} instead of ${expected}: ${meaning.message}`;
}

// Each request of the corpus, with what is Alice's in the place of what is the attacker's own.
async function everything(target, world, token) {
  const { victim } = target;
  const aimed = { own: "{hidden}", fresh: "{hidden}", open: "{hidden}", pageToken: victim.pageToken, cursor: victim.cursor, stream: victim.streamId, did: victim.did };
  const fields = { collection: "vault", key: "the-key", requestId: victim.requestId, scope: "DOCUMENT_SCOPE_ALL", filter: "exists data.secret", query: victim.canary.slice(0, 6) };
  const aim = (value, name) => {
    if (typeof value === "string") return (fields[name] ?? value).replace(/\{(\w+)\}/g, (all, placeholder) => aimed[placeholder] ?? all);
    if (Array.isArray(value)) return value.map((item) => aim(item));
    return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, aim(item, key)])) : value;
  };
  // What revokes the attacker's own token is no attack.
  const templates = valid().filter(({ method }) => method !== "AuthService.RevokeToken");
  await Promise.all(protocols.map(async (protocol, turn) => {
    for (const template of templates.filter((_, index) => world.isThorough || index % protocols.length === turn)) {
      const method = methodOf(template.method);
      const request = requestOf(method, protocol, world.fillAll(aim(template.message)), token);
      if (!request) continue;
      const answer = await send(target.url, request, { streams: method.streams, patience: 20 });
      assert.equal(findingOf(request, answer, { secrets: [victim.canary] }), null, `${template.method} over ${protocol}`);
    }
  }));
}

async function inject(target, world) {
  const work = [];
  for (const template of valid()) {
    const method = methodOf(template.method);
    for (const path of stringsOf(method.input)) {
      for (const text of injections.filter((_, index) => world.isThorough || index < 3)) {
        const message = world.fillAll(template.message);
        if (put(message, path, text)) work.push([template, method, message]);
      }
    }
  }
  await Promise.all(Array.from({ length: 24 }, async () => {
    for (let next; (next = work.pop());) {
      const [template, method, message] = next;
      const request = requestOf(method, "connect+json", message, world.tokenOf(template.caller, method.name));
      const answer = await send(target.url, request, { streams: method.streams, patience: 20 });
      assert.equal(findingOf(request, answer, { secrets: [target.victim.canary] }), null, `${template.method} ${JSON.stringify(message)}`);
    }
  }));
}

// Paths of all string fields that a message of the type has.
function stringsOf(schema, path = [], depth = 0) {
  return schema.fields.flatMap((field) => {
    const here = [...path, field.fieldKind === "list" ? [field.jsonName] : field.jsonName];
    if (field.message) return depth > 3 || field.message.typeName.startsWith("google.") ? [] : stringsOf(field.message, here, depth + 1);
    return (field.scalar === 9 || field.listKind === "scalar" && field.scalar === 9) ? [here] : [];
  });
}

// Puts a text at a path; only where the message has the object around it, so that the rest stays valid.
function put(message, path, text) {
  let at = message;
  for (const step of path.slice(0, -1)) {
    at = Array.isArray(step) ? at[step[0]]?.[0] : at[step];
    if (typeof at !== "object" || at === null) return false;
  }
  const last = path.at(-1);
  at[Array.isArray(last) ? last[0] : last] = Array.isArray(last) ? [text] : text;
  return true;
}

async function counts(target) {
  const { victim, tokens } = target;
  const filters = ["true", "data.n = 41", `owner = "${victim.did}"`, "exists data.secret", `data.secret match "canary"`, "key = \"the-key\"", `id = "${victim.plain.id}"`, "revision = 1"];
  for (const token of [null, tokens.mallories[0], tokens.app, tokens.narrow]) {
    for (const scope of ["OWN", "SHARED", "PUBLIC", "ALL"]) {
      for (const text of filters) {
        const { values, capped } = await target.call(token, "POST", "/v1/documents:aggregate", {
          collection: "cellar", scope: `DOCUMENT_SCOPE_${scope}`, filter: { text },
          aggregations: [{ alias: "n", function: "FUNCTION_COUNT" }, { alias: "sum", function: "FUNCTION_SUM", field: "data.n" }, { alias: "max", function: "FUNCTION_MAX", field: "data.secret" }],
        });
        assert.deepEqual([values, capped ?? false], [{ n: 0, sum: 0, max: null }, false], `${scope} ${text}`);
        const list = await target.call(token, "GET", `/v1/documents?${new URLSearchParams({ collection: "cellar", scope, filter: text, order_by: "data.secret desc" })}`);
        assert.deepEqual(list, {}, `${scope} ${text}`);
      }
    }
    assert.deepEqual(await target.call(token, "GET", `/v1/documents:search?collection=cellar&query=${victim.canary}`), {});
  }
}

// What Alice writes meanwhile is told to nobody: a later change of the listener's own has come when all before it would have.
async function live(target, world) {
  const { victim, tokens } = target;
  const [token] = tokens.mallories;
  const streams = await Promise.all(["ALL", "SHARED", "PUBLIC"].flatMap((scope) => ["", "&initial=true", "&limit=10"].map((extra) => [scope, extra])).map(([scope, extra]) =>
    hold(target, `/v1/documents:subscribe?collection=vault&scope=${scope}${extra}`, token, /"ready"/)));
  try {
    const made = await target.call(tokens.alice, "POST", "/v1/documents", { collection: "vault", data: { secret: victim.canary } });
    await target.call(tokens.alice, "PATCH", `/v1/documents/${made.id}`, { data: { secret: `${victim.canary}2` } });
    await target.call(tokens.alice, "DELETE", `/v1/documents/${made.id}`);
    const mark = randomUUID();
    const own = await target.call(token, "POST", "/v1/documents", { collection: "vault", data: { mark }, acl: { read: { allow: ["*"] } } });
    for (const stream of streams.filter((_, index) => index < 3 || index > 5)) await until(() => stream.text.includes(mark));
    for (const stream of streams) {
      assert.ok(!stream.text.includes(victim.canary) && !stream.text.includes(made.id), stream.text);
    }
    await target.call(token, "DELETE", `/v1/documents/${own.id}`);
  } finally {
    for (const stream of streams) stream.close();
  }
}

async function until(condition, milliseconds = 30_000) {
  for (const end = Date.now() + milliseconds; !condition();) {
    if (Date.now() > end) throw new Error(`not within ${milliseconds} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
