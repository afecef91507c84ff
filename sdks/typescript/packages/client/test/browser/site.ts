// An app's own site in a real browser.
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext } from "playwright-core";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Serves the bundled page at every path, with the options it was given. */
export class Site {
  options: object = {};
  /** What the page shows before any script runs. */
  html = "";

  private constructor(readonly origin: string, private readonly server: Server) {}

  static async start(name: string, entry: string = `${here}page.ts`): Promise<Site> {
    const { outputFiles } = await build({
      entryPoints: { "app": entry, "worker": `${here}../../src/hub/worker.ts` },
      bundle: true, splitting: true, format: "esm", target: "es2022", write: false, outdir: "/", jsx: "automatic",
    });
    const files = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
    const server = createServer((request, response) => {
      const file = files.get(new URL(request.url!, "http://site").pathname);
      response.setHeader("content-type", file ? "text/javascript" : "text/html");
      response.end(file ?? `<!doctype html><meta name="viewport" content="width=device-width"><title>${name}</title><link rel="icon" href="data:,">
        <body>${site.html || "<button>Sign in</button>"}<script>window.options = ${JSON.stringify(site.options)}</script><script type="module" src="/app.js"></script>`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const site = new Site(`http://${name}.localhost:${(server.address() as AddressInfo).port}`, server);
    return site;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

// CHROMIUM names another one than the system's.
const options = {
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

/** Headless Chromium. */
export function launch(): Promise<Browser> {
  return chromium.launch(options);
}

/** Headless Chromium of one person, which keeps what sites store in a folder, as far as their quota goes. */
export function launchWithDisk(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, options);
}
