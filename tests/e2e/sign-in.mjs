// Signing in to an app as a person does, in headless Chromium with a virtual authenticator: accounts, consent, one's own account
// page; the pages in light, dark and on a phone, checked for accessibility. SCREENSHOTS=DIR keeps pictures of them. Ends with:
// N passed, N failed.
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { assert, check, totals } from "../conformance/checks.mjs";
import { execute, freePort, pause, root, startServer } from "../processes.mjs";
import { contrastFaults } from "./contrast.mjs";

const require = createRequire(`${root}tests/conformance/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const looks = [
  { name: "light", viewport: { width: 1100, height: 860 }, colorScheme: "light" },
  { name: "dark", viewport: { width: 1100, height: 860 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true, isMobile: true },
];

const folder = mkdtempSync(`${tmpdir()}/vibe-sign-in-`);
chmodSync(folder, 0o755); // The database does not run as root: its user must get in.
const data = `${folder}/data`;
const port = await freePort();
const url = `http://vibe.localhost:${port}`;
const api = `http://127.0.0.1:${port}`; // Node does not know names under localhost.
const server = await startServer(`${root}scripts/vibe`, ["serve", "--port", `${port}`, "--data", data]);
const site = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>Feeds</title><h1>Feeds</h1>")).listen(0, "127.0.0.1");
await once(site, "listening");
const feeds = `http://feeds.localhost:${site.address().port}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const app = await createApp();
  await signsUpAndIn(app);
  await otherWays(app);
  await oneTap(app);
  await keepsOut(app);
  for (const look of looks) await looksRight(app, look);
} finally {
  await browser.close();
  site.close();
  server.kill("SIGTERM");
  await server.ended;
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);

async function createApp() {
  const token = (await execute(`${root}scripts/vibe`, ["token", "--user", "owner", "--scope", "account", "--data", data])).stdout.trim();
  const response = await fetch(`${api}/v1/apps`, {
    method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({
      name: "feeds",
      manifest: {
        displayName: "Feeds", description: "A small social feed for you and your friends.", homepageUri: feeds, policyUri: `${feeds}/privacy`,
        origins: [feeds], redirectUris: [`${feeds}/callback`],
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
  return app;
}

async function open(look = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...look });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !/Failed to load resource.*status of 4/.test(message.text())) page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.devtools = await context.newCDPSession(page);
  await page.devtools.send("WebAuthn.enable", { enableUI: false });
  return page;
}

async function givePasskeys(page) {
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true, defaultBackupEligibility: true };
  page.authenticator = (await page.devtools.send("WebAuthn.addVirtualAuthenticator", { options })).authenticatorId;
}

// Sends the browser to the provider, as an app does; `finish` reads the answer and trades the code for tokens.
async function begin(page, app, parameters = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(8).toString("hex");
  const query = new URLSearchParams({
    client_id: app.did, response_type: "code", redirect_uri: `${feeds}/callback`, scope: "openid profile timeline documents:likes:write offline_access", state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256", ...parameters,
  });
  await page.goto(`${url}/oauth/authorize?${query}`);
  return { verifier, state };
}

async function finish(page, app, { verifier, state }) {
  await page.waitForURL(`${feeds}/callback**`);
  const answer = new URL(page.url()).searchParams;
  assert.equal(answer.get("state"), state);
  assert.equal(answer.get("iss"), url);
  if (answer.has("error")) return { error: answer.get("error") };
  const response = await fetch(`${api}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "authorization_code", client_id: app.did, code: answer.get("code"), redirect_uri: `${feeds}/callback`, code_verifier: verifier }),
  });
  const tokens = await response.json();
  assert.equal(response.status, 200, JSON.stringify(tokens));
  return tokens;
}

function write(tokens, collection) {
  return fetch(`${api}/v1/documents`, {
    method: "POST", headers: { authorization: `Bearer ${tokens.access_token}`, "content-type": "application/json" }, body: JSON.stringify({ collection, data: {} }),
  });
}

async function allow(page) {
  await page.getByRole("heading", { name: "Feeds asks for access" }).waitFor();
  await pause(600); // The button does nothing at first: a click meant for what was there before must not count.
  await page.getByRole("button", { name: "Allow" }).click();
}

