import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { Proxy } from "../proxy.js";
import { tokenFor } from "../server.js";

const { url, data } = inject("server");
let files: Map<string, string>;
let site: Server;
let browser: Browser;
let network: Proxy;
let context: BrowserContext;
let users = 0;

beforeAll(async () => {
  files = await bundle();
  site = createServer((request, response) => {
    const path = new URL(request.url!, "http://site").pathname;
    const text = path === "/" ? '<!doctype html><script type="module" src="/app.js"></script>' : files.get(path);
    response.writeHead(text === undefined ? 404 : 200, { "content-type": path === "/" ? "text/html" : "text/javascript" }).end(text);
  }).listen(0, "127.0.0.1");
  await once(site, "listening");
  network = await Proxy.to(Number(new URL(url).port));
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});
afterAll(async () => {
  await browser?.close();
  network?.close();
  site?.close();
});

let query: Record<string, string>;
beforeEach(async () => {
  context = await browser.newContext();
  query = { url: network.url, token: await tokenFor(data, `browser-${process.pid}-${users++}`) };
});
afterEach(async () => {
  network.restore();
  await context.close();
});

test("two tabs share one stream: what one writes, the other shows", async () => {
  const before = network.count("POST /vibe.realtime.v1.RealtimeService/Subscribe");
  const tabs = [await tab(), await tab()] as const;
  await Promise.all(tabs.map(live));
  await write(tabs[0], "from 0");
  await shows(tabs[1], "from 0");
  await write(tabs[1], "from 1");
  await shows(tabs[0], "from 0,from 1");
  expect(network.count("POST /vibe.realtime.v1.RealtimeService/Subscribe") - before).toBe(1);
  // The tabs have no connection of their own for this.
  expect(await tabs[0].evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.includes("vibe.")).length)).toBe(0);
});

test("offline: a write survives its tab and the browser's last tab, and happens once", async () => {
  const [first, second] = [await tab(), await tab()];
  await live(first);
  await write(first, "stored");
  network.cut();
  await first.waitForFunction(() => window.connection?.status === "offline");
  await first.evaluate(() => window.vibe.write("notes", { title: "offline" }).queued);
  await first.close();
  await shows(second, "offline,stored");
  expect(await second.evaluate(() => window.connection)).toMatchObject({ pendingWrites: 1, storage: "persistent" });
  await second.close();

  const third = await tab();
  await shows(third, "offline,stored");
  expect(await third.evaluate(() => window.state)).toMatchObject({ fromCache: true, pendingWrites: 1 });
  network.restore();
  await third.waitForFunction(() => window.state?.status === "live" && window.state.pendingWrites === 0);
  const page = await third.evaluate(() => window.vibe.readOnce("notes"));
  expect(page.documents.map(({ data, revision }) => [data.title, revision]).sort()).toEqual([["offline", 1], ["stored", 1]]);
});

test.each(["none", "broken"])("without a shared worker (%s) a tab leads, and another takes over when it is closed", async (worker) => {
  query["worker"] = worker;
  const first = await tab();
  await live(first);
  const second = await tab();
  await live(second);
  await write(second, "by the follower");
  await shows(first, "by the follower");
  network.cut();
  await second.waitForFunction(() => window.connection?.status === "offline");
  await second.evaluate(() => void window.vibe.write("notes", { title: "waiting" }));
  await shows(first, "by the follower,waiting");
  await first.close();
  network.restore();
  await second.waitForFunction(() => window.state?.status === "live" && window.state.pendingWrites === 0);
  await shows(second, "by the follower,waiting");
  await write(second, "as the leader");
  await shows(second, "as the leader,by the follower,waiting");
});

test("signing out leaves nothing on the device", async () => {
  const page = await tab();
  await live(page);
  await write(page, "private");
  await shows(page, "private");
  expect(await stored(page)).toContain("private");
  network.cut();
  await page.evaluate(() => window.vibe.sessionChanged({ purge: true }));
  await shows(page, "");
  expect(await stored(page)).not.toContain("private");
});

async function tab(): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/?${new URLSearchParams(query)}`);
  return page;
}

async function live(page: Page): Promise<void> {
  await page.waitForFunction(() => window.state?.status === "live");
}

async function shows(page: Page, titles: string): Promise<void> {
  await page.waitForFunction((titles) => window.state !== undefined && window.titles() === titles, titles);
}

async function write(page: Page, title: string): Promise<void> {
  await page.evaluate(async (title) => void await window.vibe.write("notes", { title }), title);
}

// All that the origin's databases hold, as text.
async function stored(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const texts: string[] = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await settled(indexedDB.open(name!));
      for (const table of database.objectStoreNames) texts.push(JSON.stringify(await settled(database.transaction(table).objectStore(table).getAll())));
      database.close();
    }
    return texts.join();
  });
}

// As a bundler lays it out: the page, what it loads later, and the worker where the page looks for it.
async function bundle(): Promise<Map<string, string>> {
  const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const options = { bundle: true, format: "esm", target: "es2022", write: false, logLevel: "error" } as const;
  const [app, worker] = await Promise.all([
    build({ ...options, entryPoints: { app: source("app.ts") }, splitting: true, outdir: "/" }),
    build({ ...options, entryPoints: { "hub/worker": source("../../src/hub/worker.ts") }, outdir: "/" }),
  ]);
  return new Map([...app.outputFiles, ...worker.outputFiles].map(({ path, text }) => [path, text]));
}
