// What goes wrong with servers, workers, tabs and devices, in a real browser.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { Proxy } from "../proxy.js";
import { TestServer } from "../server.js";
import { Site, launch, launchWithDisk } from "./site.js";
import { connection, live, openTab, shows, stored, write, writeLater } from "./tabs-of-notes.js";

let server: TestServer;
let site: Site;
let browser: Browser;
let network: Proxy;
let context: BrowserContext;
let users = 0;

beforeAll(async () => {
  [browser, site, server] = await Promise.all([launch(), Site.start("notes", fileURLToPath(new URL("notes.ts", import.meta.url))), TestServer.start()]);
  network = await Proxy.to(server.port);
});
afterAll(async () => {
  await browser?.close();
  network?.close();
  site?.stop();
  await server?.stop();
});
beforeEach(async () => {
  context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  site.options = { url: network.url, token: await server.token(`faults-${users++}`) };
});
afterEach(async () => {
  network.restore();
  await context.close();
});

const tab = (): Promise<Page> => openTab(context, site);
const titles = (count: number): string[] => Array.from({ length: count }, (_, index) => `note ${String(index).padStart(2, "0")}`);
const ends = (page: Page): Promise<string[]> => page.evaluate(() => window.notes.ends!);
const once = (of: readonly string[]): string[] => of.map((title) => `${title} 1`);

test("the server is killed and comes back: what is queued goes, what was missed comes, each once", async () => {
  const [writing, watching] = [await tab(), await tab()];
  await Promise.all([live(writing), live(watching)]);
  await write(writing, "before");
  await shows(watching, "before");
  await server.kill();
  await Promise.all([connection(writing, "status", "offline"), connection(watching, "status", "offline")]);
  await writeLater(writing, titles(20));
  await shows(watching, ["before", ...titles(20)].join());
  await server.restart();
  expect(await ends(writing)).toEqual(once(titles(20)));
  for (const page of [writing, watching]) {
    await page.waitForFunction(() => window.notes.state?.status === "live" && window.notes.state.pendingWrites === 0 && window.notes.state.data.every(({ revision }) => revision === 1));
    await shows(page, ["before", ...titles(20)].join());
  }
});

test("the server is killed in the middle of writing: every write happens, and once", async () => {
  const page = await tab();
  await live(page);
  await writeLater(page, titles(60));
  await server.kill();
  await server.restart();
  expect(await ends(page)).toEqual(once(titles(60)));
  await page.waitForFunction(() => window.notes.state?.status === "live" && window.notes.state.pendingWrites === 0);
  await shows(page, titles(60).join());
});

test.each(["closed", "crashed"])("the leading tab is %s while another one's writes are on their way: each happens once, and is answered", async (how) => {
  site.options = { ...site.options, worker: "none" };
  const leading = await tab();
  await live(leading);
  const other = await tab();
  await live(other);
  await writeLater(other, titles(40));
  if (how === "closed") {
    await leading.close();
  } else {
    const crashed = leading.waitForEvent("crash");
    const devtools = await context.newCDPSession(leading);
    devtools.send("Page.crash").catch(() => undefined);
    await crashed;
  }
  expect(await ends(other)).toEqual(once(titles(40)));
  await other.waitForFunction(() => window.notes.state?.status === "live" && window.notes.state.pendingWrites === 0);
  await shows(other, titles(40).join());
  await write(other, "later");
  await shows(other, ["later", ...titles(40)].join());
});

test("the shared worker dies: a tab goes on with what was queued, and all tabs with it", async () => {
  const tabs = [await tab(), await tab()] as const;
  await Promise.all(tabs.map(live));
  await write(tabs[0], "before");
  network.cut();
  await connection(tabs[1], "status", "offline");
  await writeLater(tabs[1], titles(3));
  const devtools = await browser.newBrowserCDPSession();
  const { targetInfo } = await (await context.newCDPSession(tabs[0])).send("Target.getTargetInfo");
  const { targetInfos } = await devtools.send("Target.getTargets");
  const workers = targetInfos.filter(({ type, browserContextId }) => type === "shared_worker" && browserContextId === targetInfo.browserContextId);
  expect(workers).toHaveLength(1);
  await devtools.send("Target.closeTarget", { targetId: workers[0]!.targetId });
  network.restore();
  expect(await ends(tabs[1])).toEqual(once(titles(3)));
  for (const page of tabs) {
    await page.waitForFunction(() => window.notes.state?.status === "live" && window.notes.state.pendingWrites === 0);
    await shows(page, ["before", ...titles(3)].join());
  }
  await write(tabs[0], "after");
  await shows(tabs[1], ["after", "before", ...titles(3)].join());
  // A tab that comes later finds them.
  const third = await tab();
  await live(third);
  await shows(third, ["after", "before", ...titles(3)].join());
});

test("the device has no room: all goes on from memory, the app can say so, and later everything is kept again", async () => {
  await context.close();
  // Only on a disk is there a quota that the browser watches over.
  const folder = mkdtempSync(`${tmpdir()}/vibe-sdk-profile-`);
  context = await launchWithDisk(folder);
  context.setDefaultTimeout(60_000);
  onTestFinished(async () => {
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const blank = await context.newPage();
  const devtools = await context.newCDPSession(blank);
  // Before the browser has looked for the first time how much room there is.
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: site.origin, quotaSize: 500_000 });
  const page = await tab();
  await live(page);
  await connection(page, "storage", "persistent");
  const written = await page.evaluate(async () => {
    const { vibe } = window.notes;
    const titles: string[] = [];
    while (vibe.connection.storage !== "full" && titles.length < 50) {
      titles.push(`note ${String(titles.length).padStart(2, "0")}`);
      // Nothing that a disk could store in less.
      const text = Array.from(crypto.getRandomValues(new Uint16Array(20_000)), (code) => String.fromCharCode(32 + code % 20_000)).join("");
      await vibe.write("notes", { title: titles.at(-1)!, text } as { title: string });
    }
    return titles;
  });
  expect(await page.evaluate(() => window.notes.connection?.storage)).toBe("full");
  await shows(page, written.join());
  network.cut();
  await connection(page, "status", "offline");
  await writeLater(page, ["queued"]);
  await shows(page, [...written, "queued"].join());

  await devtools.send("Storage.overrideQuotaForOrigin", { origin: site.origin });
  // As when the person comes back to the tab, however often that takes: browsers remember for a while how much room there was.
  await page.waitForFunction(() => {
    dispatchEvent(new Event("online"));
    return window.notes.connection?.storage === "persistent";
  }, undefined, { polling: 500 });
  const text = await stored(page);
  for (const title of [...written, "queued"]) expect(text).toContain(title);
  await page.close();
  const later = await tab();
  await shows(later, [...written, "queued"].join());
  expect(await later.evaluate(() => window.notes.state)).toMatchObject({ fromCache: true, pendingWrites: 1 });
  network.restore();
  await later.waitForFunction(() => window.notes.state?.status === "live" && window.notes.state.pendingWrites === 0);
  await shows(later, [...written, "queued"].join());
});
