import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test, vi } from "vitest";
import type { SignInOptions } from "../../src/index.js";
import { allow, createAccount, createApp } from "./people.js";
import { Site, launch } from "./site.js";
import { stored } from "./tabs-of-notes.js";

const { url: api, data } = inject("server");
const url = api.replace("127.0.0.1", "vibe.localhost");
let browser: Browser;
let site: Site;
let app: string;
let context: BrowserContext;
let people = 0;
let handle = "";

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), Site.start("feeds")]);
  app = await createApp(api, data, site.origin);
  site.options = { url, app, auth: { scope: "timeline" } };
});
afterAll(async () => {
  await browser?.close();
  site?.stop();
});
beforeEach(async () => {
  context = await browser.newContext({ locale: "en-GB" });
  context.setDefaultTimeout(60_000);
  handle = `person-${++people}`;
});
afterEach(() => context.close());

/** A tab of the app, or of the server's pages. */
async function open(address: string = site.origin): Promise<Page> {
  const page = await context.newPage();
  await page.goto(address);
  return page;
}

// With an account and a session at the server, as after any earlier sign-in.
async function signUp(): Promise<Page> {
  const page = await open(`${url}/sign-up`);
  await createAccount(page, handle);
  await page.waitForURL(`${url}/account`);
  return page;
}

async function press(page: Page, options: SignInOptions): Promise<void> {
  await page.evaluate((text) => (document.body.dataset["signIn"] = text), JSON.stringify(options));
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function status(page: Page, wanted: string): Promise<void> {
  await page.waitForFunction((wanted) => window.vibe?.session.status === wanted, wanted);
}

const follow = (page: Page): Promise<void> => page.evaluate(() => void window.vibe.read("posts", {}, (state) => (window.live = state)));
const write = (page: Page, title: string): Promise<unknown> =>
  page.evaluate((title) => window.vibe.write("posts", { title }).then(() => undefined, (error) => error.reason), title);
const shows = (page: Page, ...titles: string[]): Promise<unknown> =>
  page.waitForFunction((titles) => window.live?.data.map(({ data }) => data["title"]).sort().join() === titles, titles.join());

async function signedInByPopup(): Promise<Page> {
  await signUp();
  const page = await open();
  const [popup] = await Promise.all([context.waitForEvent("page"), press(page, { mode: "popup" })]);
  await allow(popup, url);
  await status(page, "signedIn");
  return page;
}

test("what is written in the moment somebody signs in is theirs", async () => {
  await signUp();
  const page = await open();
  // The hub knows a visitor by now.
  await follow(page);
  await page.waitForFunction(() => window.live?.status === "live");
  await page.evaluate(() => window.vibe.onSession(({ status }) => {
    if (status !== "signedIn" || window.titles) return;
    window.titles = [];
    void window.vibe.write("posts", { title: "first words" }).then(() => window.titles!.push("kept"), (error) => window.titles!.push(error.reason));
  }));
  const [popup] = await Promise.all([context.waitForEvent("page"), press(page, { mode: "popup" })]);
  await allow(popup, url);
  await page.waitForFunction(() => window.titles?.length === 1);
  expect(await page.evaluate(() => window.titles)).toEqual(["kept"]);
  await shows(page, "first words");
});

test("a window: a new person signs up, allows, and is back in the page that was open", async () => {
  const page = await open();
  const [popup] = await Promise.all([context.waitForEvent("page"), press(page, { mode: "popup" })]);
  await popup.getByRole("button", { name: "Create an account" }).click();
  await createAccount(popup, handle);
  const closed = popup.waitForEvent("close");
  await allow(popup, url);
  await status(page, "signedIn");
  await closed;
  expect(await page.evaluate(() => window.vibe.session)).toMatchObject({
    user: { handle, name: handle }, scopes: expect.arrayContaining(["timeline", "offline_access"]),
  });
  expect(await write(page, "first")).toBeUndefined();
  await follow(page);
  await shows(page, "first");
});

test("the token is bound to a key that no script can read", async () => {
  const page = await signedInByPopup();
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
  }, `vibe ${url} ${app} session`);
  expect(extractable).toBe(false);
});

test("a device whose clock is an hour off signs in, and stays so after a reload", async () => {
  await context.addInitScript(() => {
    const right = Date.now;
    Date.now = () => right() - 3_600_000;
  });
  const page = await signedInByPopup();
  expect(await write(page, "late")).toBeUndefined();
  await page.reload();
  await status(page, "signedIn");
  await follow(page);
  await shows(page, "late");
});

test("a redirect leaves the page, comes back to where it was, and leaves no code in the address", async () => {
  await signUp();
  const page = await open(`${site.origin}/read?post=7`);
  await press(page, { mode: "redirect" });
  await page.waitForURL(`${url}/**`);
  await allow(page, url);
  await page.waitForURL(`${site.origin}/read?post=7`);
  await status(page, "signedIn");
  expect(await write(page, "back again")).toBeUndefined();
});

