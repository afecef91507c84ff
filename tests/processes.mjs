// Starts and stops the real server for the suites that look at it from outside.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../", import.meta.url));
export const execute = promisify(execFile);

// A folder of its own, for who needs one with a server's data in it. The database does not run as root: its user must get in.
export function newFolder(name) {
  const folder = mkdtempSync(`${tmpdir()}/vibe-${name}-`);
  chmodSync(folder, 0o755);
  return folder;
}

// A port nobody listens on.
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

// Starts a command that prints `ready: URL`; `ready` of the process resolves when it does, and rejects when it ends before.
export function spawnServer(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  child.output = [];
  child.errors = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (child.errors += text));
  child.ended = once(child, "exit");
  child.ready = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      child.output.push(line);
      if (line.startsWith("ready: ")) resolve();
    });
    child.ended.then(([code]) => reject(new Error(`ended with ${code} before it was ready: ${child.errors}`)));
  });
  return child;
}

// The same, for who waits: resolves with the process when it is ready.
export async function startServer(command, args, options) {
  const child = spawnServer(command, args, options);
  await child.ready;
  return child;
}

// Waits for a line of the process's output.
export async function outputLine(child, pattern, milliseconds = 120_000) {
  const until = Date.now() + milliseconds;
  for (;;) {
    const line = child.output.find((line) => pattern.test(line));
    if (line !== undefined) return line;
    if (Date.now() > until) throw new Error(`no line ${pattern} in:\n${child.output.join("\n")}\n${child.errors}`);
    await pause(20);
  }
}

// The process id of the embedded PostgreSQL of a data directory.
export const postmasterPid = (data) => Number(readFileSync(`${data}/cluster/postmaster.pid`, "utf8").split("\n")[0]);

export const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
