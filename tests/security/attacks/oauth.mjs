// The threats of RFC 9700 against a whole provider: what an app, another app, and a page of the attacker's can try.
import { createHash } from "node:crypto";
import { assert, check } from "../../checks.mjs";
import { Person } from "../../oauth/provider.mjs";
import { send } from "../wire.mjs";

const callback = "https://rp.example/callback";
const verifier = "v".repeat(43);
const challenge = createHash("sha256").update(verifier).digest("base64url");

export async function run(target, world) {
  const person = await Person.signUp(target.url, `person-${world.chance.word()}`);
  const other = await Person.signUp(target.url, `other-${world.chance.word()}`);
  const client = world.facts.app;
  const register = (name) => target.call(target.tokens.account, "POST", "/v1/apps", {
    name: `${name}-${world.chance.word()}`, manifest: { displayName: `Rival ${world.chance.word()}`, redirectUris: ["https://rival.example/callback"] },
  });
  const rival = (await register("rival")).did;
  const address = (change = {}) => {
    const fields = { client_id: client, redirect_uri: callback, response_type: "code", scope: "openid offline_access documents:notes:write", state: "s", nonce: "n", code_challenge: challenge, code_challenge_method: "S256", ...change };
    return `${target.url}/oauth/authorize?${new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== null))}`;
  };
  const codeOf = async (change) => (await person.go(address(change))).searchParams.get("code");
  const post = async (path, fields, headers = {}) => {
    const answer = await send(target.url, { protocol: "form", version: 1, verb: "POST", path, headers: { "content-type": "application/x-www-form-urlencoded", ...headers }, body: Buffer.from(`${new URLSearchParams(fields)}`) });
    return { http: answer.http, ...JSON.parse(`${answer.body}` || "{}") };
  };
  const redeem = (code, change = {}) => post("/oauth/token", Object.fromEntries(Object.entries({ grant_type: "authorization_code", client_id: client, code, redirect_uri: callback, code_verifier: verifier, ...change }).filter(([, value]) => value !== null)));
  const refresh = (token, change = {}) => post("/oauth/token", { grant_type: "refresh_token", client_id: client, refresh_token: token, ...change });
  const reads = async (token) => (await send(target.url, { protocol: "rest", version: 1, verb: "GET", path: "/v1/documents?collection=notes", headers: { authorization: `Bearer ${token}` } })).http;
  const isOver = async ({ access_token, refresh_token }) => {
    assert.equal((await refresh(refresh_token)).error, "invalid_grant");
    for (const end = Date.now() + 30_000; (await reads(access_token)) !== 401;) assert.ok(Date.now() < end, "the access token still works");
  };

  const redirects = {
    "a slash more": `${callback}/`, "another case": "https://RP.example/callback", "another path": "https://rp.example/callback2", "up and down": "https://rp.example/x/../callback", "a query": `${callback}?a=b`,
    "a fragment": `${callback}#a`, "another host": "https://evil.example/callback", "a host in front": "https://rp.example.evil.example/callback", "user info": "https://rp.example@evil.example/callback", "no TLS": "http://rp.example/callback",
    "another port": "https://rp.example:444/callback", "a script": "javascript:alert(1)//https://rp.example/callback", "an encoded dot": "https://rp%2eexample/callback", "another app's": "https://rival.example/callback", "nothing": "",
    "a line break": `${callback}\r\nlocation: https://evil.example`, "a backslash": "https://rp.example\\@evil.example/callback",
  };
  for (const [name, uri] of Object.entries(redirects)) {
    await check(`OAuth: nothing is sent to an address that is not registered: ${name}`, async () => {
      const response = await person.fetch(address({ redirect_uri: uri }));
      assert.deepEqual([response.status, response.headers.get("location")], [400, null]);
      const pushed = await post("/oauth/par", Object.fromEntries(new URL(address({ redirect_uri: uri })).searchParams));
      assert.equal(pushed.http, 400);
    });
  }
  const downgrades = {
    "no PKCE": { code_challenge: null, code_challenge_method: null }, "a plain challenge": { code_challenge: verifier, code_challenge_method: "plain" }, "no method": { code_challenge_method: null }, "an empty challenge": { code_challenge: "" },
    "a short challenge": { code_challenge: "abc" }, "a token at once": { response_type: "token" }, "a token beside the code": { response_type: "code token" }, "an ID token at once": { response_type: "id_token" },
    "a request object": { request: "a.b.c" }, "a scope the manifest has not": { scope: "openid documents:vault:read" }, "an operator's scope": { scope: "openid admin" }, "the account's scope": { scope: "account" },
  };
  for (const [name, change] of Object.entries(downgrades)) {
    await check(`OAuth: no code with ${name}`, async () => {
      const response = await person.fetch(address(change));
      const location = response.headers.get("location");
      assert.equal(location === null ? "" : new URL(location, target.url).searchParams.get("code"), location === null ? "" : null);
      if (location !== null) assert.ok(new URL(location, target.url).searchParams.has("error"), location);
    });
  }

  await check("OAuth: the answer names its issuer, as a client that talks to two of them needs", async () => {
    const answer = await person.go(address());
    assert.deepEqual([answer.searchParams.get("iss"), answer.searchParams.get("state"), answer.origin + answer.pathname], [target.url, "s", callback]);
  });
  await check("OAuth: a code is for its app, address and verifier, and good once; the second time ends what the first began", async () => {
    const code = await codeOf();
    for (const change of [{ code_verifier: "w".repeat(43) }, { code_verifier: challenge }, { code_verifier: null }, { redirect_uri: "https://rp.example/other" }, { client_id: rival }, { client_id: null }, { code: `${code}x` }]) {
      assert.ok([400, 401].includes((await redeem(code, change)).http), JSON.stringify(change));
    }
    const tokens = await redeem(code);
    assert.equal(await reads(tokens.access_token), 200);
    assert.equal((await redeem(code)).error, "invalid_grant");
    await isOver(tokens);
  });
  await check("OAuth: a refresh token works once, for its app, for no more than was granted; the second time ends all", async () => {
    const first = await redeem(await codeOf());
    assert.ok([400, 401].includes((await refresh(first.refresh_token, { client_id: rival })).http));
    assert.equal((await refresh(first.refresh_token, { scope: "openid admin" })).error, "invalid_scope");
    const second = await refresh(first.refresh_token);
    assert.ok(second.access_token, JSON.stringify(second));
    assert.equal((await refresh(first.refresh_token)).error, "invalid_grant");
    await isOver(second);
  });
  await check("OAuth: one kind of token is not taken for another", async () => {
    const tokens = await redeem(await codeOf());
    for (const [name, token] of Object.entries({ "ID token": tokens.id_token, "refresh token": tokens.refresh_token })) assert.equal(await reads(token), 401, name);
    for (const token of [tokens.access_token, tokens.id_token, tokens.refresh_token]) assert.equal((await redeem(token)).error, "invalid_grant");
    assert.equal((await refresh(tokens.access_token)).error, "invalid_grant");
    assert.equal((await post("/oauth/introspect", { client_id: client, token: tokens.access_token })).http, 401);
  });
  await check("OAuth: a request is answered in the browser that came with it, by a page of this origin, once", async () => {
    const response = await other.fetch(address());
    const id = new URL(response.headers.get("location"), target.url);
    const request = id.searchParams.get("request") ?? new URL((await other.fetch(id.href)).headers.get("location"), target.url).searchParams.get("request");
    const decide = (who, origin) => who.fetch(`/auth/requests/${request}:decide`, { method: "POST", headers: { origin, "content-type": "application/json" }, body: JSON.stringify({ allow: true, scopes: ["openid"] }) });
    assert.equal((await person.fetch(`/auth/requests/${request}`)).status, 404);
    assert.equal((await decide(person, target.url)).status, 404);
    for (const origin of ["https://evil.example", "null", `${target.url}.evil.example`]) assert.equal((await decide(other, origin)).status, 403, origin);
    assert.equal((await decide(other, target.url)).status, 200);
    assert.equal((await decide(other, target.url)).status, 404);
  });
  await check("OAuth: what an app sends is never part of a page's script, nor an address people are sent to", async () => {
    const script = "\"><script>alert(1)</script>";
    for (const change of [{ state: script, redirect_uri: "https://evil.example" }, { client_id: script }, { scope: script, redirect_uri: script }, { ui_locales: script, client_id: "x" }]) {
      const page = await (await person.fetch(address(change))).text();
      assert.ok(!page.includes("<script>alert"), page);
    }
    const out = await person.fetch(`/oauth/logout?post_logout_redirect_uri=${encodeURIComponent("https://evil.example/")}&client_id=${encodeURIComponent(client)}`);
    assert.ok(!`${out.headers.get("location")}`.startsWith("https://evil.example"), out.headers.get("location"));
  });
}
