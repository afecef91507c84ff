// "Build an app" of the README, its own commands in its own order, as a newcomer: the app it makes, in headless Chromium, until
// a note is live in a second tab; then all that the app promises, in light, dark and on a phone. The same for the template without
// React. SCREENSHOTS=DIR keeps pictures. Ends with: N passed, N failed.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { assert, check, conclude } from "../checks.mjs";
import { freePort, newFolder, outputLine, pause, root, startServer } from "../processes.mjs";
import { allow, complaintsOf, fits, isAccessible, launch, picture } from "./browser.mjs";

// Of a person at a busy machine.
const patience = 120_000;
const looks = [
  { name: "light", viewport: { width: 1100, height: 860 }, colorScheme: "light" },
  { name: "dark", viewport: { width: 1100, height: 860 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 390, height: 844 }, colorScheme: "light" },
  { name: "dark-phone", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
];

const mine = (page) => page.locator(".card").filter({ has: page.getByRole("heading", { name: "Your notes" }) });
const everyones = (page) => page.locator(".card").filter({ has: page.getByRole("heading", { name: "Public notes" }) });
const note = (page, title) => mine(page).getByRole("listitem").filter({ hasText: title });

const work = newFolder("quickstart");
const clone = `${work}/vibe`;
execFileSync(`${root}scripts/vibe`, ["--help"], { stdio: "ignore" });
execFileSync("git", ["clone", "--quiet", "--no-hardlinks", root, clone]);
// Building the server from nothing is timed by the suite of the newcomer; here it is as after a first start.
cpSync(`${root}src/Vibe.Server/bin`, `${clone}/src/Vibe.Server/bin`, { recursive: true });

const port = await freePort();
const url = `http://vibe.localhost:${port}`;
const environment = { ...process.env, NO_COLOR: "1", BROWSER: "none" };
delete environment.VIBE_DATA;
const section = readFileSync(`${clone}/README.md`, "utf8").split("\n## ").find((text) => text.startsWith("Build an app\n"));
const commands = /```sh\n([\s\S]*?)```/.exec(section)[1];
const running = new Set();
let server;
const browser = await launch();
try {
  const began = Date.now();
  await start();
  const origin = await follow(commands);
  const tabs = await signsInAndWrites(origin, "My app");
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log(`quickstart: ${seconds} s from dev-start.sh to a note that is live in a second tab`);
  await check("a working live app within 5 minutes", () => assert.ok(seconds < 300, `${seconds} s`));
  await keepsItsPromises("react", origin, tabs);
  await builds("../my-app");
  const plain = await follow(commands.replaceAll("../my-app", "../plain-app").replace("create-app.sh ../plain-app", "$& --template vanilla"));
  await keepsItsPromises("vanilla", plain, await signsInAndWrites(plain, "Plain app"));
  await builds("../plain-app");
  await registersAgain();
  await comesPacked();
  await refuses();
} finally {
  await browser.close();
  for (const child of running) process.kill(-child.pid, "SIGKILL");
  server?.kill("SIGTERM");
  await server?.ended;
  rmSync(work, { recursive: true, force: true });
}
conclude();

async function start(...more) {
  server = await startServer("./scripts/dev-start.sh", ["--port", `${port}`, ...more], { cwd: clone, env: environment });
}

// Runs the commands as they stand, but for the ports; the last one serves the app until it is killed. Resolves with the app's origin.
async function follow(text) {
  const script = text.replace(/create-app\.sh \S+/, `$& --url ${url} --port ${await freePort()}`);
  const child = spawn("bash", ["-euo", "pipefail", "-c", script], { cwd: clone, env: environment, stdio: ["ignore", "pipe", "pipe"], detached: true });
  running.add(child);
  child.output = [];
  child.errors = "";
  child.stderr.setEncoding("utf8").on("data", (more) => (child.errors += more));
  createInterface({ input: child.stdout }).on("line", (line) => child.output.push(line));
  const ended = once(child, "exit").then(([code]) => Promise.reject(new Error(`ended with ${code}:\n${child.output.join("\n")}\n${child.errors}`)));
  const line = await Promise.race([outputLine(child, /Local: +http/, 300_000), ended]);
  ended.catch(() => {});
  return /http:\/\/localhost:\d+/.exec(line)[0];
}

async function open(origin, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(patience);
  context.complaints = [];
  // A browser without a dialog of its own: a window, or when the click is too long ago for one, there and back in the same tab.
  await context.addInitScript(() => delete globalThis.IdentityCredential);
  return { context, page: await tab(context, origin) };
}

async function tab(context, origin) {
  const page = await context.newPage();
  // What cannot be reached while the server is down is reported by Chromium itself.
  context.complaints.push(complaintsOf(page, /Failed to load resource/));
  await page.goto(origin);
  return page;
}

// The first page that shows it.
async function shown(context, locate) {
  for (const until = Date.now() + patience; Date.now() < until; await pause(100)) {
    for (const page of context.pages()) if (await locate(page).isVisible().catch(() => false)) return page;
  }
  throw new Error(`not shown: ${locate(context.pages()[0])}, but ${context.pages().map((page) => page.url())}`);
}

async function add(page, title) {
  await page.getByLabel("New note").fill(title);
  await page.getByRole("button", { name: "Add", exact: true }).click();
}

// With an account made on the way, until what one tab writes is live in the other.
async function signsInAndWrites(origin, title) {
  const { context, page } = await open(origin);
  await page.getByRole("button", { name: "Continue with Vibe" }).click();
  const popup = await shown(context, (each) => each.getByRole("button", { name: "Create an account" }));
  await popup.getByRole("button", { name: "Create an account" }).click();
  await popup.getByLabel("Handle").fill(`${title.split(" ")[0].toLowerCase()}-person`);
  await popup.getByRole("button", { name: "Use a password instead" }).click();
  await popup.getByLabel("New password").fill("correct horse battery");
  await popup.getByRole("button", { name: "Create account" }).click();
  const asking = await shown(context, (each) => each.getByRole("heading", { name: `${title} asks for access` }));
  await allow(asking);
  await page.getByLabel("New note").waitFor();
  const second = await tab(context, origin);
  await second.getByLabel("New note").waitFor();
  await add(page, "Water the plants");
  await note(second, "Water the plants").waitFor();
  return { context, page, second };
}

async function keepsItsPromises(name, origin, { context, page, second }) {
  const promise = (what, body) => check(`${name}: ${what}`, body, 3 * patience);
  const offline = `Written offline, in ${name}`;
  const visitor = await open(origin);
  await promise("all tabs share one worker", async () => {
    // One for the two tabs, one for the visitor's browser.
    const devtools = await browser.newBrowserCDPSession();
    let workers = [];
    for (const until = Date.now() + patience; workers.length < 2 && Date.now() < until; await pause(100)) {
      const { targetInfos } = await devtools.send("Target.getTargets");
      workers = targetInfos.filter(({ type, url }) => type === "shared_worker" && url.startsWith(origin));
    }
    assert.equal(workers.length, 2);
    assert.equal(new Set(workers.map(({ browserContextId }) => browserContextId)).size, 2);
  });
  await promise("a visitor sees nothing of a private note, and at once what is made public", async () => {
    // All that is public is there: nothing yet, or what the app before this one has left.
    await everyones(visitor.page).getByText(/^Nobody has made|^Written offline/).waitFor();
    assert.equal(await visitor.page.getByText("Water the plants").count(), 0);
    await note(page, "Water the plants").getByRole("button", { name: "Public" }).click();
    await everyones(visitor.page).getByText("Water the plants").waitFor();
    assert.equal(await mine(visitor.page).isVisible(), false);
  });
  await promise("done in one tab is done in the other, and what is private again is gone for visitors", async () => {
    await note(second, "Water the plants").getByRole("checkbox").click();
    await note(page, "Water the plants").getByRole("checkbox", { checked: true }).waitFor();
    await note(second, "Water the plants").getByRole("button", { name: "Public", pressed: true }).click();
    await everyones(visitor.page).getByText("Water the plants").waitFor({ state: "detached" });
  });
  await promise("without a server: it says so, shows what is there, and takes what is written", async () => {
    server.kill("SIGKILL");
    await server.ended;
    for (const each of [page, second]) await each.getByText(/^Offline\./).waitFor();
    await add(page, offline);
    await note(second, offline).getByText("not sent yet").waitFor();
    await second.getByText("1 change is kept here").waitFor();
    await second.reload();
    await note(second, offline).waitFor();
  });
  await start("--no-demo");
  await promise("with it again, what was written is sent, once", async () => {
    for (const each of [page, second]) {
      await each.getByText(/^Offline\./).waitFor({ state: "hidden" });
      await each.getByText("not sent yet").waitFor({ state: "hidden" });
      assert.equal(await note(each, offline).count(), 1);
    }
  });
  await add(page, "A rather long note, to see that it breaks into lines where it must, and pushes nothing out of its place");
  await note(page, "A rather long").getByRole("button", { name: "Public" }).click();
  await note(page, offline).getByRole("button", { name: "Public" }).click();
  for (const shown of [page, visitor.page]) await everyones(shown).getByText(offline).waitFor();
  for (const look of looks) await looksRight(name, look, { owner: page, visitor: visitor.page });
  await promise("deleted in one tab is gone in the other, and the keyboard is where one was", async () => {
    await note(page, "Water the plants").getByRole("button", { name: "Delete" }).click();
    await note(second, "Water the plants").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Your notes");
  });
  await promise("signed out, only what is public is left", async () => {
    const menu = page.getByRole("button", { name: "Account of" });
    if (await menu.count()) await menu.click();
    await page.getByRole("button", { name: "Sign out" }).click();
    for (const each of [page, second]) await each.getByRole("button", { name: "Continue with Vibe" }).waitFor();
    assert.equal(await mine(second).isVisible(), false);
    await everyones(second).getByText(offline).waitFor();
  });
  await promise("nothing in the browser's console", () => assert.deepEqual([...context.complaints, ...visitor.context.complaints].flat(), []));
  await Promise.all([context.close(), visitor.context.close()]);
}

async function looksRight(name, look, pages) {
  for (const [who, page] of Object.entries(pages)) {
    await check(`${name}, ${who}, ${look.name}: readable, accessible, inside the screen`, async () => {
      await page.setViewportSize(look.viewport);
      await page.emulateMedia({ colorScheme: look.colorScheme });
      const what = `quickstart-${name}-${who}-${look.name}`;
      await picture(page, what);
      await fits(page, what);
      await isAccessible(page, what);
    }, patience);
  }
}

async function builds(folder) {
  await check(`${folder}: strict types hold, and the site is built with the shared worker as a file of its own`, () => {
    execFileSync("npm", ["run", "build"], { cwd: `${clone}/${folder}`, env: environment, stdio: "pipe" });
    assert.ok(readdirSync(`${clone}/${folder}/dist/assets`).some((file) => file.startsWith("worker")));
  }, patience);
}

// What vibe.json says may change: the app stays the same one.
async function registersAgain() {
  const folder = `${work}/my-app`;
  const register = (token) => spawnSync("npm", ["run", "--silent", "register"], { cwd: folder, encoding: "utf8", env: { ...environment, VIBE_TOKEN: token } });
  await check("npm run register: again after a change, the same app; without a token, one plain sentence", () => {
    const before = readFileSync(`${folder}/.env`, "utf8");
    const manifest = readFileSync(`${folder}/vibe.json`, "utf8");
    const token = execFileSync("scripts/vibe", ["token", "--user", "demo", "--scope", "account"], { cwd: clone, env: environment, encoding: "utf8" }).trim();
    writeFileSync(`${folder}/vibe.json`, manifest.replace("Notes, shared when you say so.", "Notes."));
    assert.equal(register(token).status, 0);
    assert.equal(readFileSync(`${folder}/.env`, "utf8"), before);
    writeFileSync(`${folder}/vibe.json`, manifest.replace("http://localhost", "http://example.com"));
    for (const [given, sentence] of [[token, /the server refused: app\.manifest\.origins\[0\]/], ["", /VIBE_TOKEN is not set/]]) {
      const { status, stderr } = register(given);
      assert.equal(status, 1);
      assert.match(stderr, sentence);
    }
  }, 3 * patience);
}

// As npm create does it with what is published: by the package's own command.
async function comesPacked() {
  await check("create-vibe-app, packed: its command makes a whole app, for the server and the DID it is given", () => {
    const npm = (...args) => execFileSync("npm", args, { cwd: work, env: { ...environment, npm_config_cache: `${work}/npm` }, stdio: "pipe" });
    npm("pack", `${clone}/sdks/typescript/packages/create-vibe-app`);
    npm("exec", "--yes", `--package=${work}/create-vibe-app-0.1.0.tgz`, "--", "create-vibe-app", "made", "--url", "https://vibe.example", "--app", "did:web:vibe.example:apps:1");
    assert.equal(readFileSync(`${work}/made/.env`, "utf8"), "VITE_VIBE_URL=https://vibe.example\nVITE_VIBE_APP=did:web:vibe.example:apps:1\n");
    const { name, dependencies } = JSON.parse(readFileSync(`${work}/made/package.json`, "utf8"));
    assert.equal(name, "made");
    assert.equal(dependencies["@vibe/client"], JSON.parse(readFileSync(`${clone}/sdks/typescript/packages/client/package.json`, "utf8")).version);
    for (const file of readdirSync(`${work}/made`, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())) {
      assert.ok(!readFileSync(`${file.parentPath}/${file.name}`, "utf8").includes("{{"), `${file.name} has a gap`);
    }
    assert.ok(readdirSync(`${work}/made`).includes(".gitignore"));
  }, patience);
}

async function refuses() {
  const refused = (name, pattern, ...args) => check(`create-vibe-app ${name}: one plain sentence`, () => {
    const { status, stderr } = spawnSync("node", [`${clone}/sdks/typescript/packages/create-vibe-app/create-vibe-app.js`, ...args], { cwd: work, encoding: "utf8" });
    assert.equal(status, 2);
    assert.match(stderr, pattern);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  });
  await refused("without a folder", /one folder is needed/);
  await refused("into a folder that is not empty", /is there already, and not empty/, "my-app");
  await refused("with a bad name", /"My App" cannot be an app's name/, "My App");
  await refused("with an unknown template", /no template "svelte"/, "new-app", "--template", "svelte");
  await refused("with what is no URL", /is not a server's URL/, "new-app", "--url", "vibe.example");
  await refused("with what is no DID", /is not a DID/, "new-app", "--app", "demo-app");
  await refused("with a port there is not", /--port must be/, "new-app", "--port", "0");
  await refused("without the packages it is to take", /vibe-client-.*\.tgz is not there/, "new-app", "--packages", ".");
  await refused("with an unknown option", /--nonsense.*usage/, "new-app", "--nonsense");
  await check("a refusal leaves nothing behind", () => assert.ok(!readdirSync(work).includes("new-app")));
}
