import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createClient } from "@vibe/client";
import type { Document } from "@vibe/client";
import type { BrowserContext, Browser, Page } from "playwright-core";
import { renderToReadableStream, renderToString } from "react-dom/server";
import { Suspense } from "react";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { allow, createAccount, createApp } from "../../client/test/browser/people.js";
import { Site, launch } from "../../client/test/browser/site.js";
import { Proxy } from "../../client/test/proxy.js";
import { VibeProvider, useQuery, useSuspenseQuery } from "../src/index.js";
import { App } from "./app.js";
import type { Post } from "./app.js";

const { url: api, data } = inject("server");
const url = api.replace("127.0.0.1", "vibe.localhost");
const styles = readFileSync(new URL("../src/styles.css", import.meta.url), "utf8");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let browser: Browser;
let site: Site;
let context: BrowserContext;
let page: Page;
let network: Proxy;

// A server has no session and asks nobody.
const silent = (): Promise<Response> => Promise.reject(new Error("rendering on a server asked the network"));
const serverClient = createClient<{ posts: Post }>({ url, app: "did:web:vibe.localhost:apps:x", fetch: silent });

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), Site.start("react", new URL("page.tsx", import.meta.url).pathname)]);
  network = await Proxy.to(Number(new URL(api).port));
  site.options = { url: network.url.replace("127.0.0.1", "vibe.localhost"), longestPauseMs: 200, app: await createApp(api, data, site.origin), auth: { scope: "timeline" } };
  site.html = `<style>:root { color-scheme: light dark; background: Canvas } ${styles}</style><main>${renderToString(<App client={serverClient} />)}</main>`;
  context = await browser.newContext({ locale: "en-GB" });
  context.setDefaultTimeout(60_000);
});
afterAll(async () => {
  await browser?.close();
  network?.close();
  site?.stop();
});

async function open(path = "/"): Promise<Page> {
  const opened = await context.newPage();
  await opened.goto(site.origin + path);
  return opened;
}

const shows = (where: Page, id: string, text: string): Promise<unknown> =>
  where.waitForFunction(([id, text]) => document.querySelector(`[data-testid=${id}]`)?.textContent?.trim() === text, [id, text]);

async function accessibilityFaults(): Promise<string[]> {
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    `${axe}; axe.run({ include: [".vibe-sign-in", ".vibe-user-menu", ".vibe-consents"].filter((name) => document.querySelector(name)) }, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] })`);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

const press = (where: Page, name: string): Promise<void> => where.getByRole("button", { name, exact: true }).click();

test("on a server: what it has read is shown, live queries wait for the browser", async () => {
  const document = { id: "1", data: { title: "from the server", rank: 1 } } as Document<Post>;
  function Live(): string {
    return useQuery("posts", {}, { initialData: [document] }).data.map(({ data }) => data.title).join();
  }
  expect(renderToString(<VibeProvider client={serverClient}><Live /></VibeProvider>)).toBe("from the server");
  function Suspended(): string {
    return useSuspenseQuery("posts").status;
  }
  const stream = await renderToReadableStream(<VibeProvider client={serverClient}><Suspense fallback="waiting"><Suspended /></Suspense></VibeProvider>, { onError: () => {} });
  expect(await new Response(stream).text()).toContain("waiting");
  expect(renderToString(<App client={serverClient} />)).toContain("loading");
});

test("the button signs in, what a server has rendered is taken over without a fault", async () => {
  page = await open("/?name=ann");
  await shows(page, "session", "signedOut");
  const [popup] = await Promise.all([context.waitForEvent("page"), press(page, "Continue with Vibe")]);
  await popup.getByRole("button", { name: "Create an account" }).click();
  await createAccount(popup, "reactor");
  await allow(popup, url);
  await shows(page, "session", "signedIn reactor");
  expect(await page.getByRole("button", { name: "Continue with Vibe" }).count()).toBe(0);
  await shows(page, "query", "live false 0");
  expect(await page.evaluate(() => window.faults)).toEqual([]);
});

test("what is written shows everywhere, and the mutation tells how it went", async () => {
  await shows(page, "suspended", "live");
  for (const rank of [1, 2, 3]) {
    await press(page, "Add");
    await shows(page, "added", `success post ${rank} 0`);
  }
  expect(await page.getByTestId("all").getByRole("listitem").allTextContents()).toEqual(["post 1", "post 2", "post 3"]);
  await shows(page, "suspended", "live post 2,post 3");
  await shows(page, "second", "post 2");
  await shows(page, "heard", "3");
  await shows(page, "query", "live false 0");
});

test("another query keeps what the one before showed until it knows", async () => {
  await shows(page, "changing", "post 1,post 2,post 3");
  await page.evaluate(() => {
    const [data, status] = ["changing", "changing-status"].map((name) => document.querySelector(`[data-testid=${name}]`)!);
    const states = (window as unknown as { states: string[] }).states = [] as string[];
    new MutationObserver(() => states.push(`${status!.textContent}: ${data!.textContent}`)).observe(data!.parentElement!, { childList: true, characterData: true, subtree: true });
  });
  await press(page, "Fewer");
  await shows(page, "changing", "post 2,post 3");
  await shows(page, "changing-status", "live");
  const states = await page.evaluate(() => (window as unknown as { states: string[] }).states);
  expect(states).toContain("pending: post 1,post 2,post 3");
  expect(states.filter((state) => state.endsWith(": "))).toEqual([]);
});

