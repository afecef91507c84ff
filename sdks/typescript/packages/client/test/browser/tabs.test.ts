import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { Proxy } from "../proxy.js";
import { tokenFor } from "../server.js";
import { Site, launch } from "./site.js";
import { live, openTab, shows, stored, write } from "./tabs-of-notes.js";

const { url, data } = inject("server");
let site: Site;
let browser: Browser;
let network: Proxy;
let context: BrowserContext;
let users = 0;

beforeAll(async () => {
  [browser, site, network] = await Promise.all([launch(), Site.start("notes", fileURLToPath(new URL("notes.ts", import.meta.url))), Proxy.to(Number(new URL(url).port))]);
});
afterAll(async () => {
  await browser?.close();
  network?.close();
  site?.stop();
});
beforeEach(async () => {
  context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  site.options = { url: network.url, token: await tokenFor(data, `tabs-${users++}`) };
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
  await first.waitForFunction(() => window.notes?.connection?.status === "offline");
  await first.evaluate(() => window.notes.vibe.write("notes", { title: "offline" }).queued);
  await first.close();
  await shows(second, "offline,stored");
  expect(await second.evaluate(() => window.notes?.connection)).toMatchObject({ pendingWrites: 1, storage: "persistent" });
  await second.close();

  const third = await tab();
  await shows(third, "offline,stored");
  expect(await third.evaluate(() => window.notes?.state)).toMatchObject({ fromCache: true, pendingWrites: 1 });
  network.restore();
  await third.waitForFunction(() => window.notes?.state?.status === "live" && window.notes.state.pendingWrites === 0);
  const page = await third.evaluate(() => window.notes.vibe.readOnce("notes"));
  expect(page.documents.map(({ data, revision }) => [data.title, revision]).sort()).toEqual([["offline", 1], ["stored", 1]]);
});

test.each(["none", "broken"])("without a shared worker (%s) a tab leads, and another takes over when it is closed", async (worker) => {
  site.options = { ...site.options, worker };
  const first = await tab();
  await live(first);
  const second = await tab();
  await live(second);
  await write(second, "by the follower");
  await shows(first, "by the follower");
  network.cut();
  await second.waitForFunction(() => window.notes?.connection?.status === "offline");
  await second.evaluate(() => void window.notes.vibe.write("notes", { title: "waiting" }));
  await shows(first, "by the follower,waiting");
  await first.close();
  network.restore();
  await second.waitForFunction(() => window.notes?.state?.status === "live" && window.notes.state.pendingWrites === 0);
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
  await page.evaluate(() => window.notes.vibe.sessionChanged({ purge: true }));
  await shows(page, "");
  expect(await stored(page)).not.toContain("private");
});

const tab = (): Promise<Page> => openTab(context, site);
