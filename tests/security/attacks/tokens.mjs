// Access tokens that were forged, stolen or sent the wrong way.
import { createHash, createHmac, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { assert, check } from "../../checks.mjs";
import { methodOf } from "../contract.mjs";
import { findingOf } from "../judge.mjs";
import { meaningOf, protocols, requestOf, send } from "../wire.mjs";

const text = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const partsOf = (token) => token.split(".").map((part) => Buffer.from(part, "base64url"));
const es256 = (key, signed, format = "ieee-p1363") => sign("sha256", Buffer.from(signed), { key, dsaEncoding: format }).toString("base64url");

export async function run(target, world) {
  const { tokens, victim } = target;
  const [token] = tokens.mallories;
  const [head, body, signature] = token.split(".");
  const header = JSON.parse(partsOf(token)[0]);
  const claims = JSON.parse(partsOf(token)[1]);
  const jwks = JSON.parse((await send(target.url, { protocol: "form", version: 1, verb: "GET", path: "/oauth/jwks", headers: {} })).body);
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ownJwk = own.publicKey.export({ format: "jwk" });
  const forge = (headerChange, claimsChange, key = own.privateKey, format) => {
    const signed = `${text({ ...header, ...headerChange })}.${text({ ...claims, ...claimsChange })}`;
    return `${signed}.${es256(key, signed, format)}`;
  };
  const hmac = (secret) => {
    const signed = `${text({ ...header, alg: "HS256" })}.${text({ ...claims, sub: victim.did })}`;
    return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  };
  const flipped = (at) => {
    const bytes = Buffer.from(signature, "base64url");
    bytes[at] ^= 1;
    return `${head}.${body}.${bytes.toString("base64url")}`;
  };
  const forged = {
    "no algorithm": `${text({ ...header, alg: "none" })}.${body}.`, "no algorithm, old signature": `${text({ ...header, alg: "None" })}.${body}.${signature}`,
    "no signature": `${head}.${body}.`, "the public key as a secret": hmac(JSON.stringify(jwks.keys[0])), "the key id as a secret": hmac(header.kid),
    "the x coordinate as a secret": hmac(Buffer.from(jwks.keys[0].x ?? "", "base64url")), "another key": forge(), "another key in the header": forge({ jwk: ownJwk }),
    "a key at an address": forge({ jku: "https://evil.example/jwks" }), "a key id that is a path": forge({ kid: "../../../../dev/null" }), "a key id that is SQL": forge({ kid: "' or 1=1 --" }),
    "a certificate": forge({ x5c: ["AAAA"] }), "a signature in DER": forge({}, {}, own.privateKey, "der"), "another user": `${head}.${text({ ...claims, sub: victim.did })}.${signature}`,
    "more scopes": `${head}.${text({ ...claims, scope: "admin account documents:*:write" })}.${signature}`, "a later end": `${head}.${text({ ...claims, exp: claims.exp + 1 })}.${signature}`,
    "a flipped bit at the start": flipped(0), "a flipped bit at the end": flipped(63), "zeros": `${head}.${body}.${Buffer.alloc(64).toString("base64url")}`,
    "another type": forge({ typ: "JWT" }), "another audience": forge({}, { aud: "https://evil.example" }), "another issuer": forge({}, { iss: "https://evil.example" }),
    "expired, by another key": forge({}, { exp: 1 }), "a critical extension": forge({ crit: ["b64"], b64: false }), "padding": `${token}=`, "a fourth part": `${token}.${signature}`,
    "white space inside": `${head}. ${body}.${signature}`, "an app's secret": `vibe_secret_${"a".repeat(43)}`, "nothing but dots": "..", "of a megabyte's kind": "a".repeat(20_000),
  };
  for (const [name, value] of Object.entries(forged)) {
    await check(`a token is refused: ${name}`, () => refused(target, value));
  }

  await check("a token in a query, a cookie or a body makes nobody of the caller", async () => {
    const path = `/v1/documents/${victim.plain.id}`;
    const alice = encodeURIComponent(tokens.alice);
    for (const [where, request] of [
      ["query", { verb: "GET", path: `${path}?access_token=${alice}`, headers: {} }], ["cookie", { verb: "GET", path, headers: { cookie: `access_token=${alice}; authorization=${alice}` } }],
      ["form", { verb: "GET", path, headers: { "x-authorization": `Bearer ${tokens.alice}`, "proxy-authorization": `Bearer ${tokens.alice}` } }],
    ]) {
      const answer = await send(target.url, { protocol: "rest", version: 1, ...request });
      assert.ok([400, 404].includes(answer.http) && !`${answer.body}`.includes(victim.canary), `${where}: ${answer.http}`);
    }
  });
  await check("a forwarded or method-override header changes neither caller nor method", async () => {
    const headers = { authorization: `Bearer ${token}`, "x-forwarded-user": victim.did, "x-user": victim.did, "x-http-method-override": "DELETE", "x-original-url": "/v1/account", forwarded: "for=1.2.3.4" };
    const answer = await send(target.url, { protocol: "rest", version: 1, verb: "GET", path: `/v1/documents/${world.facts.own}`, headers });
    assert.deepEqual([answer.http, JSON.parse(answer.body).owner], [200, world.facts.did]);
  });

  const form = (fields, headers = {}) => send(target.url, { protocol: "form", version: 1, verb: "POST", path: "/oauth/token", headers: { "content-type": "application/x-www-form-urlencoded", ...headers }, body: Buffer.from(`${new URLSearchParams(fields)}`) });
  await check("a visitor's token reads and writes nothing else", async () => {
    const answer = await form({ grant_type: "urn:vibe:params:oauth:grant-type:visitor", client_id: world.facts.app, scope: "documents:news:read" }, { origin: "https://rp.example" });
    const visitor = JSON.parse(answer.body).access_token;
    assert.ok(visitor, `${answer.body}`);
    for (const [name, message] of [
      ["DocumentsService.CreateDocument", { document: { collection: "news", data: {} } }], ["DocumentsService.UpdateDocument", { id: world.facts.own, document: { data: {} } }],
      ["DocumentsService.DeleteDocument", { id: world.facts.open }], ["DocumentsService.UpsertDocument", { collection: "news", key: "k", document: { data: {} } }],
      ["DocumentsService.BatchWriteDocuments", { writes: [{ create: { collection: "news", data: {} } }] }], ["AccountService.GetAccount", {}], ["AppsService.ListApps", {}],
      ["CertificatesService.ListCertificates", {}], ["DocumentsService.SuggestFieldIndex", { fieldIndex: { collection: "news", path: "data.a" } }],
    ]) {
      for (const protocol of protocols) {
        const request = requestOf(methodOf(name), protocol, message, visitor);
        if (!request) continue;
        const { code } = meaningOf(request, await send(target.url, request));
        assert.ok(["PERMISSION_DENIED", "UNAUTHENTICATED"].includes(code), `${name} over ${protocol}: ${code}`);
      }
    }
    for (const id of victim.hidden) assert.equal((await send(target.url, { protocol: "rest", version: 1, verb: "GET", path: `/v1/documents/${id}`, headers: { authorization: `Bearer ${visitor}` } })).http, 404);
  });

  await check("a token that is bound to a key: stolen, replayed, with another's proof, for another call", async () => {
    const name = `bound-${world.chance.word()}`;
    const app = await target.call(tokens.account, "POST", "/v1/apps", { name, manifest: { displayName: `Bound ${world.chance.word()}`, clientType: "CLIENT_TYPE_CONFIDENTIAL", redirectUris: ["https://rp.example/callback"] } });
    const { secret } = await target.call(tokens.account, "POST", `/v1/apps/${name}/credentials`, {});
    const prove = (key, jwk, method, path, accessToken, change = {}) => {
      const signed = `${text({ typ: "dpop+jwt", alg: "ES256", jwk })}.${text({ htm: method, htu: target.url + path, iat: Math.floor(Date.now() / 1000), jti: randomUUID(), ...(accessToken && { ath: createHash("sha256").update(accessToken).digest("base64url") }), ...change })}`;
      return `${signed}.${es256(key, signed)}`;
    };
    const client = { grant_type: "client_credentials", client_id: app.did, client_secret: secret, scope: "documents:own:write" };
    const proof = prove(own.privateKey, ownJwk, "POST", "/oauth/token");
    const bound = JSON.parse((await form(client, { dpop: proof })).body).access_token;
    assert.ok(bound);
    assert.equal(JSON.parse((await form(client, { dpop: proof })).body).error, "invalid_dpop_proof", "a proof of the token endpoint, again");
    const path = "/v1/documents";
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const call = (scheme, ...proofs) => send(target.url, { protocol: "rest", version: 1, verb: "GET", path: `${path}?collection=own`, headers: { authorization: `${scheme} ${bound}`, ...(proofs.length > 0 && { dpop: proofs.length > 1 ? proofs : proofs[0] }) } });
    const good = () => prove(own.privateKey, ownJwk, "GET", path, bound);
    const once = good();
    assert.equal((await call("DPoP", once)).http, 200);
    for (const [what, answer] of [
      ["replayed", await call("DPoP", once)], ["as a bearer token", await call("Bearer")], ["as a bearer token with a proof", await call("Bearer", good())], ["without a proof", await call("DPoP")],
      ["two proofs", await call("DPoP", good(), good())], ["another key", await call("DPoP", prove(other.privateKey, other.publicKey.export({ format: "jwk" }), "GET", path, bound))],
      ["signed by another", await call("DPoP", prove(other.privateKey, ownJwk, "GET", path, bound))], ["another method", await call("DPoP", prove(own.privateKey, ownJwk, "POST", path, bound))],
      ["another path", await call("DPoP", prove(own.privateKey, ownJwk, "GET", "/v1/account", bound))], ["another token", await call("DPoP", prove(own.privateKey, ownJwk, "GET", path, token))],
      ["old", await call("DPoP", prove(own.privateKey, ownJwk, "GET", path, bound, { iat: Math.floor(Date.now() / 1000) - 3600 }))],
      ["of tomorrow", await call("DPoP", prove(own.privateKey, ownJwk, "GET", path, bound, { iat: Math.floor(Date.now() / 1000) + 3600 }))],
    ]) {
      assert.deepEqual([answer.http, JSON.parse(answer.body).error?.details?.[0]?.reason], [401, "PROOF_INVALID"], what);
    }
  });
}

async function refused(target, token) {
  for (const [name, message] of [["DocumentsService.GetDocument", { id: target.victim.open.id }], ["DocumentsService.CreateDocument", { document: { collection: "own", data: {} } }], ["RealtimeService.Subscribe", { collection: "own" }]]) {
    for (const protocol of protocols) {
      const method = methodOf(name);
      const request = requestOf(method, protocol, message, token);
      if (!request) continue;
      const answer = await send(target.url, request, { streams: method.streams });
      assert.equal(findingOf(request, answer), null, protocol);
      const { code, infos } = meaningOf(request, answer);
      assert.deepEqual([code, infos[0]?.reason], ["UNAUTHENTICATED", "TOKEN_INVALID"], `${name} over ${protocol}`);
    }
  }
}
