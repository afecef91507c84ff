// Checks the types of what the READMEs show. A block that imports starts a module; a block that does not goes on with the one
// before, in a scope of its own. Lines keep their numbers: what the compiler says of README.md is said of the README's own lines.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));
const readmes = ["README.md", "sdks/typescript/packages/client/README.md", "sdks/typescript/packages/react/README.md"];
// What an app has around it.
const prelude = `
declare module "*.css";
interface List { items: string[] }
declare const url: string;
declare const button: HTMLButtonElement;
declare function accessToken(): Promise<string>;
declare function show(...what: unknown[]): void;
declare const process: { env: Record<string, string | undefined> };
declare function load(name: string): Promise<string>;
declare function save(name: string, value: string): Promise<void>;
declare function mergeLists(base: List, mine: List, theirs: List): List;
`;
const options = {
  target: "es2022", module: "esnext", moduleResolution: "bundler", lib: ["es2023", "dom", "dom.iterable"], types: [], jsx: "react-jsx",
  strict: true, skipLibCheck: true, noEmit: true,
};

/** The modules of a README, each as its lines. */
function modulesOf(markdown) {
  const modules = [];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const language = /^```(tsx?)$/.exec(lines[at])?.[1];
    if (!language) continue;
    const end = lines.indexOf("```", at);
    const block = lines.slice(at + 1, end);
    const starts = block.some((line) => line.startsWith("import "));
    if (starts) modules.push({ language, lines: [] });
    const module = modules.at(-1);
    if (!module) throw new Error(`line ${at + 1}: the first block imports nothing`);
    while (module.lines.length < at) module.lines.push("");
    module.lines.push(starts ? "" : "{", ...block, starts ? "" : "}");
    at = end;
  }
  return modules;
}

const folder = mkdtempSync(`${tmpdir()}/vibe-snippets-`);
try {
  symlinkSync(`${here}node_modules`, `${folder}/node_modules`);
  writeFileSync(`${folder}/prelude.d.ts`, prelude);
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions: options }));
  let blocks = 0;
  for (const readme of readmes) {
    mkdirSync(`${folder}/${dirname(readme)}`, { recursive: true });
    const modules = modulesOf(readFileSync(root + readme, "utf8"));
    if (modules.length === 0) throw new Error(`${readme} shows no TypeScript`);
    modules.forEach(({ language, lines }, index) => writeFileSync(`${folder}/${readme}.${index + 1}.${language}`, `${lines.join("\n")}\nexport {};\n`));
    blocks += modules.length;
  }
  const { status, stdout } = spawnSync(`${here}node_modules/.bin/tsc`, ["-p", folder, "--pretty", "false"], { cwd: folder, encoding: "utf8" });
  console.log(stdout || `${blocks} modules of ${readmes.length} READMEs compile`);
  process.exitCode = status;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