test("saying no is told to the page that asked", async () => {
  await signUp();
  const page = await open();
  const [popup] = await Promise.all([context.waitForEvent("page"), press(page, { mode: "popup" })]);
  await popup.getByRole("button", { name: "Cancel" }).click();
  await page.waitForFunction(() => window.failure === "ACCESS_DENIED");
  await press(page, { mode: "redirect" });
  await page.waitForURL(`${url}/**`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.waitForURL(site.origin);
  await page.waitForFunction(() => window.vibe?.session.error?.reason === "ACCESS_DENIED");
});

test("a window that the person closes is noticed, and another try works", async () => {
  await signUp();
  const page = await open();
  const [closed] = await Promise.all([context.waitForEvent("page"), press(page, { mode: "popup" })]);
  await closed.getByRole("heading", { name: "Feeds asks for access" }).waitFor();
  await closed.close();
  await page.waitForFunction(() => window.failure === "SIGN_IN_CANCELLED");
  const [popup] = await Promise.all([context.waitForEvent("page"), press(page, { mode: "popup" })]);
  await allow(popup, url);
  await status(page, "signedIn");
});

test("two people, one after the other, in one browser: the second sees nothing of the first", async () => {
  const page = await signedInByPopup();
  const first = handle;
  expect(await write(page, "of the first")).toBeUndefined();
  await follow(page);
  await shows(page, "of the first");
  expect(await stored(page)).toContain("of the first");
  await page.evaluate(() => window.vibe.signOut());
  await shows(page);
  expect(await stored(page)).not.toContain("of the first");

  // Another person takes the device; the provider's own session is theirs now.
  await context.clearCookies();
  handle = `${first}-next`;
  await signUp();
  await page.evaluate(() => {
    const { vibe } = window;
    window.titles = [];
    vibe.read("posts", {}, ({ data }) => window.titles!.push(...data.map(({ data }) => String(data["title"]))));
  });
  const [popup] = await Promise.all([context.waitForEvent("page"), press(page, { mode: "popup" })]);
  await allow(popup, url);
  await status(page, "signedIn");
  expect(await page.evaluate(() => window.vibe.session.user?.handle)).toBe(handle);
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
  await context.addInitScript(() => {
    const { fetch } = window;
    window.fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (!response.ok || !String(input).endsWith("/oauth/token")) return response;
      return Response.json({ ...await response.json() as object, expires_in: 2 }, { headers: response.headers });
    };
  });
  const used: string[] = [];
  context.on("request", (request) => {
    const token = request.url().endsWith("/oauth/token") ? new URLSearchParams(request.postData() ?? "").get("refresh_token") : null;
    if (token) used.push(token);
  });
  const [first, second] = [await signedInByPopup(), await open()];
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

test("an answer that nobody in this tab has asked for signs nobody in", async () => {
  const page = await open(`${site.origin}/callback?code=stolen&state=redirect.forged&iss=${encodeURIComponent(url)}`);
  await status(page, "signedOut");
  expect(page.url()).toBe(`${site.origin}/callback`);
});

test("an answer in the name of another provider is refused, and its code sent to nobody", async () => {
  const page = await open();
  await context.route(`${url}/oauth/authorize**`, (route) => {
    const state = new URL(route.request().url()).searchParams.get("state")!;
    const answer = new URLSearchParams({ code: "mixed-up", state, iss: "http://evil.localhost" });
    return route.fulfill({ status: 303, headers: { location: `${site.origin}/callback?${answer}` } });
  });
  const sent: string[] = [];
  context.on("request", (request) => sent.push(request.postData() ?? ""));
  await press(page, { mode: "redirect" });
  await page.waitForFunction(() => window.vibe?.session.error?.reason === "TOKEN_INVALID");
  await press(page, { mode: "popup" });
  await page.waitForFunction(() => window.failure === "TOKEN_INVALID");
  expect(sent.filter((body) => body.includes("mixed-up"))).toEqual([]);
});

test("one tap: the browser's own dialog, and no window once everything is allowed", async () => {
  const page = await signedInByPopup();
  await page.evaluate(() => window.vibe.signOut());
  await status(page, "signedOut");
  const devtools = await context.newCDPSession(page);
  await devtools.send("FedCm.enable", { disableRejectionDelay: true });
  const modes: string[] = [];
  devtools.on("FedCm.dialogShown", ({ dialogId, dialogType }) => {
    modes.push(dialogType);
    if (dialogType === "AccountChooser") void devtools.send("FedCm.selectAccount", { dialogId, accountIndex: 0 });
  });
  await press(page, {});
  await status(page, "signedIn");
  expect(modes).toEqual(["AccountChooser"]);
  expect(context.pages().filter((other) => other !== page && other.url().includes("authorize"))).toEqual([]);
  expect(await write(page, "one tap")).toBeUndefined();
});

test("one tap: when the browser has nobody, a click goes on with a window, and a page that opens with nothing", async () => {
  const page = await open();
  expect(await page.evaluate(() => window.vibe.signIn({ mode: "prompt" }))).toMatchObject({ status: "signedOut" });
  const devtools = await context.newCDPSession(page);
  await devtools.send("FedCm.enable", { disableRejectionDelay: true });
  devtools.on("FedCm.dialogShown", ({ dialogId }) => void devtools.send("FedCm.dismissDialog", { dialogId }));
  const popup = context.waitForEvent("page");
  await press(page, {});
  await (await popup).waitForURL(`${url}/**`);
});

test("one tap: who looks at the dialog and closes it is not shown a window they did not ask for", async () => {
  await signedInByPopup();
  const page = await open();
  await page.evaluate(() => window.vibe.signOut());
  const devtools = await context.newCDPSession(page);
  await devtools.send("FedCm.enable", { disableRejectionDelay: true });
  const shown = new Promise<string>((resolve) => devtools.once("FedCm.dialogShown", ({ dialogId }) => resolve(dialogId)));
  await press(page, {});
  const dialogId = await shown;
  await page.waitForFunction(() => !navigator.userActivation.isActive);
  const tabs = context.pages().length;
  await devtools.send("FedCm.dismissDialog", { dialogId });
  await page.waitForFunction(() => window.failure === "SIGN_IN_CANCELLED");
  expect(context.pages().length).toBe(tabs);
});

test("two tabs share one session: one refreshes for both at once, and one signs out for both", async () => {
  const [first, second] = [await signedInByPopup(), await open()];
  await status(second, "signedIn");
  let refreshes = 0;
  context.on("request", (request) => {
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
  const [first, second] = [await signedInByPopup(), await open()];
  await status(second, "signedIn");
  await Promise.all([follow(first), follow(second)]);
  await second.evaluate(() => {
    const { vibe } = window;
    void vibe.channels.join("app:lobby", { status: (status) => (window.channel = [...window.channel ?? [], status]) }).setPresence({});
  });
  await second.waitForFunction(() => window.channel?.at(-1) === "online");
  const revoked = first.waitForResponse((response) => response.url().endsWith("/oauth/revoke"));
  const [popup] = await Promise.all([context.waitForEvent("page"), press(first, { mode: "popup", scope: "documents:likes:write" })]);
  await allow(popup, url);
  await revoked;
  await second.waitForFunction(() => window.vibe.session.scopes.includes("documents:likes:write"));
  expect(await write(second, "still here")).toBeUndefined();
  await Promise.all([shows(first, "still here"), shows(second, "still here")]);
  await second.waitForFunction(() => window.channel!.length > 2 && window.channel!.at(-1) === "online");
  expect(await second.evaluate(() => window.channel)).not.toContain("ended");
});

test("signed out, a visitor reads what the app shows to all", async () => {
  const page = await open();
  const request = page.waitForRequest((sent) => sent.url().includes("ListDocuments"));
  const { documents } = await page.evaluate(() => window.vibe.readOnce("posts", { scope: "public" }));
  expect(documents).toEqual([]);
  const [, payload] = (await (await request).allHeaders())["authorization"]!.split(".");
  expect(JSON.parse(Buffer.from(payload!, "base64url").toString())).toMatchObject({ sub: `${app}#visitor` });
});

test("a page whose origin the app has not registered is a visitor without a token", async () => {
  const stranger = await Site.start("stranger");
  try {
    stranger.options = site.options;
    const page = await open(stranger.origin);
    const request = page.waitForRequest((sent) => sent.url().includes("ListDocuments"));
    const { documents } = await page.evaluate(() => window.vibe.readOnce("posts", { scope: "public" }));
    expect(documents).toEqual([]);
    expect(await (await request).allHeaders()).not.toHaveProperty("authorization");
  } finally {
    stranger.stop();
  }
});

test("taken back at the account page while live: the session is over, and what is left is what a visitor may see", async () => {
  const page = await signedInByPopup();
  expect(await write(page, "private")).toBeUndefined();
  await page.evaluate(async () => void await window.vibe.write("posts", { title: "for all" }, { acl: { read: { allow: ["*"] } } }));
  await follow(page);
  await shows(page, "for all", "private");
  const account = await open(`${url}/account`);
  await account.getByRole("listitem").filter({ hasText: "Feeds" }).getByRole("button", { name: "Revoke" }).click();
  await account.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await status(page, "expired");
  await page.waitForFunction(() => window.live?.status === "live" && window.live.data.map(({ data }) => data["title"]).join() === "for all");
  expect(await page.evaluate(() => window.vibe.session)).toMatchObject({ user: { handle }, error: { reason: "TOKEN_REVOKED" } });
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
  const [popup] = await Promise.all([context.waitForEvent("page"), press(page, { mode: "popup" })]);
  await allow(popup, url);
  await status(page, "signedIn");
  await shows(page, "for all", "private", "waits");
  await page.waitForFunction(() => window.live?.pendingWrites === 0);
});
