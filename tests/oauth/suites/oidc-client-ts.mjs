// oidc-client-ts: what pages without a backend use.
import { InMemoryWebStorage, OidcClient, WebStorageStateStore } from "oidc-client-ts";
import { assert, check } from "../../checks.mjs";
import { callback, scopes } from "../provider.mjs";

export async function run({ issuer, createApp }, person) {
  const app = await createApp("page", {});
  const client = new OidcClient({
    authority: issuer, client_id: app.did, redirect_uri: callback, scope: scopes.join(" "), loadUserInfo: true,
    stateStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
  });

  await check("oidc-client-ts: code, userinfo, refresh", async () => {
    const request = await client.createSigninRequest({ state: { page: 7 }, nonce: "n-0S6" });
    const response = await client.processSigninResponse((await person.go(request.url)).href);
    assert.equal(response.profile.name, "A Person");
    assert.deepEqual(response.userState, { page: 7 });
    const refreshed = await client.useRefreshToken({ state: { ...response, data: response.userState, session_state: null } });
    assert.notEqual(refreshed.access_token, response.access_token);
  });

  await check("oidc-client-ts: pages of the app's origin may read the answers, others may not", async () => {
    const headers = async (origin, path) => (await fetch(issuer + path, { method: "POST", headers: { origin } })).headers.get("access-control-allow-origin");
    assert.equal(await headers("https://rp.example", "/oauth/token"), "https://rp.example");
    assert.equal(await headers("https://rp.example", "/oauth/userinfo"), "https://rp.example");
    assert.equal(await headers("https://evil.example", "/oauth/token"), null);
    for (const path of ["/.well-known/openid-configuration", "/oauth/jwks"]) {
      assert.equal((await fetch(issuer + path, { headers: { origin: "https://anywhere.example" } })).headers.get("access-control-allow-origin"), "*");
    }
  });
}
