// A person with a browser of their own at the app of page.ts, and what they do there.
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { SignInOptions } from "../../src/index.js";
import { allow, createAccount, createApp } from "./people.js";
import { Site } from "./site.js";

/** The app, registered with the server and served under a name. */
export class App {
  private people = 0;

  private constructor(private readonly name: string, readonly url: string, readonly did: string, readonly site: Site) {}

  static async start(api: string, data: string, name: string): Promise<App> {
    const site = await Site.start(name);
    const did = await createApp(api, data, site.origin);
    const url = api.replace("127.0.0.1", "vibe.localhost");
    site.options = { url, app: did, auth: { scope: "timeline" } };
    return new App(name, url, did, site);
  }

  /** Somebody new, without an account so far. */
  async person(browser: Browser): Promise<Person> {
    const context = await browser.newContext({ locale: "en-GB" });
    context.setDefaultTimeout(60_000);
    return new Person(this, context, `${this.name}-person-${++this.people}`);
  }
}

export class Person {
  constructor(private readonly app: App, readonly context: BrowserContext, public handle: string) {}

  /** A tab of the app, or of another address. */
  async open(address: string = this.app.site.origin): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(address);
    return page;
  }

  /** Makes an account, and has a session at the server, as after any earlier sign-in. */
  async signUp(): Promise<void> {
    const page = await this.open(`${this.app.url}/sign-up`);
    await createAccount(page, this.handle);
    await page.waitForURL(`${this.app.url}/account`);
  }

  /** The window that the app opens when its button is pressed. */
  async popup(page: Page, options: SignInOptions = {}): Promise<Page> {
    const [popup] = await Promise.all([this.context.waitForEvent("page"), press(page, { mode: "popup", ...options })]);
    return popup;
  }

  /** Allows what the app asks for in its window. */
  async allowInPopup(page: Page, options: SignInOptions = {}): Promise<void> {
    await allow(await this.popup(page, options), this.app.url);
  }

  /** A tab of the app in which the person, with a new account, has signed in. */
  async signedIn(): Promise<Page> {
    await this.signUp();
    const page = await this.open();
    await this.allowInPopup(page);
    await status(page, "signedIn");
    return page;
  }
}

/** Presses the button that calls `signIn` with these options. */
export async function press(page: Page, options: SignInOptions): Promise<void> {
  await page.evaluate((text) => (document.body.dataset["signIn"] = text), JSON.stringify(options));
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Waits until the session is as wanted. */
export async function status(page: Page, wanted: string): Promise<void> {
  await page.waitForFunction((wanted) => window.vibe?.session.status === wanted, wanted);
}

/** Follows all posts. */
export function follow(page: Page): Promise<void> {
  return page.evaluate(() => void window.vibe.read("posts", {}, (state) => (window.live = state)));
}

/** Writes a post; resolves with the reason when the server refuses it. */
export function write(page: Page, title: string): Promise<unknown> {
  return page.evaluate((title) => window.vibe.write("posts", { title }).then(() => undefined, (error) => error.reason), title);
}

/** Waits until the tab shows exactly these titles. */
export async function shows(page: Page, ...titles: string[]): Promise<void> {
  await page.waitForFunction((titles) => window.live?.data.map(({ data }) => data["title"]).sort().join() === titles, titles.join());
}
