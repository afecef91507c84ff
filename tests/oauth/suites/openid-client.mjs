// openid-client: what most Node backends use.
import * as client from "openid-client";
import { assert, check } from "../../checks.mjs";
import { callback, scopes } from "../provider.mjs";

const options = { execute: [client.allowInsecureRequests] };

export async function run({ issuer, createApp }, person) {
  const web = await createApp("happy-web", {});
  const backend = await createApp("happy-backend", { clientType: "CLIENT_TYPE_CONFIDENTIAL" });
  const discover = (id, secret) => client.discovery(new URL(issuer), id, secret, undefined, options);

  await check("openid-client: code and PKCE, userinfo, refresh, a used refresh token ends all", async () => {
    const config = await discover(web.did);
    const tokens = await signIn(config);
    const claims = tokens.claims();
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, claims.sub)).sub, claims.sub);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: "invalid_grant" });
    await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: "invalid_grant" });
  });

  await check("openid-client: a pushed request", async () => {
    const config = await discover(web.did);
    await signIn(config, {}, (parameters) => client.buildAuthorizationUrlWithPAR(config, parameters));
  });

  await check("openid-client: DPoP", async () => {
    const config = await discover(web.did);
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
    const tokens = await signIn(config, { DPoP });
    assert.equal(tokens.token_type, "dpop");
    await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP });
    await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  });

  await check("openid-client: a backend as itself, introspection, revocation", async () => {
    const config = await discover(backend.did, backend.secret);
    const tokens = await client.clientCredentialsGrant(config, { scope: "documents:jobs:write" });
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, true);
    await client.tokenRevocation(config, tokens.access_token);
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, false);
  });

  await check("openid-client: signing out", async () => {
    const config = await discover(web.did);
    const tokens = await signIn(config);
    const url = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token });
    assert.match(await (await person.fetch(url)).text(), /You are signed out/);
  });

  async function signIn(config, extra = {}, build = (parameters) => client.buildAuthorizationUrl(config, parameters)) {
    const verifier = client.randomPKCECodeVerifier();
    const [state, nonce] = [client.randomState(), client.randomNonce()];
    const url = await build({
      redirect_uri: callback, scope: scopes.join(" "), state, nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    });
    const answer = await person.go(url.href);
    return client.authorizationCodeGrant(
      config, answer, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }, undefined, extra);
  }
}
