// Registers the two apps of this example with a running server, and writes down who they are: npm run setup
// VIBE_URL (http://vibe.localhost:5080), VIBE_DATA (its data directory), FEEDS_ORIGIN (http://localhost:5173).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { addressOf, here, settings, settingsFile, vibe } from "./vibe.mjs";

const url = process.env.VIBE_URL ?? "http://vibe.localhost:5080";
const origin = process.env.FEEDS_ORIGIN ?? "http://localhost:5173";
const owner = "feeds-owner";

await fetch(`${addressOf(url)}/healthz`).catch(() => {
  console.error(`No Vibe at ${url}. Start one in another terminal: ./scripts/dev-start.sh`);
  process.exit(1);
});
const known = settings();
const apps = new Map(vibe("app", "list").split("\n").map((line) => line.split("\t")));
const page = apps.get("feeds") ?? register("feeds");
const circle = apps.get("feeds-circle") ?? register("feeds-circle", "circle");
const secret = known.CIRCLE_APP === circle && known.CIRCLE_SECRET || await newSecret();
writeFileSync(settingsFile, `VITE_VIBE_URL=${url}
VITE_VIBE_APP=${page}
VITE_VIBE_CIRCLE=${circle}
CIRCLE_APP=${circle}
CIRCLE_SECRET=${secret}
`, { mode: 0o600 });
console.log(`feeds is ${page}`);

function register(name, file = name) {
  const folder = mkdtempSync(`${tmpdir()}/feeds-`);
  try {
    writeFileSync(`${folder}/manifest.json`, readFileSync(`${here}apps/${file}.json`, "utf8").replaceAll("http://localhost:5173", origin));
    return vibe("app", "create", name, `${folder}/manifest.json`, "--owner", owner);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// What the circle proves with that it is itself.
async function newSecret() {
  const response = await fetch(`${addressOf(url)}/v1/apps/feeds-circle/credentials`, {
    method: "POST",
    headers: { authorization: `Bearer ${vibe("token", "--user", owner, "--scope", "account")}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "this machine" }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`the circle got no secret: ${JSON.stringify(answer)}`);
  return answer.secret;
}
