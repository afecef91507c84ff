#!/usr/bin/env node
// Writes a new app into a folder. It asks nothing, and installs nothing.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const usage = "usage: create-vibe-app <folder> [--template react|vanilla] [--url URL] [--app DID] [--port N] [--packages DIR]";
const help = `${usage}

  --template   react (default) or vanilla
  --url        the server's URL; default http://vibe.localhost:5080
  --app        the app's DID, when the server knows it already; else \`npm run register\` in the folder gets one
  --port       where \`npm run dev\` serves the app; default 5173
  --packages   a folder with packed tarballs of @vibe/client and @vibe/react, in place of the registry's`;
const templates = fileURLToPath(new URL("templates/", import.meta.url));

try {
  create(read(process.argv.slice(2)));
} catch (error) {
  console.error(`create-vibe-app: ${error.message}`);
  process.exitCode = 2;
}

function read(args) {
  const { values, positionals } = parse(args);
  if (values.help) {
    console.log(help);
    process.exit();
  }
  const { template = "react", url = "http://vibe.localhost:5080", app = "", port = "5173", packages } = values;
  if (positionals.length !== 1) throw new Error(`one folder is needed; ${usage}`);
  const folder = resolve(positionals[0]);
  const name = basename(folder);
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) throw new Error(`"${name}" cannot be an app's name: 1 to 63 characters of a-z, 0-9 and -, not beginning with -.`);
  if (!readdirSync(templates).includes(template) || template === "shared") throw new Error(`there is no template "${template}": react or vanilla.`);
  if (!URL.canParse(url) || !/^https?:\/\/[^/?#]+\/?$/.test(url)) throw new Error(`"${url}" is not a server's URL, such as https://vibe.example.`);
  if (app && !app.startsWith("did:")) throw new Error(`"${app}" is not a DID: it begins with did:.`);
  if (!/^\d+$/.test(port) || port < 1 || port > 65535) throw new Error("--port must be a number from 1 to 65535.");
  if (existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0)) throw new Error(`${folder} is there already, and not empty.`);
  return { folder, name, template, url: new URL(url).origin, app, port, packages };
}

function parse(args) {
  const text = { type: "string" };
  try {
    return parseArgs({ args, allowPositionals: true, options: { template: text, url: text, app: text, port: text, packages: text, help: { type: "boolean", short: "h" } } });
  } catch (error) {
    throw new Error(`${error.message.split(". ")[0]}; ${usage}`);
  }
}

function create({ folder, name, template, packages, ...values }) {
  const manifest = JSON.parse(readFileSync(join(templates, template, "package.json"), "utf8"));
  const tarballs = packages ? tarballsOf(manifest, resolve(packages)) : new Map();
  mkdirSync(folder, { recursive: true });
  for (const part of ["shared", template]) cpSync(join(templates, part), folder, { recursive: true });
  // npm leaves a .gitignore out of packages.
  renameSync(join(folder, "_gitignore"), join(folder, ".gitignore"));
  renameSync(join(folder, "_env"), join(folder, ".env"));
  // The packages become part of the app: it stays whole wherever it is moved.
  for (const [dependency, path] of tarballs) {
    cpSync(path, join(folder, "vendor", basename(path)));
    manifest.dependencies[dependency] = `file:vendor/${basename(path)}`;
  }
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  fill(folder, { name, title: titleOf(name), ...values });
  const here = relative(process.cwd(), folder) || ".";
  console.log(`${name} is in ${here}. Next:\n
  cd ${here}
  npm install${values.app ? "" : "\n  npm run register    # tells the server what vibe.json says; needs VIBE_TOKEN, see README.md"}
  npm run dev         # http://localhost:${values.port}`);
}

function tarballsOf({ dependencies }, packages) {
  return new Map(Object.keys(dependencies).filter((name) => name.startsWith("@vibe/")).map((name) => {
    const path = join(packages, `${name.slice(1).replace("/", "-")}-${dependencies[name]}.tgz`);
    if (!existsSync(path)) throw new Error(`${path} is not there.`);
    return [name, path];
  }));
}

function fill(folder, values) {
  for (const file of ["package.json", "index.html", "vibe.json", "README.md", ".env"]) {
    const path = join(folder, file);
    writeFileSync(path, readFileSync(path, "utf8").replaceAll(/\{\{(\w+)\}\}/g, (_, key) => values[key]));
  }
}

function titleOf(name) {
  const words = name.replaceAll("-", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
