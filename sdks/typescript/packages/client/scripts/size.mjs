// Bundles the smallest app there is, and prints what the browser has to load: minified, and gzipped.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = fileURLToPath(new URL("..", import.meta.url));
const hello = `
import { createClient } from "@vibe/client";
createClient({ url: "http://vibe.localhost:5080" }).read("notes", {}, ({ data }) => console.log(data));
`;

/** @returns {Promise<{ name: string, minified: number, gzip: number }[]>} The parts, the first of them loaded at once. */
export async function measure() {
  const { outputFiles } = await build({
    stdin: { contents: hello, resolveDir: here, sourcefile: "hello.js" },
    bundle: true, minify: true, splitting: true, format: "esm", target: "es2022", write: false, outdir: "out", metafile: true,
  });
  const { outputFiles: [worker] } = await build({ entryPoints: [`${here}dist/hub/worker.js`], bundle: true, minify: true, format: "esm", target: "es2022", write: false });
  const size = ({ contents }) => ({ minified: contents.length, gzip: gzipSync(contents, { level: 9 }).length });
  const byPath = new Map(outputFiles.map((file) => [file.path.split("/").at(-1), file]));
  const first = reach(byPath, [...byPath.keys()].find((name) => name.startsWith("stdin")));
  const later = [...byPath.keys()].filter((name) => !first.has(name));
  const sum = (names) => [...names].map((name) => size(byPath.get(name))).reduce((a, b) => ({ minified: a.minified + b.minified, gzip: a.gzip + b.gzip }), { minified: 0, gzip: 0 });
  return [
    { name: "hello world", ...sum(first) },
    { name: "loaded with the first call, or in place of the worker", ...sum(later) },
    { name: "shared worker", ...size(worker) },
  ];
}

// What a file imports statically, itself included.
function reach(files, start, seen = new Set()) {
  if (seen.has(start)) return seen;
  seen.add(start);
  for (const [, name] of files.get(start).text.matchAll(/(?:from|import)"\.\/([^"]+)"/g)) reach(files, name, seen);
  return seen;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, minified, gzip } of await measure()) console.log(`${name}: ${minified} bytes minified, ${gzip} gzip`);
}
