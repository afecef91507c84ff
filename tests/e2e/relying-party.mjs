// An app that people sign in to, as a site of its own and without our SDK.
import { createHash, randomBytes } from "node:crypto";
import { assert } from "../checks.mjs";

export class RelyingParty {
  // url: the server as browsers know it; api: as Node does, which does not know names under localhost.
  static async register(url, api, token, origin) {
    const response = await fetch(`${api}/v1/apps`, {
      method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({
        name: "feeds",
        manifest: {
          displayName: "Feeds", description: "A small social feed for you and your friends.", homepageUri: origin, policyUri: `${origin}/privacy`,
          origins: [origin], redirectUris: [`${origin}/callback`],
          scopes: [
            { name: "timeline", grants: ["documents:posts:write"], descriptions: { en: "Show your posts to your followers", de: "Deine Beiträge zeigen" }, required: true },
            { name: "documents:likes:write", descriptions: { en: "Remember what you like" } },
            { name: "documents:notes:read", descriptions: { en: "Read your notes" } },
          ],
        },
      }),
    });
    const app = await response.json();
    assert.equal(response.status, 200, JSON.stringify(app));
    return Object.assign(new RelyingParty(), { url, api, origin, did: app.did });
  }

  // Sends the browser to the provider; `finish` reads the answer and trades the code for tokens.
  async begin(page, parameters = {}) {
    const state = randomBytes(8).toString("hex");
    const { verifier, challenge } = this.prove();
    const query = new URLSearchParams({
      client_id: this.did, response_type: "code", redirect_uri: `${this.origin}/callback`, scope: "openid profile timeline documents:likes:write offline_access", state,
      ...challenge, ...parameters,
    });
    await page.goto(`${this.url}/oauth/authorize?${query}`);
    return { verifier, state };
  }

  async finish(page, { verifier, state }) {
    await page.waitForURL(`${this.origin}/callback**`);
    const answer = new URL(page.url()).searchParams;
    assert.equal(answer.get("state"), state);
    assert.equal(answer.get("iss"), this.url);
    if (answer.has("error")) return { error: answer.get("error") };
    return this.redeem({ code: answer.get("code"), code_verifier: verifier, redirect_uri: `${this.origin}/callback` });
  }

  // PKCE: what the code is redeemed with, and what is sent before.
  prove() {
    const verifier = randomBytes(32).toString("base64url");
    return { verifier, challenge: { code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256" } };
  }

  async redeem(fields) {
    const { status, answer } = await this.post("/oauth/token", { grant_type: "authorization_code", ...fields });
    assert.equal(status, 200, JSON.stringify(answer));
    return answer;
  }

  async post(path, fields) {
    const response = await fetch(`${this.api}${path}`, { method: "POST", body: new URLSearchParams({ client_id: this.did, ...fields }) });
    return { status: response.status, answer: await response.json() };
  }

  write(tokens, collection) {
    return fetch(`${this.api}/v1/documents`, {
      method: "POST", headers: { authorization: `Bearer ${tokens.access_token}`, "content-type": "application/json" }, body: JSON.stringify({ collection, data: {} }),
    });
  }

  async untilRefused(tokens) {
    const until = Date.now() + 60_000;
    while ((await this.write(tokens, "posts")).status !== 401) assert.ok(Date.now() < until, "the token still works");
  }
}