async function signsUpAndIn(app) {
  const page = await open();
  await givePasskeys(page);
  let tokens;
  await check("a new person: handle, passkey, consent on the same page, back in the app with tokens", async () => {
    const started = await begin(page, app);
    await page.getByRole("button", { name: "Create an account" }).click();
    await page.getByLabel("Handle").fill("alice");
    await page.getByLabel("Name", { exact: true }).fill("Alice Anders");
    await page.getByRole("button", { name: "Create with a passkey" }).click();
    await allow(page);
    tokens = await finish(page, app, started);
    assert.deepEqual(tokens.scope.split(" ").sort(), ["documents:likes:write", "offline_access", "openid", "profile", "timeline"]);
    assert.equal((await write(tokens, "posts")).status, 200);
    assert.equal((await write(tokens, "notes")).status, 403);
  });
  await check("a person who has allowed it all is back at once, without a page", async () => {
    const started = await begin(page, app);
    await finish(page, app, started);
  });
  await check("a new scope: only what is missing is asked for, and may be unticked", async () => {
    const started = await begin(page, app, { scope: "openid timeline documents:likes:write documents:notes:read" });
    await page.getByText("Read your notes").waitFor();
    assert.equal(await page.getByRole("checkbox").count(), 1);
    await page.getByRole("checkbox").uncheck();
    await allow(page);
    const narrower = await finish(page, app, started);
    assert.ok(!narrower.scope.includes("notes"));
  });
  await check("saying no brings the app access_denied", async () => {
    const started = await begin(page, app, { prompt: "consent" });
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.deepEqual(await finish(page, app, started), { error: "access_denied" });
  });
  await check("signed out, a passkey signs in again", async () => {
    await page.goto(`${url}/account`);
    await page.getByRole("button", { name: "Sign out" }).first().click();
    await page.waitForURL(`${url}/sign-in`);
    const started = await begin(page, app);
    // The browser offers its passkey in the field by itself; a virtual one is picked at once. Otherwise the button does it.
    await Promise.race([page.waitForURL(`${feeds}/callback**`), page.getByRole("button", { name: "Continue with a passkey" }).click().catch(() => {})]);
    await finish(page, app, started);
  });
  await check("the account page shows the app; revoking it ends its tokens", async () => {
    await page.goto(`${url}/account`);
    const row = page.getByRole("listitem").filter({ hasText: "Feeds" });
    await row.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("No app has access to your data.").waitFor();
    const until = Date.now() + 20_000;
    while ((await write(tokens, "posts")).status !== 401) assert.ok(Date.now() < until, "the token still works");
    assert.deepEqual(page.complaints, []);
  });
  await page.context().close();
}

