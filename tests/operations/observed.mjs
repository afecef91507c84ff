// A server with all that can be observed switched on, used the way people use it, with things in it that must never come out.
import { rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { assert } from "../checks.mjs";
import { Person } from "../oauth/provider.mjs";
import { execute, freePort, newFolder, pause, root, startServer } from "../processes.mjs";
import { startCollector } from "./collector.mjs";

export const vibe = `${root}scripts/vibe`;
export const metricsToken = "a-token-for-the-metrics-of-a-test";
export const secrets = { body: "s3cr3t-body", filter: "s3cr3t-filter", password: "s3cr3t horse battery", wrong: "wr0ng horse battery", address: "s3cr3t@mail.example" };
export const traceId = randomBytes(16).toString("hex");
export const parentId = randomBytes(8).toString("hex");
const traced = { traceparent: `00-${traceId}-${parentId}-01` };

export async function startObserved() {
  const folder = newFolder("operations");
  const data = `${folder}/data`;
  writeFileSync(`${folder}/metrics-token`, `${metricsToken}\n`);
  const collector = await startCollector();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer(vibe, ["serve", "--port", `${port}`, "--data", data], {
    env: {
      ...process.env, VIBE_PUBLIC_URL: url, VIBE_LOG: "json", Logging__LogLevel__Default: "Trace", VIBE_METRICS_TOKEN_FILE: `${folder}/metrics-token`,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_METRIC_EXPORT_INTERVAL: "500", OTEL_BSP_SCHEDULE_DELAY: "200",
    },
  });
  const command = async (...args) => (await execute(vibe, [...args, "--data", data])).stdout.trim();
  const scrape = async (headers = { authorization: `Bearer ${metricsToken}` }) => await fetch(`${url}/metrics`, { headers });
  return {
    url, data, server, collector, command, scrape,
    // Waits until a metric with these labels, and perhaps more, has a value.
    async metric(name, labels = {}, reached = (value) => value > 0) {
      const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      for (const end = Date.now() + 100_000; ; await pause(50)) {
        const lines = (await (await scrape()).text()).split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
        const found = lines.filter((line) => wanted.every((label) => line.includes(label)));
        if (found.some((line) => reached(Number(line.slice(line.lastIndexOf(" ") + 1))))) return;
        if (Date.now() > end) throw new Error(`no ${name} ${wanted} as expected, but:\n${lines.join("\n")}`);
      }
    },
    async stop() {
      server.kill("SIGTERM");
      await server.ended;
      collector.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// Reads and writes, follows, signs up and in, is refused, is revoked.
export async function use({ url, command }) {
  const token = await command("token", "--user", "somebody");
  const call = async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method, body: body && JSON.stringify(body), headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    });
    return { status: response.status, ...(await response.json()) };
  };
  const { id } = await call("POST", "/v1/documents", { collection: "diary", data: { text: secrets.body } }, traced);
  assert.match(id, /-/);
  const missing = await call("GET", `/v1/documents/${id.replace(/^.{8}/, "00000000")}`, undefined, traced);
  assert.equal(missing.status, 404);
  const list = `/v1/documents?${new URLSearchParams({ collection: "diary", filter: `data.text = "${secrets.filter}"` })}`;
  assert.equal((await call("GET", list, undefined, traced)).status, 200);

  const cursor = await follow(url, token, "&initial=true", (frame) => frame.ready?.cursor);
  await call("POST", "/v1/documents", { collection: "diary", data: { text: secrets.body } });
  await follow(url, token, `&cursor=${encodeURIComponent(cursor)}`, (frame) => frame.batch);

  const person = await Person.signUp(url, "somebody-else").catch((error) => { throw new Error(`sign-up: ${error.message}`); });
  await person.post("/auth/password/change", { currentPassword: "correct horse battery staple", newPassword: secrets.password });
  const refused = await person.fetch("/auth/password/sign-in", {
    method: "POST", headers: { origin: url, "content-type": "application/json" }, body: JSON.stringify({ identifier: "somebody-else", password: secrets.wrong }),
  });
  assert.equal(refused.status, 401, await refused.text());
  await person.post("/auth/mail/add", { address: secrets.address });
  await command("account", "disable", "somebody-else");
  return { token, id };
}

// Reads a live query until a frame says what is waited for.
async function follow(url, token, query, find) {
  const stop = new AbortController();
  const response = await fetch(`${url}/v1/documents:subscribe?collection=diary${query}`, {
    headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.any([stop.signal, AbortSignal.timeout(100_000)]),
  });
  assert.equal(response.status, 200);
  let text = "";
  try {
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (text += chunk).split("\n");
      text = lines.pop();
      const found = lines.filter(Boolean).map((line) => find(JSON.parse(line).result ?? JSON.parse(line))).find(Boolean);
      if (found) return found;
    }
  } finally {
    stop.abort();
  }
  throw new Error(`the stream ended without what was waited for: ${text}`);
}
