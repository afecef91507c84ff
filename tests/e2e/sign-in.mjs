// Signing in to an app as a person does, in headless Chromium with a virtual authenticator: accounts, consent, one's own account
// page; the pages in light, dark and on a phone, checked for accessibility. SCREENSHOTS=DIR keeps pictures of them. Ends with:
// N passed, N failed.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { assert, check, conclude } from "../checks.mjs";
import { execute, freePort, newFolder, pause, root, startServer } from "../processes.mjs";
import { allow, complaintsOf, fits, isAccessible, launch, picture } from "./browser.mjs";
import { oneTap } from "./one-tap.mjs";
import { RelyingParty } from "./relying-party.mjs";

const looks = [
  { name: "light", viewport: { width: 1100, height: 860 }, colorScheme: "light" },
  { name: "dark", viewport: { width: 1100, height: 860 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true, isMobile: true },
];

const folder = newFolder("sign-in");
const data = `${folder}/data`;
const port = await freePort();
const url = `http://vibe.localhost:${port}`;
const api = `http://127.0.0.1:${port}`; // Node does not know names under localhost.
const server = await startServer(`${root}scripts/vibe`, ["serve", "--port", `${port}`, "--data", data]);
const site = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>Feeds</title><h1>Feeds</h1>")).listen(0, "127.0.0.1");
await once(site, "listening");
const feeds = `http://feeds.localhost:${site.address().port}`;
const browser = await launch();
try {
  const owner = (await execute(`${root}scripts/vibe`, ["token", "--user", "owner", "--scope", "account", "--data", data])).stdout.trim();
  const app = await RelyingParty.register(url, api, owner, feeds);
  await signsUpAndIn(app);
  await otherWays(app);
  await oneTap(await open(), app);
  await keepsOut(app);
  for (const look of looks) await looksRight(app, look);
} finally {
  await browser.close();
  site.close();
  server.kill("SIGTERM");
  await server.ended;
  rmSync(folder, { recursive: true, force: true });
}
conclude();

async function open(look = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...look });
  const page = await context.newPage();
  context.setDefaultTimeout(60_000);
  page.complaints = complaintsOf(page);
  page.devtools = await context.newCDPSession(page);
  await page.devtools.send("WebAuthn.enable", { enableUI: false });
  return page;
}

async function givePasskeys(page) {
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true, defaultBackupEligibility: true };
  page.authenticator = (await page.devtools.send("WebAuthn.addVirtualAuthenticator", { options })).authenticatorId;
}

async function signsUpAndIn(app) {
  const page = await open();
  await givePasskeys(page);
  let tokens;
  await check("a new person: handle, passkey, consent on the same page, back in the app with tokens", async () => {
    const started = await app.begin(page);
    await page.getByRole("button", { name: "Create an account" }).click();
    await page.getByLabel("Handle").fill("alice");
    await page.getByLabel("Name", { exact: true }).fill("Alice Anders");
    await page.getByRole("button", { name: "Create with a passkey" }).click();
    await allow(page);
    tokens = await app.finish(page, started);
    assert.deepEqual(tokens.scope.split(" ").sort(), ["documents:likes:write", "offline_access", "openid", "profile", "timeline"]);
    assert.equal((await app.write(tokens, "posts")).status, 200);
    assert.equal((await app.write(tokens, "notes")).status, 403);
  });
  await check("a person who has allowed it all is back at once, without a page", async () => {
    const started = await app.begin(page);
    await app.finish(page, started);
  });
  await check("a new scope: only what is missing is asked for, and may be unticked", async () => {
    const started = await app.begin(page, { scope: "openid timeline documents:likes:write documents:notes:read" });
    await page.getByText("Read your notes").waitFor();
    assert.equal(await page.getByRole("checkbox").count(), 1);
    await page.getByRole("checkbox").uncheck();
    await allow(page);
    const narrower = await app.finish(page, started);
    assert.ok(!narrower.scope.includes("notes"));
  });
  await check("saying no brings the app access_denied", async () => {
    const started = await app.begin(page, { prompt: "consent" });
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.deepEqual(await app.finish(page, started), { error: "access_denied" });
  });
  await check("signed out, a passkey signs in again", async () => {
    await page.goto(`${url}/account`);
    await page.getByRole("button", { name: "Sign out" }).first().click();
    await page.waitForURL(`${url}/sign-in`);
    const started = await app.begin(page);
    // The browser offers its passkey in the field by itself; a virtual one is picked at once. Otherwise the button does it.
    await Promise.race([page.waitForURL(`${feeds}/callback**`), page.getByRole("button", { name: "Continue with a passkey" }).click().catch(() => {})]);
    await app.finish(page, started);
  });
  await check("the account page shows the app; revoking it ends its tokens", async () => {
    await page.goto(`${url}/account`);
    const row = page.getByRole("listitem").filter({ hasText: "Feeds" });
    await row.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("No app has access to your data.").waitFor();
    await app.untilRefused(tokens);
    assert.deepEqual(page.complaints, []);
  });
  await page.context().close();
}

