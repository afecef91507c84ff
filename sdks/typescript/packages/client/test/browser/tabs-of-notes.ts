// Tabs of the notes app (notes.ts), as the tests see them.
import type { BrowserContext, Page } from "playwright-core";
import type { Site } from "./site.js";

/** Opens a tab. */
export async function openTab(context: BrowserContext, site: Site): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.goto(site.origin);
  return page;
}

/** Waits until the tab's live query is complete and up to date. */
export async function live(page: Page): Promise<void> {
  await page.waitForFunction(() => window.notes?.state?.status === "live");
}

/** Waits until the tab shows exactly these titles. */
export async function shows(page: Page, titles: string): Promise<void> {
  await page.waitForFunction((titles) => window.notes?.state !== undefined && window.notes.titles() === titles, titles);
}

/** Writes a note; resolves when the server has it. */
export async function write(page: Page, title: string): Promise<void> {
  await page.evaluate(async (title) => void await window.notes.vibe.write("notes", { title }), title);
}

/** Writes notes; resolves when they are on their way. Their ends are in `window.notes.ends`. */
export async function writeLater(page: Page, titles: readonly string[]): Promise<void> {
  await page.evaluate(async (titles) => {
    const writes = titles.map((title) => window.notes.vibe.write("notes", { title }));
    window.notes.ends = Promise.all(writes.map((write) => write.then(({ data, revision }) => `${data.title} ${revision}`, (error) => error.reason as string)));
    await Promise.all(writes.map(({ queued }) => queued));
  }, titles);
}

/** Waits until the connection is as wanted. */
export async function connection(page: Page, key: "status" | "storage", wanted: string): Promise<void> {
  await page.waitForFunction(([key, wanted]) => window.notes?.connection?.[key as "status"] === wanted, [key, wanted]);
}

/** All that the origin's databases hold, as text. */
export async function stored(page: Page): Promise<string> {
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
