// The server under test, an app of each kind, and a person with a browser: without a screen, but with cookies.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { execute, freePort, newFolder, root, startServer } from "../processes.mjs";

const vibe = `${root}scripts/vibe`;
export const callback = "https://rp.example/callback";
const authCallback = "https://rp.example/api/auth/callback/vibe";
export const scopes = ["openid", "profile", "offline_access", "documents:notes:write"];

export async function startProvider() {
  const folder = newFolder("oauth");
  const data = `${folder}/data`;
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`; // Node does not know names under localhost.
  const server = await startServer(vibe, ["serve", "--port", `${port}`, "--data", data], { env: { ...process.env, VIBE_PUBLIC_URL: issuer } });
  const token = (await execute(vibe, ["token", "--user", "owner", "--scope", "account", "--data", data])).stdout.trim();
  const call = async (path, body) => {
    const response = await fetch(issuer + path, {
      method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(body),
    });
    const answer = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer));
    return answer;
  };
  return {
    issuer,
    // Registers an app; a confidential one gets a secret, or takes a public key.
    async createApp(name, manifest, publicKey) {
      const app = await call("/v1/apps", {
        name,
        manifest: {
          displayName: `The ${name} app`, redirectUris: [callback, authCallback], origins: ["https://rp.example"],
          scopes: [{ name: "documents:notes:write", descriptions: { en: "Keep your notes" } }], ...manifest,
        },
      });
      if (manifest?.clientType !== "CLIENT_TYPE_CONFIDENTIAL") return { did: app.did };
      const credential = await call(`/v1/apps/${name}/credentials`, publicKey ? { jwk: publicKey } : {});
      return { did: app.did, secret: credential.secret };
    },
    async stop() {
      server.kill("SIGTERM");
      await server.ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// Somebody who has an account and allows what they are asked.
export class Person {
  #cookies = new Map();

  constructor(issuer) {
    this.issuer = issuer;
  }

  static async signUp(issuer, handle) {
    const person = new Person(issuer);
    await person.post("/auth/password/sign-up", { handle, displayName: "A Person", password: "correct horse battery staple" });
    return person;
  }

  async fetch(url, options = {}) {
    const headers = { ...options.headers, cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
    const response = await fetch(new URL(url, this.issuer), { ...options, headers, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) {
      const [name, ...value] = cookie.split(";")[0].split("=");
      if (/max-age=0/i.test(cookie)) this.#cookies.delete(name);
      else this.#cookies.set(name, value.join("="));
    }
    return response;
  }

  async post(path, body) {
    const response = await this.fetch(path, {
      method: "POST", headers: { origin: this.issuer, "content-type": "application/json" }, body: JSON.stringify(body),
    });
    const answer = await response.json();
    assert.equal(response.status, 200, `${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  // Follows an app's address through the provider, and stops where it leaves it.
  async go(url) {
    for (let steps = 0; steps < 10; steps++) {
      const response = await this.fetch(url);
      assert.equal(response.status, 303, `${url}: ${response.status} ${await response.text()}`);
      const next = new URL(response.headers.get("location"), this.issuer);
      if (next.origin !== this.issuer) return next;
      url = next.href;
      if (next.pathname === "/consent") url = await this.#allow(next.searchParams.get("request"));
    }
    throw new Error("round in circles");
  }

  async #allow(request) {
    const { asks } = await (await this.fetch(`/auth/requests/${request}`)).json();
    return (await this.post(`/auth/requests/${request}:decide`, { allow: true, scopes: asks.map((ask) => ask.name) })).redirectUri;
  }
}