async function otherWays(app) {
  const page = await open();
  await check("an account with a password, and signing in with it", async () => {
    const started = await begin(page, app);
    await page.getByRole("button", { name: "Create an account" }).click();
    await page.getByLabel("Handle").fill("bob");
    await page.getByRole("button", { name: "Use a password instead" }).click();
    await page.getByLabel("New password").fill("correct horse battery");
    await page.getByRole("button", { name: "Create account" }).click();
    await allow(page);
    await finish(page, app, started);
    await page.context().clearCookies();
    const again = await begin(page, app);
    await page.getByLabel("Handle or e-mail address").fill("bob");
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("That did not work").waitFor();
    await page.getByLabel("Password").fill("correct horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await finish(page, app, again);
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
    const started = await begin(page, app);
    await page.getByLabel("Handle or e-mail address").fill("bob@example.org");
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await page.getByRole("button", { name: "Send me a link by e-mail" }).click();
    await page.getByRole("heading", { name: "Look into your mail" }).waitFor();
    await page.goto(await mailedLink());
    await page.getByRole("button", { name: "Continue" }).click();
    await finish(page, app, started);
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
    const post = async (path, fields) => (await fetch(`${api}${path}`, { method: "POST", body: new URLSearchParams({ client_id: app.did, ...fields }) })).json();
    const device = await post("/oauth/device_authorization", { scope: "openid timeline" });
    await page.goto(device.verification_uri);
    await page.getByLabel("Code shown on the device").fill(device.user_code);
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await page.getByText("Feeds on a device wants to use your account.").waitFor();
    await pause(600);
    await page.getByRole("button", { name: "Allow" }).click();
    await page.getByRole("heading", { name: "The device is connected" }).waitFor();
    const tokens = await post("/oauth/token", { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: device.device_code });
    assert.equal((await write(tokens, "posts")).status, 200, JSON.stringify(tokens));
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

// FedCM: the browser's own dialog. The protocol of the developer tools stands in for the person who looks at it.
async function oneTap(app) {
  const page = await open();
  await page.devtools.send("FedCm.enable", { disableRejectionDelay: true });
  page.devtools.on("FedCm.dialogShown", ({ dialogId, dialogType }) => {
    if (dialogType === "AccountChooser") page.devtools.send("FedCm.selectAccount", { dialogId, accountIndex: 0 });
    if (dialogType === "ConfirmIdpLogin") page.devtools.send("FedCm.clickDialogButton", { dialogId, dialogButton: "ConfirmIdpLoginContinue" });
    if (dialogType === "Error") page.devtools.send("FedCm.dismissDialog", { dialogId });
  });
  const ask = async (scope, { mode = "passive", verifier = randomBytes(32).toString("base64url"), changes = {} } = {}) => {
    await page.devtools.send("FedCm.resetCooldown");
    const answer = await page.evaluate(async ({ configURL, clientId, mode, params }) => {
      try {
        const credential = await navigator.credentials.get({ mediation: "required", identity: { mode, context: "signin", providers: [{ configURL, clientId, params }] } });
        return { token: credential.token };
      } catch (error) {
        return { error: `${error.name} ${error.message}` };
      }
    }, {
      configURL: `${url}/fedcm/config.json`, clientId: app.did, mode,
      params: { response_type: "code", scope, nonce: "n", code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256", ...changes },
    });
    return { ...answer, verifier };
  };
  const redeem = async ({ token, verifier, error }) => {
    assert.equal(error, undefined);
    const response = await fetch(`${api}/oauth/token`, { method: "POST", body: new URLSearchParams({ grant_type: "authorization_code", client_id: app.did, code: token, code_verifier: verifier }) });
    const tokens = await response.json();
    assert.equal(response.status, 200, JSON.stringify(tokens));
    return tokens;
  };
  await check("one tap: signed out, the browser opens the sign-in page in a window of its own, and goes on by itself", async () => {
    await page.goto(`${url}/sign-up`);
    await page.getByLabel("Handle").fill("erin");
    await page.getByRole("button", { name: "Use a password instead" }).click();
    await page.getByLabel("New password").fill("correct horse battery");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.waitForURL(`${url}/account`);
    await page.getByRole("button", { name: "Sign out" }).first().click();
    await page.waitForURL(`${url}/sign-in`);
    await page.goto(feeds);
    const window = page.context().waitForEvent("page").then(async (popup) => {
      await popup.getByLabel("Handle or e-mail address").fill("erin");
      await popup.getByRole("button", { name: "Continue", exact: true }).click();
      await popup.getByLabel("Password").fill("correct horse battery");
      await popup.getByRole("button", { name: "Sign in" }).click();
    });
    const answer = await ask("openid profile", { mode: "active" });
    await window;
    assert.match((await redeem(answer)).scope, /openid/);
  });
  await check("one tap: somebody who has been here before", async () => {
    await redeem(await ask("openid profile"));
  });
  await check("one tap: a new scope is asked for in a window of ours", async () => {
    const window = page.context().waitForEvent("page").then((popup) => allow(popup));
    const answer = await ask("openid timeline");
    await window;
    const tokens = await redeem(answer);
    assert.equal((await write(tokens, "posts")).status, 200);
  });
  await check("one tap: not without PKCE", async () => {
    const answer = await ask("openid", { changes: { code_challenge: "", code_challenge_method: "" } });
    assert.match(answer.error ?? "none", /NetworkError|IdentityCredentialError/);
  });
  await check("one tap: a script cannot ask in the browser's name", async () => {
    const status = await page.evaluate(async (address) => (await fetch(address, { credentials: "include" }).catch(() => ({ status: "blocked" }))).status, `${url}/fedcm/accounts`);
    assert.ok([400, "blocked"].includes(status), `${status}`);
  });
  await check("one tap: disconnecting takes the consent back", async () => {
    const tokens = await redeem(await ask("openid timeline"));
    await page.evaluate(({ configURL, clientId, accountHint }) => IdentityCredential.disconnect({ configURL, clientId, accountHint }),
      { configURL: `${url}/fedcm/config.json`, clientId: app.did, accountHint: "erin" });
    const until = Date.now() + 20_000;
    while ((await write(tokens, "posts")).status !== 401) assert.ok(Date.now() < until, "the token still works");
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
    await begin(page, app, { redirect_uri: "http://evil.localhost/callback" });
    assert.equal(new URL(page.url()).origin, url);
    await page.getByRole("heading").first().waitFor();
  });
  await check("a quick second click allows nothing", async () => {
    const mallory = await open();
    await givePasskeys(mallory);
    await begin(mallory, app);
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
  const picture = (name) => process.env.SCREENSHOTS && page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-${look.name}.jpg`, type: "jpeg", quality: 55, fullPage: name === "account" });
  const sound = async (name) => {
    await picture(name);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= look.viewport.width, "the page is wider than the window");
    assert.deepEqual(await page.getByRole("alert").allInnerTexts().then((texts) => texts.filter(Boolean)), []);
    assert.deepEqual(await page.evaluate(contrastFaults), []);
    await page.devtools.send("Page.setBypassCSP", { enabled: true });
    const { violations } = await page.evaluate(`${axe}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] })`);
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`), []);
    assert.deepEqual(page.complaints, []);
  };
  await check(`${look.name}: every page fits, is legible and accessible`, async () => {
    const started = await begin(page, app);
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
    await finish(page, app, started);
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
