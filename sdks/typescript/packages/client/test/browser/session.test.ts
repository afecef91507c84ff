// What holds while somebody is signed in, and for the next person: in all tabs, over refreshes, until it is taken back.
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test, vi } from "vitest";
import { App, follow, shows, status, write } from "./person.js";
import type { Person } from "./person.js";
import { Site, launch } from "./site.js";
import { stored } from "./tabs-of-notes.js";

const { url: api, data } = inject("server");
let browser: Browser;
let app: App;
let person: Person;

beforeAll(async () => {
  [browser, app] = await Promise.all([launch(), App.start(api, data, "posts")]);
});
afterAll(async () => {
  await browser?.close();
  app?.site.stop();
});
beforeEach(async () => {
  person = await app.person(browser);
});
afterEach(() => person.context.close());

test("what is written in the moment somebody signs in is theirs", async () => {
  await person.signUp();
  const page = await person.open();
  // The hub knows a visitor by now.
  await follow(page);
  await page.waitForFunction(() => window.live?.status === "live");
  await page.evaluate(() => window.vibe.onSession(({ status }) => {
    if (status !== "signedIn" || window.titles) return;
    window.titles = [];
    void window.vibe.write("posts", { title: "first words" }).then(() => window.titles!.push("kept"), (error) => window.titles!.push(error.reason));
  }));
  await person.allowInPopup(page);
  await page.waitForFunction(() => window.titles?.length === 1);
  expect(await page.evaluate(() => window.titles)).toEqual(["kept"]);
  await shows(page, "first words");
});

test("the token is bound to a key that no script can read", async () => {
  const page = await person.signedIn();
  const request = page.waitForRequest((sent) => sent.url().includes("CreateDocument") || sent.url().includes("ListDocuments"));
  await page.evaluate(() => window.vibe.readOnce("posts"));
  const headers = await (await request).allHeaders();
  expect(headers["authorization"]).toMatch(/^DPoP /);
  // Without the key the token is worth nothing.
  const stolen = await fetch(`${api}/v1/documents?collection=posts`, { headers: { authorization: headers["authorization"]!.replace("DPoP", "Bearer") } });
  expect(stolen.status).toBe(401);
  const extractable = await page.evaluate(async (name) => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => resolve(request.result);
    });
    return new Promise((resolve) => {
      const request = database.transaction("meta").objectStore("meta").get("session");
      request.onsuccess = () => resolve((request.result as { key: CryptoKeyPair }).key.privateKey.extractable);
    });
  }, `vibe ${app.url} ${app.did} session`);
  expect(extractable).toBe(false);
});

test("two people, one after the other, in one browser: the second sees nothing of the first", async () => {
  const page = await person.signedIn();
  const first = person.handle;
  expect(await write(page, "of the first")).toBeUndefined();
  await follow(page);
  await shows(page, "of the first");
  expect(await stored(page)).toContain("of the first");
  await page.evaluate(() => window.vibe.signOut());
  await shows(page);
  expect(await stored(page)).not.toContain("of the first");

  // Another person takes the device; the provider's own session is theirs now.
  await person.context.clearCookies();
  person.handle = `${first}-next`;
  await person.signUp();
  await page.evaluate(() => {
    const { vibe } = window;
    window.titles = [];
    vibe.read("posts", {}, ({ data }) => window.titles!.push(...data.map(({ data }) => String(data["title"]))));
  });
  await person.allowInPopup(page);
  await status(page, "signedIn");
  expect(await page.evaluate(() => window.vibe.session.user?.handle)).toBe(person.handle);
  expect(await write(page, "of the second")).toBeUndefined();
  await shows(page, "of the second");
  expect(await page.evaluate(() => window.titles)).not.toContain("of the first");
  await page.reload();
  await follow(page);
  await shows(page, "of the second");
  expect(await stored(page)).not.toContain("of the first");
});

test("tokens of a few seconds: two tabs stay live and go on writing, each refresh token is used once", async () => {
  // The server's tokens, said to be used up sooner.
  await person.context.addInitScript(() => {
    const { fetch } = window;
    window.fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (!response.ok || !String(input).endsWith("/oauth/token")) return response;
      return Response.json({ ...await response.json() as object, expires_in: 2 }, { headers: response.headers });
    };
  });
  const used: string[] = [];
  person.context.on("request", (request) => {
    const token = request.url().endsWith("/oauth/token") ? new URLSearchParams(request.postData() ?? "").get("refresh_token") : null;
    if (token) used.push(token);
  });
  const [first, second] = [await person.signedIn(), await person.open()];
  await status(second, "signedIn");
  await Promise.all([follow(first), follow(second)]);
  const titles: string[] = [];
  // As long as it takes for several tokens to be used up.
  await vi.waitFor(async () => {
    titles.push(`note ${titles.length}`);
    expect(await write(titles.length % 2 ? first : second, titles.at(-1)!)).toBeUndefined();
    expect(used.length).toBeGreaterThanOrEqual(4);
  }, { timeout: 60_000, interval: 200 });
  await Promise.all([shows(first, ...titles.toSorted()), shows(second, ...titles.toSorted())]);
  expect(new Set(used).size).toBe(used.length);
  await Promise.all([status(first, "signedIn"), status(second, "signedIn")]);
});

