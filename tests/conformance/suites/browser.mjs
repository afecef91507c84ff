// connect-web in headless Chromium, on a page of another origin: CORS, exposed headers, streaming by fetch.
import { createServer } from "node:http";
import { once } from "node:events";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { assert, check } from "../../checks.mjs";

export async function run({ plain, tls, here }) {
  const { outputFiles } = await build({
    entryPoints: [`${here}suites/browser-page.mjs`], bundle: true, format: "esm", write: false, logLevel: "error",
  });
  const page = createServer((request, response) => {
    const script = request.url === "/page.js";
    response.setHeader("content-type", script ? "text/javascript" : "text/html");
    response.end(script ? outputFiles[0].text : "<!doctype html><title>page</title><script type=module src=/page.js></script>");
  }).listen(0, "127.0.0.1");
  await once(page, "listening");
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--ignore-certificate-errors"],
  });
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${page.address().port}/`);
    await tab.waitForFunction(() => globalThis.runChecks);
    for (const [where, url] of [["HTTP/1.1", plain], ["HTTP/2", tls]]) {
      for (const protocol of ["grpc-web", "connect", "connect GET"]) {
        for (const binary of [true, false]) {
          const name = `Chromium, ${protocol}, ${binary ? "proto" : "json"}, ${where}`;
          const results = await tab.evaluate((args) => globalThis.runChecks(args), { url, protocol, binary });
          for (const [what, error] of Object.entries(results)) await check(`${name}: ${what}`, async () => assert.equal(error, ""));
        }
      }
      await check(`Chromium, EventSource, ${where}: a stream as server-sent events`, async () =>
        assert.deepEqual(await tab.evaluate((base) => globalThis.readEvents(base), url), [{}, { index: 1 }, { index: 2 }]));
    }
  } finally {
    await browser.close();
    page.close();
  }
}
