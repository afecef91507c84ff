// oauth4webapi: the strict one. It refuses whatever a specification does not allow.
import * as oauth from "oauth4webapi";
import { assert, check } from "../../checks.mjs";
import { callback, scopes } from "../provider.mjs";

const insecure = { [oauth.allowInsecureRequests]: true };

export async function run({ issuer, createApp }, person) {
  const expected = new URL(issuer);
  const as = await oauth.processDiscoveryResponse(expected, await oauth.discoveryRequest(expected, insecure));
  const keys = await oauth.generateKeyPair("ES256", { extractable: true });
  const jwk = await crypto.subtle.exportKey("jwk", keys.publicKey);
  const web = await createApp("strict-web", {});
  const rs256 = await createApp("strict-rs256", { idTokenSignedResponseAlg: "RS256" });
  const secret = await createApp("strict-secret", { clientType: "CLIENT_TYPE_CONFIDENTIAL" });
  const signing = await createApp("strict-key", { clientType: "CLIENT_TYPE_CONFIDENTIAL" }, { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y });
  const device = await createApp("strict-device", { clientType: "CLIENT_TYPE_NATIVE" });

  await check("oauth4webapi: the OAuth metadata is the same", async () => {
    const other = await oauth.processDiscoveryResponse(expected, await oauth.discoveryRequest(expected, { ...insecure, algorithm: "oauth2" }));
    assert.deepEqual(other, as);
  });

  const clients = [
    ["none", { client_id: web.did }, oauth.None()],
    ["none, RS256", { client_id: rs256.did, id_token_signed_response_alg: "RS256" }, oauth.None()],
    ["client_secret_basic", { client_id: secret.did }, oauth.ClientSecretBasic(secret.secret)],
    ["client_secret_post", { client_id: secret.did }, oauth.ClientSecretPost(secret.secret)],
    ["private_key_jwt", { client_id: signing.did }, oauth.PrivateKeyJwt(keys.privateKey)],
  ];
  for (const [name, client, authentication] of clients) {
    for (const bound of [false, true]) {
      await check(`oauth4webapi: ${name}, ${bound ? "DPoP" : "bearer"}: code, userinfo, refresh, revocation`, async () => {
        const DPoP = bound ? oauth.DPoP(client, await oauth.generateKeyPair("ES256")) : undefined;
        const { tokens, claims } = await signIn(client, authentication, DPoP);
        assert.equal(tokens.token_type, bound ? "dpop" : "bearer");
        const info = await oauth.processUserInfoResponse(
          as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, { DPoP, ...insecure }));
        assert.equal(info.name, "A Person");

        const refresh = async (token) => oauth.processRefreshTokenResponse(
          as, client, await oauth.refreshTokenGrantRequest(as, client, authentication, token, { DPoP, ...insecure }));
        const refreshed = await refresh(tokens.refresh_token);
        assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
        await oauth.processRevocationResponse(
          await oauth.revocationRequest(as, client, authentication, refreshed.refresh_token, insecure));
        await assert.rejects(refresh(refreshed.refresh_token), { error: "invalid_grant" });
      });
    }
  }

  await check("oauth4webapi: a pushed request", async () => {
    const client = { client_id: web.did };
    const { parameters, verifier, state, nonce } = await request(client);
    const pushed = await oauth.processPushedAuthorizationResponse(
      as, client, await oauth.pushedAuthorizationRequest(as, client, oauth.None(), parameters, insecure));
    const url = new URL(as.authorization_endpoint);
    url.searchParams.set("client_id", web.did);
    url.searchParams.set("request_uri", pushed.request_uri);
    await redeem(client, oauth.None(), await person.go(url.href), verifier, state, nonce);
  });

  await check("oauth4webapi: an answer of another issuer, or of none, is refused (mix-up)", async () => {
    const client = { client_id: web.did };
    const { parameters, state } = await request(client);
    const answer = await person.go(`${as.authorization_endpoint}?${parameters}`);
    const other = new URL(answer);
    other.searchParams.set("iss", "https://evil.example");
    assert.throws(() => oauth.validateAuthResponse(as, client, other, state), /iss/);
    other.searchParams.delete("iss");
    assert.throws(() => oauth.validateAuthResponse(as, client, other, state), /iss/);
    oauth.validateAuthResponse(as, client, answer, state);
  });

  await check("oauth4webapi: client_credentials, introspection, and the token at a resource server (RFC 9068)", async () => {
    const client = { client_id: secret.did };
    const authentication = oauth.ClientSecretBasic(secret.secret);
    const tokens = await oauth.processClientCredentialsResponse(
      as, client, await oauth.clientCredentialsGrantRequest(as, client, authentication, { scope: "documents:jobs:write" }, insecure));
    const known = await oauth.processIntrospectionResponse(
      as, client, await oauth.introspectionRequest(as, client, authentication, tokens.access_token, insecure));
    assert.deepEqual([known.active, known.sub, known.scope], [true, secret.did, "documents:jobs:write"]);
    const call = new Request("https://api.example/jobs", { headers: { authorization: `Bearer ${tokens.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(as, call, issuer, insecure);
    assert.equal(claims.client_id, secret.did);
  });

  await check("oauth4webapi: a token bound to a key, at a resource server", async () => {
    const client = { client_id: web.did };
    const keyPair = await oauth.generateKeyPair("ES256");
    const DPoP = oauth.DPoP(client, keyPair);
    const { tokens } = await signIn(client, oauth.None(), DPoP);
    let sent;
    await oauth.protectedResourceRequest(tokens.access_token, "GET", new URL("https://api.example/notes"), new Headers(), null, {
      DPoP, ...insecure, [oauth.customFetch]: (url, options) => { sent = new Request(url, options); return Response.json({}); },
    });
    await oauth.validateJwtAccessToken(as, sent, issuer, { requireDPoP: true, ...insecure });
    const own = await oauth.protectedResourceRequest(
      tokens.access_token, "GET", new URL(`${issuer}/v1/documents?collection=notes`), new Headers(), null, { DPoP, ...insecure });
    assert.equal(own.status, 200, await own.text());
  });

  await check("oauth4webapi: a device", async () => {
    const client = { client_id: device.did };
    const codes = await oauth.processDeviceAuthorizationResponse(
      as, client, await oauth.deviceAuthorizationRequest(as, client, oauth.None(), { scope: "openid offline_access" }, insecure));
    const redeemCode = async () => oauth.processDeviceCodeResponse(
      as, client, await oauth.deviceCodeGrantRequest(as, client, oauth.None(), codes.device_code, insecure));
    await assert.rejects(redeemCode(), { error: "authorization_pending" });
    await person.post(`/auth/devices/${codes.user_code}:decide`, { allow: true });
    await new Promise((resolve) => setTimeout(resolve, codes.interval * 1000 + 100)); // What the device was told to wait.
    assert.ok((await redeemCode()).refresh_token);
  });

  async function request(client, DPoP) {
    const verifier = oauth.generateRandomCodeVerifier();
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
    const parameters = new URLSearchParams({
      client_id: client.client_id, redirect_uri: callback, response_type: "code", scope: scopes.join(" "), state, nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    });
    if (DPoP) parameters.set("dpop_jkt", await DPoP.calculateThumbprint());
    return { parameters, verifier, state, nonce };
  }

  async function signIn(client, authentication, DPoP) {
    const { parameters, verifier, state, nonce } = await request(client, DPoP);
    const answer = await person.go(`${as.authorization_endpoint}?${parameters}`);
    return redeem(client, authentication, answer, verifier, state, nonce, DPoP);
  }

  async function redeem(client, authentication, answer, verifier, state, nonce, DPoP) {
    const parameters = oauth.validateAuthResponse(as, client, answer, state);
    const response = await oauth.authorizationCodeGrantRequest(
      as, client, authentication, parameters, callback, verifier, { DPoP, ...insecure });
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
    await oauth.validateApplicationLevelSignature(as, response, insecure);
    return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
  }
}
