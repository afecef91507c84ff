// The reference page of a running server, in headless Chromium: found, read and used, by keyboard, in light, dark and on a
// phone. SCREENSHOTS=DIR keeps pictures of it. Ends with: N passed, N failed.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { assert, check, conclude } from "../checks.mjs";
import { freePort, newFolder, outputLine, root, startServer } from "../processes.mjs";
import { complaintsOf, fits, launch, picture } from "./browser.mjs";

const looks = [
  { name: "light", viewport: { width: 1360, height: 900 }, colorScheme: "light" },
  { name: "dark", viewport: { width: 1360, height: 900 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true, isMobile: true },
  { name: "dark phone", viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true, isMobile: true },
];

const work = newFolder("docs");
writeFileSync(`${work}/cities.json`, JSON.stringify([
  { name: "Lisboa", country: "PT", lat: "38.72", lng: "-9.13" }, { name: "Porto", country: "PT", lat: "41.15", lng: "-8.61" },
]));
execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-days", "1",
  "-keyout", `${work}/key.pem`, "-out", `${work}/certificate.pem`], { stdio: "ignore" });
const port = await freePort(), tlsPort = await freePort();
const url = `http://127.0.0.1:${port}`;
const server = await startServer(`${root}scripts/vibe`, ["serve", "--port", `${port}`, "--tls-port", `${tlsPort}`, "--data", `${work}/data`, "--demo", "--demo-cities", `${work}/cities.json`],
  { env: { ...process.env, VIBE_TLS_CERTIFICATE: `${work}/certificate.pem`, VIBE_TLS_KEY: `${work}/key.pem` } });
const browser = await launch();
try {
  await outputLine(server, /^cities: ready$/);
  const token = (await outputLine(server, /TOKEN=/)).trim().replace("TOKEN=", "");
  const description = await (await fetch(`${url}/openapi.json`)).json();
  const operations = Object.entries(description.paths).flatMap(([path, item]) => Object.keys(item).map((verb) => ({ path, verb, id: item[verb].operationId })));
  for (const look of looks) await uses(look, operations, token);
  await keepsOut();
  await worksOverTls();
} finally {
  await browser.close();
  server.kill("SIGTERM");
  await server.ended;
  rmSync(work, { recursive: true, force: true });
}
conclude();

