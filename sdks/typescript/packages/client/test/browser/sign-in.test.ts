// Signing in to an app, and what keeps it from being signed in by somebody else.
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { allow, createAccount } from "./people.js";
import { App, follow, press, shows, status, write } from "./person.js";
import type { Person } from "./person.js";
import { launch } from "./site.js";

const { url: api, data } = inject("server");
let browser: Browser;
let app: App;
let person: Person;

beforeAll(async () => {
  [browser, app] = await Promise.all([launch(), App.start(api, data, "feeds")]);
});
afterAll(async () => {
  await browser?.close();
  app?.site.stop();
});
beforeEach(async () => {
  person = await app.person(browser);
});
afterEach(() => person.context.close());

test("a window: a new person signs up, allows, and is back in the page that was open", async () => {
  const page = await person.open();
  const popup = await person.popup(page);
  await popup.getByRole("button", { name: "Create an account" }).click();
  await createAccount(popup, person.handle);
  const closed = popup.waitForEvent("close");
  await allow(popup, app.url);
  await status(page, "signedIn");
  await closed;
  expect(await page.evaluate(() => window.vibe.session)).toMatchObject({
    user: { handle: person.handle, name: person.handle }, scopes: expect.arrayContaining(["timeline", "offline_access"]),
  });
  expect(await write(page, "first")).toBeUndefined();
  await follow(page);
  await shows(page, "first");
});

test("a device whose clock is an hour off signs in, and stays so after a reload", async () => {
  await person.context.addInitScript(() => {
    const right = Date.now;
    Date.now = () => right() - 3_600_000;
  });
  const page = await person.signedIn();
  expect(await write(page, "late")).toBeUndefined();
  await page.reload();
  await status(page, "signedIn");
  await follow(page);
  await shows(page, "late");
});

test("a redirect leaves the page, comes back to where it was, and leaves no code in the address", async () => {
  await person.signUp();
  const page = await person.open(`${app.site.origin}/read?post=7`);
  await press(page, { mode: "redirect" });
  await page.waitForURL(`${app.url}/**`);
  await allow(page, app.url);
  await page.waitForURL(`${app.site.origin}/read?post=7`);
  await status(page, "signedIn");
  expect(await write(page, "back again")).toBeUndefined();
});

test("saying no is told to the page that asked", async () => {
  await person.signUp();
  const page = await person.open();
  const popup = await person.popup(page);
  await popup.getByRole("button", { name: "Cancel" }).click();
  await page.waitForFunction(() => window.failure === "ACCESS_DENIED");
  await press(page, { mode: "redirect" });
  await page.waitForURL(`${app.url}/**`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.waitForURL(app.site.origin);
  await page.waitForFunction(() => window.vibe?.session.error?.reason === "ACCESS_DENIED");
});

test("a window that the person closes is noticed, and another try works", async () => {
  await person.signUp();
  const page = await person.open();
  const closed = await person.popup(page);
  await closed.getByRole("heading", { name: "Feeds asks for access" }).waitFor();
  await closed.close();
  await page.waitForFunction(() => window.failure === "SIGN_IN_CANCELLED");
  await person.allowInPopup(page);
  await status(page, "signedIn");
});

test("an answer that nobody in this tab has asked for signs nobody in", async () => {
  const page = await person.open(`${app.site.origin}/callback?code=stolen&state=redirect.forged&iss=${encodeURIComponent(app.url)}`);
  await status(page, "signedOut");
  expect(page.url()).toBe(`${app.site.origin}/callback`);
});

test("an answer in the name of another provider is refused, and its code sent to nobody", async () => {
  const page = await person.open();
  await person.context.route(`${app.url}/oauth/authorize**`, (route) => {
    const state = new URL(route.request().url()).searchParams.get("state")!;
    const answer = new URLSearchParams({ code: "mixed-up", state, iss: "http://evil.localhost" });
    return route.fulfill({ status: 303, headers: { location: `${app.site.origin}/callback?${answer}` } });
  });
  const sent: string[] = [];
  person.context.on("request", (request) => sent.push(request.postData() ?? ""));
  await press(page, { mode: "redirect" });
  await page.waitForFunction(() => window.vibe?.session.error?.reason === "TOKEN_INVALID");
  await press(page, { mode: "popup" });
  await page.waitForFunction(() => window.failure === "TOKEN_INVALID");
  expect(sent.filter((body) => body.includes("mixed-up"))).toEqual([]);
});

test("one tap: the browser's own dialog, and no window once everything is allowed", async () => {
  const page = await person.signedIn();
  await page.evaluate(() => window.vibe.signOut());
  await status(page, "signedOut");
  const devtools = await person.context.newCDPSession(page);
  await devtools.send("FedCm.enable", { disableRejectionDelay: true });
  const modes: string[] = [];
  devtools.on("FedCm.dialogShown", ({ dialogId, dialogType }) => {
    modes.push(dialogType);
    if (dialogType === "AccountChooser") void devtools.send("FedCm.selectAccount", { dialogId, accountIndex: 0 });
  });
  await press(page, {});
  await status(page, "signedIn");
  expect(modes).toEqual(["AccountChooser"]);
  expect(person.context.pages().filter((other) => other !== page && other.url().includes("authorize"))).toEqual([]);
  expect(await write(page, "one tap")).toBeUndefined();
});

test("one tap: when the browser has nobody, a click goes on with a window, and a page that opens with nothing", async () => {
  const page = await person.open();
  expect(await page.evaluate(() => window.vibe.signIn({ mode: "prompt" }))).toMatchObject({ status: "signedOut" });
  const devtools = await person.context.newCDPSession(page);
  await devtools.send("FedCm.enable", { disableRejectionDelay: true });
  devtools.on("FedCm.dialogShown", ({ dialogId }) => void devtools.send("FedCm.dismissDialog", { dialogId }));
  const popup = person.context.waitForEvent("page");
  await press(page, {});
  await (await popup).waitForURL(`${app.url}/**`);
});

test("one tap: who looks at the dialog and closes it is not shown a window they did not ask for", async () => {
  await person.signedIn();
  const page = await person.open();
  await page.evaluate(() => window.vibe.signOut());
  const devtools = await person.context.newCDPSession(page);
  await devtools.send("FedCm.enable", { disableRejectionDelay: true });
  const shown = new Promise<string>((resolve) => devtools.once("FedCm.dialogShown", ({ dialogId }) => resolve(dialogId)));
  await press(page, {});
  const dialogId = await shown;
  await page.waitForFunction(() => !navigator.userActivation.isActive);
  const tabs = person.context.pages().length;
  await devtools.send("FedCm.dismissDialog", { dialogId });
  await page.waitForFunction(() => window.failure === "SIGN_IN_CANCELLED");
  expect(person.context.pages().length).toBe(tabs);
});
