// Tells the server what vibe.json says, and writes the app's DID into .env. Run it again when vibe.json has changed.
import { readFileSync, writeFileSync } from "node:fs";

const text = readFileSync(".env", "utf8");
const url = /^VITE_VIBE_URL=(.*)$/m.exec(text)[1];
const { name } = JSON.parse(readFileSync("package.json", "utf8"));
const manifest = JSON.parse(readFileSync("vibe.json", "utf8"));
const token = process.env.VIBE_TOKEN;
if (!token) fail("VIBE_TOKEN is not set. Where the server runs, `scripts/vibe token --user demo --scope account` prints one.");

let answer = await call("POST", "/v1/apps", { name, manifest });
if (answer.status === 409) answer = await call("PATCH", `/v1/apps/${name}`, { manifest });
if (!answer.ok) fail(`the server refused: ${await reasonOf(answer)}`);
const { did } = await answer.json();
writeFileSync(".env", text.replace(/^VITE_VIBE_APP=.*$/m, `VITE_VIBE_APP=${did}`));
console.log(`${name} is registered at ${url}: ${did}`);

async function call(method, path, body) {
  // Browsers find names under localhost by themselves; Node does not.
  const target = new URL(path, url);
  if (target.hostname.endsWith(".localhost")) target.hostname = "localhost";
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return fetch(target, { method, headers, body: JSON.stringify(body) }).catch(() => fail(`${url} cannot be reached.`));
}

async function reasonOf(answer) {
  const body = await answer.text();
  try {
    const { message, details = [] } = JSON.parse(body).error;
    const fields = details.flatMap(({ fieldViolations = [] }) => fieldViolations).map(({ field, description }) => `${field} ${description}`);
    return fields.join(", ") || message;
  } catch {
    return `${answer.status} ${body}`;
  }
}

function fail(sentence) {
  console.error(`register: ${sentence}`);
  process.exit(1);
}
