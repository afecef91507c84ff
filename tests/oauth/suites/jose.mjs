// jose: how the backend of an app checks tokens by itself.
import { createRemoteJWKSet, jwtVerify } from "jose";
import { assert, check } from "../../checks.mjs";

export async function run({ issuer, createApp }) {
  const app = await createApp("verifier", { clientType: "CLIENT_TYPE_CONFIDENTIAL" });
  const keys = createRemoteJWKSet(new URL(`${issuer}/oauth/jwks`));
  const response = await fetch(`${issuer}/oauth/token`, {
    method: "POST", body: new URLSearchParams({ grant_type: "client_credentials", client_id: app.did, client_secret: app.secret }),
  });
  const { access_token: token } = await response.json();

  await check("jose: an access token against the published keys", async () => {
    const { payload } = await jwtVerify(token, keys, { issuer, audience: issuer, typ: "at+jwt", algorithms: ["ES256"], requiredClaims: ["exp", "jti", "sub", "client_id"] });
    assert.equal(payload.sub, app.did);
  });

  await check("jose: a token with a changed claim or for somebody else is refused", async () => {
    const [header, payload, signature] = token.split(".");
    const forged = JSON.parse(Buffer.from(payload, "base64url"));
    forged.sub = "did:web:somebody";
    const changed = [header, Buffer.from(JSON.stringify(forged)).toString("base64url"), signature].join(".");
    await assert.rejects(jwtVerify(changed, keys, { issuer }), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
    await assert.rejects(jwtVerify(token, keys, { issuer, audience: "https://other.example" }), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
  });
}