test("a list grows by pages, and stays live as a whole", async () => {
  await shows(page, "pages", "post 3,post 2");
  await page.evaluate(() => {
    const output = document.querySelector("[data-testid=pages]")!;
    const seen = (window as unknown as { seen: string[] }).seen = [] as string[];
    new MutationObserver(() => seen.push(output.textContent)).observe(output, { childList: true, characterData: true, subtree: true });
  });
  await press(page, "More");
  await shows(page, "pages", "post 3,post 2,post 1");
  // Nothing was taken away while more came.
  for (const text of await page.evaluate(() => (window as unknown as { seen: string[] }).seen)) expect(text).toMatch(/^post 3,post 2/);
  await press(page, "Add");
  await shows(page, "pages", "post 4,post 3,post 2,post 1");
});

test("a refused write is shown, taken back, and told", async () => {
  await page.evaluate(() => {
    const list = document.querySelector("[data-testid=all]")!;
    const seen = (window as unknown as { titles: string[] }).titles = [] as string[];
    new MutationObserver(() => seen.push(list.textContent)).observe(list, { childList: true, subtree: true });
  });
  await press(page, "Refuse");
  await shows(page, "refused", "error INVALID_ARGUMENT 0");
  await page.waitForFunction(() => !document.querySelector("[data-testid=all]")!.textContent.includes("refused"));
  expect(await page.evaluate(() => (window as unknown as { titles: string[] }).titles.some((text) => text.includes("refused")))).toBe(true);
});

test("without a network a mutation is queued, shown, and ends when the network is back", async () => {
  network.cut();
  await shows(page, "connection", "offline");
  await press(page, "Add");
  await shows(page, "added", "queued  1");
  await shows(page, "query", "offline true 1");
  expect(await page.getByTestId("all").getByRole("listitem").allTextContents()).toContain("post 5");
  network.restore();
  await shows(page, "added", "success post 5 0");
  await shows(page, "query", "live false 0");
});

test("presence: who comes is seen, what they say is heard, who goes is gone", async () => {
  await shows(page, "present", "online ann");
  const other = await open("/?name=bob");
  await shows(page, "present", "online ann,bob");
  await shows(other, "present", "online ann,bob");
  await press(other, "Say");
  await shows(page, "message", "from bob");
  await other.close();
  await shows(page, "present", "online ann");
});

test("the list of consents asks for what is missing", async () => {
  const likes = page.getByRole("listitem").filter({ hasText: "Remember likes" });
  await page.getByRole("listitem").filter({ hasText: "Post" }).getByText("Allowed").waitFor();
  const devtools = await context.newCDPSession(page);
  await devtools.send("FedCm.enable", { disableRejectionDelay: true });
  devtools.on("FedCm.dialogShown", ({ dialogId, dialogType }) => {
    if (dialogType === "AccountChooser") void devtools.send("FedCm.selectAccount", { dialogId, accountIndex: 0 });
  });
  const joined = page.waitForRequest((request) => request.url().endsWith("/JoinChannel"));
  const [popup] = await Promise.all([context.waitForEvent("page"), likes.getByRole("button", { name: "Allow Remember likes" }).click()]);
  await allow(popup, url);
  await likes.getByText("Allowed").waitFor();
  // The session is another one now, and the one before has ended: what hung on it comes back.
  await joined;
  await shows(page, "present", "online ann");
});

// Each property, where it shows, and what it shows as.
const theme = [
  ["--vibe-accent", ".vibe-avatar", "background-color", "rgb(1, 2, 3)"],
  ["--vibe-on-accent", ".vibe-avatar", "color", "rgb(251, 252, 253)"],
  ["--vibe-surface", ".vibe-panel", "background-color", "rgb(241, 242, 243)"],
  ["--vibe-text", ".vibe-consents", "color", "rgb(11, 12, 13)"],
  ["--vibe-muted", ".vibe-allowed", "color", "rgb(71, 72, 73)"],
  ["--vibe-error", ".vibe-error", "color", "rgb(151, 12, 13)"],
  ["--vibe-border", ".vibe-panel", "border-top-color", "rgb(91, 92, 93)"],
  ["--vibe-radius", ".vibe-panel", "border-top-left-radius", "13px"],
  ["--vibe-font", ".vibe-consents", "font-family", "monospace"],
] as const;

test("the components look as the properties around them say, and as before without them", async () => {
  const look = (): Promise<string[]> => page.evaluate((theme) => theme.map(([, where, what]) => getComputedStyle(document.querySelector(where)!).getPropertyValue(what)), theme);
  const before = await look();
  await page.evaluate((theme) => theme.forEach(([name, , , value]) => document.body.style.setProperty(name, value)), theme);
  expect(await look()).toEqual(theme.map(([, , , value]) => value));
  await page.evaluate((theme) => theme.forEach(([name]) => document.body.style.removeProperty(name)), theme);
  expect(await look()).toEqual(before);
  expect(before.filter((value, index) => value === theme[index]![3])).toEqual([]);
});

test("the menu works by keyboard, and signs out", async () => {
  const button = page.getByRole("button", { name: "Account of reactor" });
  await button.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Sign out" }).and(page.locator(":focus")).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Account of reactor", expanded: false }).and(page.locator(":focus")).waitFor();
  await page.keyboard.press("Enter");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect((await page.locator(".vibe-panel").boundingBox())!.x).toBeGreaterThanOrEqual(0);
    if (process.env["SCREENSHOTS"]) await page.screenshot({ path: `${process.env["SCREENSHOTS"]}/react-${colorScheme}.png` });
    expect(await accessibilityFaults()).toEqual([]);
  }
  await press(page, "Sign out");
  await shows(page, "session", "signedOut");
  await page.waitForFunction(() => document.querySelector("[data-testid=all]")!.children.length === 0);
  await page.getByRole("button", { name: "Continue with Vibe" }).waitFor();
  expect(await accessibilityFaults()).toEqual([]);
});