async function open(look) {
  const context = await browser.newContext(look);
  const page = await context.newPage();
  context.setDefaultTimeout(60_000);
  page.complaints = complaintsOf(page);
  await page.goto(`${url}/docs`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

async function uses(look, operations, token) {
  const page = await open(look);
  const isPhone = look.viewport.width < 800;
  const named = (what) => `/docs, ${look.name}: ${what}`;
  const looksRight = async (name) => {
    await picture(page, `docs-${name}-${look.name.replace(" ", "-")}`);
    await fits(page, name);
  };
  const find = async (operation) => {
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("/");
    await page.keyboard.type(operation);
    await page.getByRole("navigation").getByRole("link").first().focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: operation }).waitFor();
  };
  const status = () => page.locator(".result .status");
  const answers = async (code) => {
    await status().getByText(code).waitFor();
    assert.ok(await status().evaluate((line) => {
      const { top, bottom } = line.getBoundingClientRect();
      return top >= document.querySelector("header").offsetHeight && bottom <= innerHeight;
    }), "the answer is out of sight");
  };

  await check(named("every operation is listed"), async () => {
    for (const { path, verb } of operations) {
      assert.ok(await page.locator(`.methods a:has(.verb.${verb}):has(.mono:text-is("${path}"))`).count() > 0, `${verb} ${path}`);
    }
    await looksRight("overview");
  });
  await check(named("every operation has a page that fits and names its fields"), async () => {
    for (const { id } of operations) {
      await page.evaluate((hash) => { location.hash = hash; }, `#op/${id}`);
      await page.locator(".try").waitFor();
      await fits(page, id);
      assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll("input, select, textarea, button")]
        .filter((field) => !(field.labels?.length || field.ariaLabel || field.textContent.trim())).map((field) => field.outerHTML)), []);
    }
  });
  await check(named("a list by keyboard alone shows what the server has"), async () => {
    await page.goto(`${url}/docs`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await find("ListDocuments");
    await page.getByLabel("collection", { exact: false }).first().focus();
    await page.keyboard.type("cities");
    await page.getByLabel("scope").focus();
    await page.keyboard.type("DOCUMENT_SCOPE_PUBLIC");
    await page.keyboard.press("Control+Enter");
    await answers("200");
    assert.match(await page.locator(".result .output").innerText(), /"Lisboa"/);
    assert.match(await page.locator(".try .copy pre").innerText(), /^curl '.*collection=cities&.*scope=DOCUMENT_SCOPE_PUBLIC/);
    await looksRight("list");
  });
  await check(named("an error says what is wrong"), async () => {
    await page.getByLabel("filter").fill("data.country ~~ 1");
    await page.getByRole("button", { name: "Send" }).click();
    await answers("400");
    assert.match(await page.locator(".result .output").innerText(), /"fieldViolations"[\s\S]*filter/);
    await looksRight("error");
  });
  await check(named("a note needs a token, and is written with one"), async () => {
    await find("CreateDocument");
    await page.getByLabel("body").fill(JSON.stringify({ collection: "notes", data: { title: `from ${look.name}` } }));
    await page.getByRole("button", { name: "Send" }).click();
    await answers("401");
    await page.getByLabel("Token", { exact: true }).fill(token);
    await page.getByRole("button", { name: "Send" }).click();
    await answers("200");
    assert.match(await page.locator(".result .output").innerText(), new RegExp(`"title": "from ${look.name}"`));
    assert.ok(!(await page.locator("body").innerText()).includes(token), "the token is shown");
    await looksRight("create");
  });
  if (isPhone) {
    await check(named("the menu opens, leads somewhere and closes"), async () => {
      await page.getByRole("button", { name: "Menu" }).tap();
      await looksRight("menu");
      await page.getByRole("navigation").getByRole("link").first().tap();
      await page.getByRole("navigation").waitFor({ state: "hidden" });
    });
  }
  await check(named("the console stays silent"), async () => assert.deepEqual(page.complaints, []));
  await page.context().close();
}

async function keepsOut() {
  await check("/docs: the policy lets no foreign script, style or address in", async () => {
    const page = await open(looks[0]);
    const outcome = await page.evaluate(async () => {
      const blocked = [];
      document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.effectiveDirective));
      const attempt = async (body) => { try { await body(); } catch { /* refused, as it should be */ } };
      await attempt(() => { const script = document.createElement("script"); script.text = "globalThis.taken = true"; document.body.append(script); });
      await attempt(() => { document.body.innerHTML = "<img src=x onerror='globalThis.taken = true'>"; });
      await attempt(() => { const style = document.createElement("style"); style.textContent = "body { display: none }"; document.body.append(style); });
      await attempt(() => fetch("http://localhost:9/"));
      // Reports come as tasks of their own.
      await new Promise((resolve) => { setTimeout(resolve, 0); });
      return { blocked: [...new Set(blocked)].sort(), taken: globalThis.taken === true, shown: getComputedStyle(document.body).display };
    });
    assert.deepEqual(outcome, { blocked: ["connect-src", "require-trusted-types-for", "style-src-elem"], taken: false, shown: "block" });
    await page.context().close();
  });
}

async function worksOverTls() {
  await check("/docs: the TLS port serves it over HTTP/2", async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(`https://localhost:${tlsPort}/docs`);
    await page.getByRole("heading", { level: 1, name: "Vibe" }).waitFor();
    assert.equal(await page.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol), "h2");
    await context.close();
  });
}
