// Headless Chromium for the suites, and what holds for every page in it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { assert } from "../checks.mjs";
import { root } from "../processes.mjs";
import { contrastFaults } from "./contrast.mjs";

const require = createRequire(`${root}tests/conformance/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// CHROMIUM names another one than the system's.
export function launch(...more) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...more],
  });
}

// From now on: what a person would find in the console. A request that is refused is reported there by Chromium itself.
export function complaintsOf(page, expected = /Failed to load resource.*status of 4/) {
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !expected.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return complaints;
}

export async function fits(page, name) {
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= page.viewportSize().width, `${name} is wider than the window`);
  assert.deepEqual(await page.evaluate(contrastFaults), [], name);
}

export async function isAccessible(page, name) {
  const { violations } = await page.evaluate(`${axe}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] })`);
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`), [], name);
}

// SCREENSHOTS=DIR keeps pictures.
export async function picture(page, name, options) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.jpg`, type: "jpeg", quality: 60, ...options });
}

// Allows what an app asks for. The button does nothing at first: a click meant for what was there before must not count.
export async function allow(page) {
  const button = page.getByRole("button", { name: "Allow" });
  await button.waitFor();
  while (!page.isClosed() && await button.isVisible().catch(() => false)) await button.click({ timeout: 1_000 }).catch(() => {});
}
