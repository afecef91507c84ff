// Installs and builds the SDK of this repository when that was not done, or when its sources are newer.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { root } from "./vibe.mjs";

const sdk = `${root}sdks/typescript`;
const npm = (...args) => execFileSync("npm", [...args, "--silent"], { cwd: sdk, stdio: ["ignore", "ignore", "inherit"] });

if (!existsSync(`${sdk}/node_modules`)) npm("install", "--no-save");
for (const name of ["client", "react"]) {
  const built = `${sdk}/packages/${name}/dist/index.js`;
  if (!existsSync(built) || newest(`${sdk}/packages/${name}/src`) > statSync(built).mtimeMs) npm("run", "build", "--workspace", `@vibe/${name}`);
}

function newest(folder) {
  return Math.max(...readdirSync(folder, { recursive: true }).map((file) => statSync(`${folder}/${file}`).mtimeMs));
}
