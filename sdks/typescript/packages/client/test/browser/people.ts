// What people do on the server's own pages.
import type { Page } from "playwright-core";
import { expect, vi } from "vitest";
import { tokenFor } from "../server.js";

/** Registers the app of a site, called like the site; returns its DID. */
export async function createApp(api: string, data: string, origin: string): Promise<string> {
  const token = await tokenFor(data, "owner", "--scope", "account");
  const name = new URL(origin).hostname.split(".")[0]!;
  const response = await fetch(`${api}/v1/apps`, {
    method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({
      name,
      manifest: {
        displayName: name[0]!.toUpperCase() + name.slice(1), description: "A small social feed.", homepageUri: origin, policyUri: `${origin}/privacy`,
        origins: [origin], redirectUris: [`${origin}/callback`], visitorCollections: ["posts"],
        scopes: [
          { name: "timeline", grants: ["documents:posts:write"], descriptions: { en: "Show your posts to your followers" }, required: true },
          { name: "documents:likes:write", descriptions: { en: "Remember what you like" } },
        ],
      },
    }),
  });
  const app = await response.json() as { did: string };
  expect(response.status, JSON.stringify(app)).toBe(200);
  return app.did;
}

/** Fills in the page for new people. */
export async function createAccount(page: Page, handle: string): Promise<void> {
  await page.getByLabel("Handle").fill(handle);
  await page.getByRole("button", { name: "Use a password instead" }).click();
  await page.getByLabel("New password").fill("correct horse battery");
  await page.getByRole("button", { name: "Create account" }).click();
}

/** Allows what the app asks for. The button does nothing at first: a click meant for what was there before must not count. */
export async function allow(page: Page, url: string): Promise<void> {
  await page.getByRole("heading", { name: "asks for access" }).waitFor();
  await vi.waitFor(async () => {
    if (!page.isClosed() && page.url().startsWith(url)) await page.getByRole("button", { name: "Allow" }).click({ timeout: 3000 });
    expect(page.isClosed() || !page.url().startsWith(url)).toBe(true);
  }, 60_000);
}
