// Everything but the server: npm start. Builds the SDK, registers the apps, fills in some posts the first time, and runs the circle
// and Vite until Ctrl-C.
import { execFileSync, spawn } from "node:child_process";
import { here, settings } from "./vibe.mjs";

const run = (script) => execFileSync(process.execPath, [`${here}scripts/${script}.mjs`], { stdio: "inherit" });
const before = settings().VITE_VIBE_APP;
run("sdk");
run("setup");
if (settings().VITE_VIBE_APP !== before) run("seed");

const children = [["circle/serve.mjs"], ["node_modules/vite/bin/vite.js"]].map(([script]) => spawn(process.execPath, [here + script], { cwd: here, stdio: "inherit" }));
const stop = () => children.forEach((child) => child.kill("SIGTERM"));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop);
// One without the other is of no use.
children.forEach((child) => child.once("exit", stop));
