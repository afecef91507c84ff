// The example app `feeds`, built and served as it would be, with people in browsers of their own: they read signed out, sign up,
// post for some and for all, like, comment, type, follow, lose the network, open a second tab, sign out. Its pages in light, dark and
// on a large screen, checked for accessibility. SCREENSHOTS=DIR keeps pictures. Ends with: N passed, N failed.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import { extname } from "node:path";
import { assert, check as checkWithin, conclude } from "../checks.mjs";
import { execute, freePort, newFolder, root, startServer } from "../processes.mjs";
import { allow, fits, isAccessible, launch, picture } from "./browser.mjs";
import { startNetwork } from "./network.mjs";

const example = `${root}examples/feeds/`;
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const patience = 60_000;
// A busy machine may take long for the many steps of a check.
const check = (name, body) => checkWithin(name, body, 4 * patience);

const folder = newFolder("feeds");
const [port, sitePort] = [await freePort(), await freePort()];
const feeds = `http://localhost:${sitePort}`;
const env = { ...process.env, VIBE_URL: `http://vibe.localhost:${port}`, VIBE_DATA: `${folder}/data`, FEEDS_ORIGIN: feeds, FEEDS_SETTINGS: `${folder}/settings` };
const run = (script, ...args) => execute(process.execPath, [`${example}${script}`, ...args], { cwd: example, env });
const children = [];
const networks = [];
const site = createServer(serve).listen(sitePort, "127.0.0.1");
let browser;
try {
  await Promise.all([
    startServer(`${root}scripts/vibe`, ["serve", "--port", `${port}`, "--data", `${folder}/data`]).then((server) => children.push(server)),
    run("scripts/sdk.mjs"), once(site, "listening"),
  ]);
  await run("scripts/setup.mjs");
  for (const line of readFileSync(`${folder}/settings`, "utf8").split("\n")) if (line.startsWith("VITE_")) env[line.split("=")[0]] = line.split("=")[1];
  const [compiled] = await Promise.allSettled([
    run("node_modules/typescript/bin/tsc"), run("scripts/seed.mjs"), run("node_modules/vite/bin/vite.js", "build", "--outDir", `${folder}/dist`),
  ]);
  await check("the app compiles strictly", async () => assert.equal(compiled.reason?.stdout, undefined));
  children.unshift(await startServer(process.execPath, [`${example}circle/serve.mjs`], { env }));
  browser = await launch();
  await story();
} finally {
  await browser?.close();
  site.close();
  networks.forEach((network) => network.close());
  for (const child of children) {
    child.kill("SIGTERM");
    await child.ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
conclude();

async function story() {
  const visitor = await open("visitor", { ...phone, colorScheme: "light" });
  await check("signed out: everybody's posts with their likes and comments, nothing that is for some", async () => {
    await visitor.goto(feeds);
    const first = card(visitor, "Day 61 on the balcony");
    await first.getByRole("button", { name: "Like, 4 likes" }).waitFor();
    await first.getByRole("link", { name: "2 comments" }).waitFor();
    assert.ok(await visitor.evaluate(() => window.shift) < 0.05, "what is shown moves while the page fills");
    await first.getByRole("link", { name: "2 comments" }).click();
    await dialog(visitor).getByText("Mine stopped at the ankle.").waitFor();
    await dialog(visitor).getByText("Liked by").waitFor();
    await sound(visitor, "visitor-post");
    await visitor.keyboard.press("Escape");
    await dialog(visitor).waitFor({ state: "detached" });
    assert.equal(await card(visitor, "").count(), 11);
    assert.equal(await visitor.getByText("rye with roasted walnuts").count(), 0);
    await sound(visitor, "visitor");
  });

  const [ada, bea] = await Promise.all([open("ada", { ...phone, colorScheme: "light" }), open("bea", { viewport: { width: 1280, height: 860 }, colorScheme: "dark" })]);
  await check("a new person signs up in the browser's own dialog, and reads what the app wants in plain words", async () => {
    await signUp(ada, "ada", "Ada Byron", async (consent) => {
      await consent.getByText("Write, like and comment on posts as you, and read those meant for you").waitFor();
      await consent.getByText("Show your name to other people, and follow them when you say so").waitFor();
    });
  });
  await check("a second person, in another browser", () => signUp(bea, "bea", "Bea Krall"));

  await check("what one posts, the others see live, signed in and signed out", async () => {
    await post(ada, "The first swim of the year, eleven degrees.");
    await Promise.all([bea, visitor].map((page) => card(page, "The first swim").waitFor()));
  });
  await check("likes, comments and typing are live in both, and a like is taken back", async () => {
    await Promise.all([ada, bea].map((page) => card(page, "The first swim").getByRole("link", { name: "0 comments" }).click()));
    const reply = dialog(bea).getByLabel("Your comment");
    await reply.fill("Brave!");
    await keepsUntil(dialog(ada).getByText("Bea is typing"), async () => {
      await reply.press("x");
      await reply.press("Backspace");
    });
    await reply.press("Enter");
    await dialog(ada).getByRole("list", { name: "Comments" }).getByText("Brave!").waitFor();
    await dialog(bea).getByRole("button", { name: "Like, 0 likes" }).click();
    await dialog(ada).getByText("Liked by Bea Krall").waitFor();
    await sound(ada, "post");
    await sound(bea, "post-large");
    await dialog(bea).getByRole("button", { name: "Like, 1 like" }).click();
    await dialog(ada).getByRole("button", { name: "Like, 0 likes" }).waitFor();
    await Promise.all([ada, bea].map((page) => page.keyboard.press("Escape")));
    await card(visitor, "The first swim").getByRole("link", { name: "1 comment" }).waitFor();
  });

  await check("a post for followers: not for others, there at once for who follows, gone for who does no more", async () => {
    await post(ada, "The cabin is free in May. Tell me if you want it.", "Followers");
    await post(ada, "Lights out at ten.");
    await card(bea, "Lights out").waitFor(); // Written later: had the other one been for her, she would have it too.
    assert.equal(await card(bea, "The cabin is free").count(), 0);
    await card(bea, "Lights out").getByRole("button", { name: "Follow Ada Byron" }).click();
    await card(bea, "The cabin is free").waitFor();
    await picture(bea, "large");
    await card(bea, "The cabin is free").getByRole("link", { name: "Ada Byron" }).click();
    await dialog(bea).getByRole("article").filter({ hasText: "The cabin is free" }).waitFor();
    await sound(bea, "person-large");
    await dialog(bea).getByRole("button", { name: "Unfollow Ada Byron" }).click();
    await dialog(bea).getByRole("article").filter({ hasText: "The cabin is free" }).waitFor({ state: "detached" });
    await bea.keyboard.press("Escape");
    await card(bea, "The cabin is free").waitFor({ state: "detached" });
    await card(ada, "The cabin is free").waitFor();
  });
  await check("a post for chosen people: for them, for nobody else", async () => {
    await post(ada, "Bea, the keys are under the pot.", "Chosen", ["Bea Krall"]);
    await card(bea, "the keys are under").getByText("you", { exact: true }).waitFor();
    await post(ada, "Coffee on the quay at nine?");
    await card(visitor, "Coffee on the quay").waitFor();
    assert.equal(await card(visitor, "the keys are under").count(), 0);
  });

  await check("without a network: a post is shown as waiting, and goes out afterwards", async () => {
    ada.network.cut();
    await post(ada, "Written in the tunnel.");
    await card(ada, "in the tunnel").getByText("Waiting for the network").waitFor();
    await ada.getByText("Offline, 1 waiting").waitFor();
    await sound(ada, "offline");
    assert.equal(await card(bea, "in the tunnel").count(), 0);
    ada.network.restore();
    await card(bea, "in the tunnel").waitFor();
    await card(ada, "in the tunnel").getByText("Waiting").waitFor({ state: "detached" });
    await ada.getByText("Offline").waitFor({ state: "detached" });
  });

  const second = await ada.context().newPage();
  await check("two tabs of one person agree; what is deleted can be taken back, and is gone everywhere when not", async () => {
    await second.goto(feeds);
    await card(second, "in the tunnel").waitFor();
    await card(second, "in the tunnel").getByRole("button", { name: "Like, 0 likes" }).click();
    await card(ada, "in the tunnel").getByRole("button", { name: "Like, 1 like", pressed: true }).waitFor();
    // In one go: the way back is open for a few seconds only.
    const gone = await card(ada, "in the tunnel").evaluate(async (article) => {
      article.querySelector("[aria-label='Delete this post']").click();
      await new Promise((resolve) => setTimeout(resolve));
      const { isConnected } = article;
      document.querySelector(".toast button").click();
      return !isConnected;
    });
    assert.ok(gone, "it is still shown");
    await card(ada, "in the tunnel").waitFor();
    await card(ada, "in the tunnel").getByRole("button", { name: "Delete this post" }).click();
    await Promise.all([second, bea, visitor].map((page) => card(page, "in the tunnel").waitFor({ state: "detached" })));
  });

  await check("a name is changed, and is another one for everybody", async () => {
    await bea.getByRole("button", { name: "Account of Bea Krall" }).click();
    await bea.getByRole("button", { name: "Your profile" }).click();
    await dialog(bea).getByRole("button", { name: "Edit your profile" }).click();
    await dialog(bea).getByLabel("Name").fill("Beatrix Krall");
    await dialog(bea).getByLabel("About you").fill("Maps, and the odd poem.");
    await dialog(bea).getByRole("button", { name: "Save" }).click();
    await dialog(bea).getByText("Maps, and the odd poem.").waitFor();
    await bea.keyboard.press("Escape");
    await post(bea, "Hello from the map room.");
    await card(ada, "the map room").getByRole("link", { name: "Beatrix Krall" }).waitFor();
  });

  await check("phone and desktop, light and dark: every page fits, is legible and accessible", async () => {
    for (const scheme of ["light", "dark"]) {
      await ada.emulateMedia({ colorScheme: scheme });
      await ada.evaluate(() => scrollTo(0, 0));
      await sound(ada, `timeline-${scheme}`);
      await compose(ada, "Anyone for a walk to the lighthouse on Sunday? Low tide is at six, so bring boots and a torch.", "Chosen", ["Beatrix Krall", "Tomás Ferreira"]);
      await sound(ada, `composer-${scheme}`);
      await ada.keyboard.press("Escape");
      await ada.getByRole("button", { name: "Account of Ada Byron" }).click();
      await ada.getByRole("button", { name: "Your profile" }).click();
      await dialog(ada).getByRole("article").first().waitFor();
      await sound(ada, `you-${scheme}`);
      await ada.keyboard.press("Escape");
      await dialog(ada).waitFor({ state: "detached" });
    }
  });
  await check("signing out in one tab does so in the other; nothing of the person stays", async () => {
    assert.ok((await stored(ada)).includes("The cabin is free"));
    await second.getByRole("button", { name: "Account of Ada Byron" }).click();
    await second.getByRole("button", { name: "Sign out" }).click();
    for (const page of [ada, second]) {
      await page.getByRole("button", { name: "Continue with Vibe" }).waitFor();
      await card(page, "The first swim").waitFor();
      assert.equal(await card(page, "The cabin is free").count(), 0);
    }
    assert.ok(!(await stored(ada)).includes("The cabin is free"), "a post that is not for everyone is still on the device");
  });
  await check("no page has complained", async () => assert.deepEqual([visitor, ada, bea].flatMap(({ complaints }) => complaints), []));
}

// A page of a browser of its own, with a network of its own.
async function open(name, look) {
  const network = await startNetwork();
  networks.push(network);
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", proxy: { server: network.server }, ...look });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  page.network = network;
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(`${name}: ${error.stack}`));
  // What a script says; the browser itself complains of its dialog, and of being cut off.
  page.on("console", (message) => message.type() === "error" && message.args().length > 0 && page.complaints.push(`${name}: ${message.text()}`));
  page.devtools = await context.newCDPSession(page);
  await page.devtools.send("FedCm.enable", { disableRejectionDelay: true });
  await page.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => list.getEntries().forEach(({ value, hadRecentInput }) => (window.shift += hadRecentInput ? 0 : value))).observe({ type: "layout-shift", buffered: true });
  });
  return page;
}

