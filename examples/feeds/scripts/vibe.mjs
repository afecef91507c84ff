// The repository's own `vibe` command, and what the scripts know of the installation.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const here = fileURLToPath(new URL("../", import.meta.url));
export const root = fileURLToPath(new URL("../../../", import.meta.url));

// Where the server keeps its data; that of dev-start.sh when not said.
export const data = process.env.VIBE_DATA ?? `${root}.vibe`;
export const settingsFile = process.env.FEEDS_SETTINGS ?? `${here}.env.local`;

// Runs `vibe …`; returns what it prints.
export function vibe(...args) {
  return execFileSync(`${root}scripts/vibe`, [...args, "--data", data], { encoding: "utf8" }).trim();
}

// What `setup` has written down.
export function settings() {
  if (!existsSync(settingsFile)) return {};
  return Object.fromEntries(readFileSync(settingsFile, "utf8").split("\n").filter(Boolean).map((line) => {
    const equals = line.indexOf("=");
    return [line.slice(0, equals), line.slice(equals + 1)];
  }));
}

// The server's address for Node, which does not know names under localhost.
export const addressOf = (url) => url.replace(/\/\/[a-z-]+\.localhost/, "//127.0.0.1");
