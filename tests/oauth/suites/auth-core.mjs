// @auth/core: sign-in for web frameworks, with its own session behind it.
import { Auth } from "@auth/core";
import { assert, check } from "../../checks.mjs";

const site = "https://rp.example";

export async function run({ issuer, createApp }, person) {
  const app = await createApp("framework", { clientType: "CLIENT_TYPE_CONFIDENTIAL" });
  const cookies = new Map();
  const config = {
    basePath: "/api/auth", trustHost: true, secret: "a secret of the site",
    providers: [{
      id: "vibe", name: "Vibe", type: "oidc", issuer, clientId: app.did, clientSecret: app.secret, checks: ["pkce", "state", "nonce"],    }],
  };

  await check("@auth/core: from sign-in to a session of its own", async () => {
    const { csrfToken } = await (await visit("/csrf")).json();
    const start = await visit("/signin/vibe", new URLSearchParams({ csrfToken }));
    const answer = await person.go(start.headers.get("location"));
    const done = await visit(`/callback/vibe${answer.search}`);
    assert.equal(done.headers.get("location"), site);
    const session = await (await visit("/session")).json();
    assert.equal(session.user.name, "A Person");
  });

  async function visit(path, form) {
    const request = new Request(`${site}/api/auth${path}`, {
      method: form ? "POST" : "GET", body: form,
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    const response = await Auth(request, config);
    for (const cookie of response.headers.getSetCookie()) {
      const [name, value] = cookie.split(";")[0].split(/=(.*)/s);
      cookies.set(name, value);
    }
    return response;
  }
}
