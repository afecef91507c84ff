import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { execute } from "../../../../../tests/processes.mjs";

const here = fileURLToPath(new URL("..", import.meta.url));
const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const folder = mkdtempSync(`${tmpdir()}/vibe-package-`);
const app = `
import { createClient, VibeError } from "@vibe/client";
import type { Live } from "@vibe/client";
import { DocumentScope } from "@vibe/client/documents/v1/query";

interface Note { title: string; done?: boolean }

export const vibe = createClient<{ notes: Note }>({ url: "http://127.0.0.1:9", timeoutMs: 100 });
const show = ({ data, status }: Live<Note>): void => console.log(status, data.length, DocumentScope.ALL);
const stop = vibe.read("notes", { where: (f) => f("done").ne(true) }, (state) => {
  show(state);
  if (state.status !== "offline") return;
  stop();
  vibe.readOnce("notes").catch((error: unknown) => console.log(error instanceof VibeError && error.reason)).finally(() => vibe.close());
});
`;

// As an app installs it: from the packed tarball, with nothing of the repository around.
beforeAll(async () => {
  await execute("npm", ["run", "build", "--prefix", here]);
  await execute("npm", ["pack", here, "--pack-destination", folder]);
  const [tarball] = readdirSync(folder);
  mkdirSync(`${folder}/node_modules/@vibe/client`, { recursive: true });
  await execute("tar", ["-xzf", `${folder}/${tarball}`, "-C", `${folder}/node_modules/@vibe/client`, "--strip-components", "1"]);
  for (const scope of ["@bufbuild", "@connectrpc"]) symlinkSync(`${modules}/${scope}`, `${folder}/node_modules/${scope}`);
  writeFileSync(`${folder}/package.json`, '{"type":"module"}');
  writeFileSync(`${folder}/app.ts`, app);
  writeFileSync(`${folder}/index.html`, '<script type="module" src="/app.ts"></script>');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a packed client compiles in strict TypeScript and runs in Node", async () => {
  await execute(`${modules}/.bin/tsc`, ["--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom", "--types", "", "--ignoreConfig", "--rootDir", folder, "--outDir", `${folder}/out`, `${folder}/app.ts`]);
  const { stdout } = await execute("node", [`${folder}/out/app.js`]);
  expect(stdout.trim().split("\n").at(-1)).toMatch(/UNREACHABLE|DEADLINE_EXCEEDED/);
  expect(stdout).toContain("offline 0 4");
});

test("Vite builds it, the shared worker as a file of its own, and loads at first only what a live query needs", async () => {
  await execute(`${modules}/.bin/vite`, ["build", folder, "--logLevel", "error"]);
  const files = readdirSync(`${folder}/dist/assets`);
  const text = (name: string): string => readFileSync(`${folder}/dist/assets/${name}`, "utf8");
  const worker = files.find((name) => name.startsWith("worker"));
  expect(worker).toBeDefined();
  expect(files.some((name) => name.startsWith("index") && text(name).includes(worker!))).toBe(true);
  const first = files.find((name) => name.startsWith("index"))!;
  expect(text(first)).not.toContain("vibe.documents.v1.Document");
});