// As a new person does it: the browser opens the server's page, asks which account, and opens the page that asks what is allowed.
async function signUp(page, handle, name, looksAt = async () => {}) {
  const context = page.context();
  page.devtools.on("FedCm.dialogShown", ({ dialogId, dialogType }) => {
    if (dialogType === "AccountChooser") void page.devtools.send("FedCm.selectAccount", { dialogId, accountIndex: 0 }).catch(() => {});
  });
  await page.goto(feeds);
  const [account] = await Promise.all([context.waitForEvent("page"), page.getByRole("button", { name: "Continue with Vibe" }).click()]);
  await account.getByRole("button", { name: "Create an account" }).click();
  await account.getByLabel("Handle").fill(handle);
  await account.getByLabel("Name", { exact: true }).fill(name);
  await account.getByRole("button", { name: "Use a password instead" }).click();
  await account.getByLabel("New password").fill("correct horse battery");
  const [consent] = await Promise.all([context.waitForEvent("page"), account.getByRole("button", { name: "Create account" }).click()]);
  await consent.getByRole("heading", { name: "Feeds asks for access" }).waitFor();
  await looksAt(consent);
  await allow(consent);
  await page.getByRole("button", { name: "What’s new?" }).waitFor();
}

function card(page, text) {
  return page.getByRole("main").getByRole("article").filter({ hasText: text });
}