test("two tabs share one session: one refreshes for both at once, and one signs out for both", async () => {
  const [first, second] = [await person.signedIn(), await person.open()];
  await status(second, "signedIn");
  let refreshes = 0;
  person.context.on("request", (request) => {
    if (request.postData()?.includes("refresh_token=")) refreshes++;
  });
  // What the server refuses as expired makes each tab ask for another token, at the same time.
  const both = await Promise.all([first, second].map((page) => page.evaluate(async () => {
    const token = (window.vibe as unknown as { token(request: object): Promise<string> }).token;
    return [await token({ refresh: true }), await token({ refresh: false })];
  })));
  expect(new Set(both.flat()).size).toBe(1);
  expect(refreshes).toBe(1);
  expect(await Promise.all([write(first, "a"), write(second, "b")])).toEqual([undefined, undefined]);
  await Promise.all([follow(first), follow(second)]);
  await Promise.all([shows(first, "a", "b"), shows(second, "a", "b")]);
  await first.evaluate(() => window.vibe.signOut());
  await Promise.all([status(first, "signedOut"), status(second, "signedOut")]);
  await Promise.all([shows(first), shows(second)]);
});

test("allowing more in one tab: the session is another one, and what the other tab shows and says goes on", async () => {
  const [first, second] = [await person.signedIn(), await person.open()];
  await status(second, "signedIn");
  await Promise.all([follow(first), follow(second)]);
  await second.evaluate(() => {
    const { vibe } = window;
    void vibe.channels.join("app:lobby", { status: (status) => (window.channel = [...window.channel ?? [], status]) }).setPresence({});
  });
  await second.waitForFunction(() => window.channel?.at(-1) === "online");
  const revoked = first.waitForResponse((response) => response.url().endsWith("/oauth/revoke"));
  await person.allowInPopup(first, { scope: "documents:likes:write" });
  await revoked;
  await second.waitForFunction(() => window.vibe.session.scopes.includes("documents:likes:write"));
  expect(await write(second, "still here")).toBeUndefined();
  await Promise.all([shows(first, "still here"), shows(second, "still here")]);
  await second.waitForFunction(() => window.channel!.length > 2 && window.channel!.at(-1) === "online");
  expect(await second.evaluate(() => window.channel)).not.toContain("ended");
});

test("signed out, a visitor reads what the app shows to all", async () => {
  const page = await person.open();
  const request = page.waitForRequest((sent) => sent.url().includes("ListDocuments"));
  const { documents } = await page.evaluate(() => window.vibe.readOnce("posts", { scope: "public" }));
  expect(documents).toEqual([]);
  const [, payload] = (await (await request).allHeaders())["authorization"]!.split(".");
  expect(JSON.parse(Buffer.from(payload!, "base64url").toString())).toMatchObject({ sub: `${app.did}#visitor` });
});

test("a page whose origin the app has not registered is a visitor without a token", async () => {
  const stranger = await Site.start("stranger");
  try {
    stranger.options = app.site.options;
    const page = await person.open(stranger.origin);
    const request = page.waitForRequest((sent) => sent.url().includes("ListDocuments"));
    const { documents } = await page.evaluate(() => window.vibe.readOnce("posts", { scope: "public" }));
    expect(documents).toEqual([]);
    expect(await (await request).allHeaders()).not.toHaveProperty("authorization");
  } finally {
    stranger.stop();
  }
});

test("taken back at the account page while live: the session is over, and what is left is what a visitor may see", async () => {
  const page = await person.signedIn();
  expect(await write(page, "private")).toBeUndefined();
  await page.evaluate(async () => void await window.vibe.write("posts", { title: "for all" }, { acl: { read: { allow: ["*"] } } }));
  await follow(page);
  await shows(page, "for all", "private");
  const account = await person.open(`${app.url}/account`);
  await account.getByRole("listitem").filter({ hasText: "Posts" }).getByRole("button", { name: "Revoke" }).click();
  await account.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await status(page, "expired");
  await page.waitForFunction(() => window.live?.status === "live" && window.live.data.map(({ data }) => data["title"]).join() === "for all");
  expect(await page.evaluate(() => window.vibe.session)).toMatchObject({ user: { handle: person.handle }, error: { reason: "TOKEN_REVOKED" } });
  const { documents } = await page.evaluate(() => window.vibe.readOnce("posts", { scope: "public" }));
  expect(documents.map(({ data }) => data["title"])).toEqual(["for all"]);
  // The server is not asked on behalf of who is gone: what is written waits, what needs an answer is refused.
  expect(await page.evaluate(() => window.vibe.documents.createDocument({ document: { collection: "posts", data: {} } }).catch((error) => error.reason))).toBe("TOKEN_REVOKED");
  await page.evaluate(async () => void await window.vibe.write("posts", { title: "waits" }).queued);
  // After a reload too, nothing of the person's is shown.
  await page.reload();
  await follow(page);
  await page.waitForFunction(() => window.live?.status === "live" && window.live.pendingWrites === 1);
  expect(await page.evaluate(() => window.live!.data.map(({ data }) => data["title"]))).not.toContain("private");
  // Signing in again goes on as before.
  await person.allowInPopup(page);
  await status(page, "signedIn");
  await shows(page, "for all", "private", "waits");
  await page.waitForFunction(() => window.live?.pendingWrites === 0);
});