async function otherWays(app) {
  const page = await open();
  await check("an account with a password, and signing in with it", async () => {
    const started = await app.begin(page);
    await page.getByRole("button", { name: "Create an account" }).click();
    await page.getByLabel("Handle").fill("bob");
    await page.getByRole("button", { name: "Use a password instead" }).click();
    await page.getByLabel("New password").fill("correct horse battery");
    await page.getByRole("button", { name: "Create account" }).click();
    await allow(page);
    await app.finish(page, started);
    await page.context().clearCookies();
    const again = await app.begin(page);
    await page.getByLabel("Handle or e-mail address").fill("bob");
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("That did not work").waitFor();
    await page.getByLabel("Password").fill("correct horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await app.finish(page, again);
  });
  await check("a link by e-mail, in the browser that asked for it", async () => {
    await page.goto(`${url}/account`);
    await page.getByLabel("Add an address").fill("bob@example.org");
    await page.getByRole("button", { name: "Add an address" }).click();
    await page.getByText("A link is on its way to bob@example.org").waitFor();
    await page.goto(await mailedLink());
    await page.getByRole("button", { name: "Continue" }).click();
    await page.waitForURL(`${url}/account`);
    await page.getByText("bob@example.org").waitFor();
    await page.getByRole("button", { name: "Sign out" }).first().click();
    await page.waitForURL(`${url}/sign-in`);
    const started = await app.begin(page);
    await page.getByLabel("Handle or e-mail address").fill("bob@example.org");
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await page.getByRole("button", { name: "Send me a link by e-mail" }).click();
    await page.getByRole("heading", { name: "Look into your mail" }).waitFor();
    await page.goto(await mailedLink());
    await page.getByRole("button", { name: "Continue" }).click();
    await app.finish(page, started);
  });
  await check("recovery codes are shown once and sign in once", async () => {
    await page.goto(`${url}/sign-in?return=/account&again`);
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await page.getByLabel("Password").fill("correct horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${url}/account`);
    await page.getByRole("button", { name: "Make new codes" }).click();
    const code = await page.getByRole("dialog").getByRole("listitem").first().innerText();
    await page.getByRole("button", { name: "Done" }).click();
    await page.context().clearCookies();
    await page.goto(`${url}/sign-in`);
    await page.getByRole("button", { name: "Use a recovery code" }).click();
    await page.getByLabel("Handle or e-mail address").fill("bob");
    await page.getByLabel("Recovery code").fill(code);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${url}/account`);
  });
  await check("a device without a keyboard: its code is typed here", async () => {
    const { answer: device } = await app.post("/oauth/device_authorization", { scope: "openid timeline" });
    await page.goto(device.verification_uri);
    await page.getByLabel("Code shown on the device").fill(device.user_code);
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await page.getByText("Feeds on a device wants to use your account.").waitFor();
    await allow(page);
    await page.getByRole("heading", { name: "The device is connected" }).waitFor();
    const { answer: tokens } = await app.post("/oauth/token", { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: device.device_code });
    assert.equal((await app.write(tokens, "posts")).status, 200, JSON.stringify(tokens));
  });
  await check("everything can be downloaded, and the account deleted", async () => {
    await page.goto(`${url}/account`);
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download everything" }).click()]);
    const lines = readFileSync(await file.path(), "utf8").trim().split("\n").map((line) => JSON.parse(line));
    assert.match(JSON.stringify(lines), /"bob"/);
    await page.getByRole("button", { name: "Delete account" }).click();
    await page.getByLabel("Type your handle to confirm").fill("bob");
    await page.getByRole("dialog").getByRole("button", { name: "Delete account" }).click();
    await page.waitForURL(`${url}/sign-up`);
  });
  await page.context().close();
}

// The latest link among the mails that the server has written down; there may be notices too.
async function mailedLink() {
  for (let tries = 0; tries < 100; tries++) {
    for (const name of readdirSync(`${data}/mail`).filter((file) => file.endsWith(".eml")).sort().reverse()) {
      const [head, ...body] = readFileSync(`${data}/mail/${name}`, "utf8").split("\r\n\r\n");
      rmSync(`${data}/mail/${name}`);
      const text = body.join("\n\n");
      const plain = /transfer-encoding: base64/i.test(head) ? Buffer.from(text, "base64").toString() : text.replaceAll("=\r\n", "").replaceAll("=3D", "=");
      const link = /http:\/\/\S+\/sign-in\/mail#[\w-]+/.exec(plain);
      if (link) return link[0];
    }
    await pause(50);
  }
  throw new Error("no mail with a link");
}

async function keepsOut(app) {
  const page = await open();
  await check("the pages are shown in no frame", async () => {
    await page.goto(feeds);
    for (const path of ["/sign-in", "/consent", "/account", "/device"]) {
      const [response] = await Promise.all([
        page.waitForResponse((answer) => answer.url().startsWith(url)).catch(() => null),
        page.evaluate((address) => { const frame = document.createElement("iframe"); frame.src = address; document.body.append(frame); }, `${url}${path}`),
      ]);
      assert.match(response?.headers()["content-security-policy"] ?? "frame-ancestors 'none'", /frame-ancestors 'none'/);
      await pause(200);
      assert.ok(!page.frames().some((frame) => frame.url().startsWith(url) && frame !== page.mainFrame()), `${path} is shown in a frame`);
    }
  });
  await check("an address that is not the app's gets no redirect", async () => {
    await app.begin(page, { redirect_uri: "http://evil.localhost/callback" });
    assert.equal(new URL(page.url()).origin, url);
    await page.getByRole("heading").first().waitFor();
  });
  await check("a quick second click allows nothing", async () => {
    const mallory = await open();
    await givePasskeys(mallory);
    await app.begin(mallory);
    await mallory.getByRole("button", { name: "Create an account" }).click();
    await mallory.getByLabel("Handle").fill("carol");
    await mallory.getByRole("button", { name: "Create with a passkey" }).click();
    await mallory.evaluate(() => new Promise((resolve) => {
      const watch = new MutationObserver(() => {
        const button = [...document.querySelectorAll("button")].find((one) => one.textContent === "Allow");
        if (button) { watch.disconnect(); button.click(); resolve(); }
      });
      watch.observe(document.body, { childList: true, subtree: true });
    }));
    await pause(300);
    assert.ok(mallory.url().startsWith(url), "the early click was taken");
    await mallory.context().close();
  });
  await page.context().close();
}

async function looksRight(app, look) {
  const page = await open(look);
  await givePasskeys(page);
  const sound = async (name) => {
    await picture(page, `${name}-${look.name}`, { fullPage: name === "account" });
    await fits(page, name);
    assert.deepEqual(await page.getByRole("alert").allInnerTexts().then((texts) => texts.filter(Boolean)), []);
    await page.devtools.send("Page.setBypassCSP", { enabled: true });
    await isAccessible(page, name);
    assert.deepEqual(page.complaints, []);
  };
  await check(`${look.name}: every page fits, is legible and accessible`, async () => {
    const started = await app.begin(page);
    await page.getByRole("button", { name: "Continue with a passkey" }).waitFor();
    await sound("sign-in");
    await page.getByLabel("Handle or e-mail address").fill("nobody");
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await sound("password");
    await page.getByRole("button", { name: "Back" }).click();
    await page.getByRole("button", { name: "Create an account" }).click();
    await sound("sign-up");
    await page.getByLabel("Handle").fill(`dora-${look.name}`);
    await page.getByRole("button", { name: "Create with a passkey" }).click();
    await page.getByRole("heading", { name: "Feeds asks for access" }).waitFor();
    await sound("consent");
    await allow(page);
    await app.finish(page, started);
    await page.goto(`${url}/account`);
    await page.getByRole("button", { name: "Delete account" }).waitFor();
    await sound("account");
    await page.goto(`${url}/device`);
    await page.getByLabel("Code shown on the device").waitFor();
    await sound("device");
  });
  await check(`${look.name}: German too`, async () => {
    await page.goto(`${url}/device`);
    await page.getByLabel("Language").selectOption("de");
    await page.getByRole("heading", { name: "Gerät verbinden" }).waitFor();
    await sound("device-de");
  });
  await page.context().close();
}