function dialog(page) {
  return page.getByRole("dialog");
}

async function compose(page, text, audience = "Everyone", people = []) {
  await page.getByRole("button", { name: "What’s new?" }).click();
  await page.getByLabel("What do you want to say?").fill(text);
  await page.getByRole("radio", { name: audience }).check();
  for (const name of people) await page.getByRole("checkbox", { name }).check();
}

async function post(page, ...what) {
  await compose(page, ...what);
  await page.getByRole("button", { name: "Post", exact: true }).click();
  await card(page, what[0]).waitFor();
}

// Does something over and over until it shows.
async function keepsUntil(shown, act) {
  for (;;) {
    await act();
    if (await shown.waitFor({ timeout: 1_000 }).then(() => true, () => false)) return;
  }
}

async function sound(page, name) {
  await picture(page, name);
  await fits(page, name);
  await isAccessible(page, name);
}

// All that the origin's databases hold, as text.
function stored(page) {
  return page.evaluate(async () => {
    const settled = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const texts = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await settled(indexedDB.open(name));
      for (const table of database.objectStoreNames) texts.push(JSON.stringify(await settled(database.transaction(table).objectStore(table).getAll())));
      database.close();
    }
    return texts.join();
  });
}

// What was built; the page for every other address.
function serve(request, response) {
  const types = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
  const { pathname } = new URL(request.url, feeds);
  const isFile = extname(pathname) in types && existsSync(`${folder}/dist${pathname}`);
  response.setHeader("content-type", types[extname(pathname)] ?? "text/html");
  response.end(readFileSync(`${folder}/dist${isFile ? pathname : "/index.html"}`));
}
