// The packages as an app gets them: from the packed tarballs, with nothing of the repository around.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { execute } from "../../../../../tests/processes.mjs";
import { launch } from "./browser/site.js";
import { tokenFor } from "./server.js";

const { url, data } = inject("server");
const packages = fileURLToPath(new URL("../../", import.meta.url));
const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const folder = mkdtempSync(`${tmpdir()}/vibe-package-`);
const files = {
  "package.json": '{"type":"module"}',
  "index.html": '<div id="root"></div><script type="module" src="/page.tsx"></script>',
  "types.d.ts": `
    interface Note { title: string; done?: boolean }
    declare module "@vibe/react" { interface Register { collections: { notes: Note } } }
    export type { Note };`,
  "notes.tsx": `
    import { SignInButton, VibeProvider, useMutation, useQuery } from "@vibe/react";
    import type { AppClient } from "@vibe/react";
    import type {} from "./types.js";

    export const Notes = ({ vibe }: { vibe: AppClient }) => <VibeProvider client={vibe}><SignInButton /><List /></VibeProvider>;
    function List() {
      const { data, status } = useQuery("notes", { where: (note) => note("done").ne(true), orderBy: (note) => note("title").asc() });
      const add = useMutation((vibe, title: string) => vibe.write("notes", { title }));
      return <><button onClick={() => void add.run("note " + data.length)}>Add</button><output>{status} {data.map(({ data }) => data.title).join()}</output></>;
    }`,
  "program.tsx": `
    import { createClient, VibeError } from "@vibe/client";
    import type { Live } from "@vibe/client";
    import { DocumentScope } from "@vibe/client/documents/v1/query";
    import { renderToString } from "react-dom/server";
    import { Notes } from "./notes.js";
    import type { Note } from "./types.js";

    export const vibe = createClient<{ notes: Note }>({ url: "http://127.0.0.1:9", timeoutMs: 100 });
    console.log(renderToString(<Notes vibe={vibe} />));
    const show = ({ data, status }: Live<Note>): void => console.log(status, data.length, DocumentScope.ALL);
    const stop = vibe.read("notes", { where: (f) => f("done").ne(true) }, (state) => {
      show(state);
      if (state.status !== "offline") return;
      stop();
      vibe.readOnce("notes").catch((error: unknown) => console.log(error instanceof VibeError && error.reason)).finally(() => vibe.close());
    });`,
  "page.tsx": `
    import { createClient } from "@vibe/client";
    import "@vibe/react/styles.css";
    import { createRoot } from "react-dom/client";
    import { Notes } from "./notes.js";
    import type { Note } from "./types.js";

    const [url, token] = location.hash.slice(1).split(",").map(decodeURIComponent) as [string, string];
    createRoot(document.querySelector("#root")!).render(<Notes vibe={createClient<{ notes: Note }>({ url, token: () => token })} />);`,
  "css.d.ts": 'declare module "*.css";',
};
let browser: Browser | undefined;

beforeAll(async () => {
  mkdirSync(`${folder}/node_modules/@vibe`, { recursive: true });
  for (const name of ["client", "react"]) {
    await execute("npm", ["run", "build", "--prefix", packages + name]);
    await execute("npm", ["pack", packages + name, "--pack-destination", folder]);
    mkdirSync(`${folder}/node_modules/@vibe/${name}`);
    await execute("tar", ["-xzf", `${folder}/vibe-${name}-0.1.0.tgz`, "-C", `${folder}/node_modules/@vibe/${name}`, "--strip-components", "1"]);
  }
  for (const name of ["@bufbuild", "@connectrpc", "@types", "react", "react-dom"]) symlinkSync(`${modules}/${name}`, `${folder}/node_modules/${name}`);
  for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text);
}, 300_000);
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

test.each([["nodenext", "nodenext"], ["esnext", "bundler"]])("they compile in strict TypeScript (%s, %s), their own declarations too", async (module, resolution) => {
  const strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--skipLibCheck", "false"];
  await execute(`${modules}/.bin/tsc`, [
    ...strict, "--target", "es2022", "--module", module, "--moduleResolution", resolution, "--lib", "es2022,dom,dom.iterable", "--jsx", "react-jsx", "--types", "",
    "--ignoreConfig", "--rootDir", folder, "--outDir", `${folder}/out-${resolution}`, ...["css.d.ts", "program.tsx", "page.tsx"].map((name) => `${folder}/${name}`),
  ]).catch(({ stdout }: { stdout: string }) => expect(stdout).toBe(""));
}, 180_000);

test("they run in Node", async () => {
  const { stdout } = await execute("node", [`${folder}/out-nodenext/program.js`]);
  expect(stdout).toMatch(/<button[^>]*>Continue with Vibe<\/button>.*<output>pending/);
  expect(stdout).toContain("offline 0 4");
  expect(stdout.trim().split("\n").at(-1)).toMatch(/UNREACHABLE|DEADLINE_EXCEEDED/);
});

test("Vite builds them, the shared worker as a file of its own that works, and a page loads at first only what a live query needs", async () => {
  await execute(`${modules}/.bin/vite`, ["build", folder, "--logLevel", "error"]);
  const built = readdirSync(`${folder}/dist/assets`);
  const first = built.find((name) => name.startsWith("index") && name.endsWith(".js"))!;
  expect(readFileSync(`${folder}/dist/assets/${first}`, "utf8")).not.toContain("vibe.documents.v1.Document");

  const site = createServer((request, response) => {
    const path = `${folder}/dist${request.url === "/" ? "/index.html" : request.url}`;
    if (!existsSync(path)) return void response.writeHead(404).end();
    response.setHeader("content-type", { ".html": "text/html", ".css": "text/css" }[extname(path)] ?? "text/javascript").end(readFileSync(path));
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  try {
    const origin = `http://built.localhost:${(site.address() as AddressInfo).port}`;
    browser = await launch();
    const context = await browser.newContext();
    context.setDefaultTimeout(60_000);
    // However slow the machine, no tab loses its patience and does the worker's work.
    await context.addInitScript(() => {
      const start = globalThis.setTimeout;
      globalThis.setTimeout = ((run: () => void, ms = 0) => (ms >= 5_000 ? 0 : start(run, ms))) as typeof setTimeout;
    });
    const address = `${origin}/#${[url, await tokenFor(data, "packed")].map(encodeURIComponent).join(",")}`;
    const [one, other] = [await context.newPage(), await context.newPage()];
    await Promise.all([one.goto(address), other.goto(address)]);
    await one.getByText("live", { exact: true }).waitFor();
    await one.getByRole("button", { name: "Add" }).click();
    for (const page of [one, other]) await page.getByText("live note 0", { exact: true }).waitFor();
    const { targetInfos } = await (await browser.newBrowserCDPSession()).send("Target.getTargets");
    expect(targetInfos.filter(({ type }) => type === "shared_worker").map(({ url }) => url)).toEqual([expect.stringMatching(`^${origin}/assets/worker`)]);
    // The stream is the worker's, not a page's.
    for (const page of [one, other]) expect(await page.evaluate((url) => performance.getEntriesByType("resource").filter(({ name }) => name.startsWith(url)).length, url)).toBe(0);
  } finally {
    site.close();
    site.closeAllConnections();
  }
}, 180_000);
