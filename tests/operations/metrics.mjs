// What Prometheus is told: in its format, under names that stay, with labels that do not grow with people and documents.
import parse from "parse-prometheus-text-format";
import { assert, check } from "../checks.mjs";
import { metricsToken, secrets } from "./observed.mjs";

export async function metrics(server, used) {
  await check("/metrics answers to nobody without the token", async () => {
    for (const headers of [{}, { authorization: "Bearer another-token-of-some-length" }, { authorization: `Basic ${btoa(`:${metricsToken}`)}` }, { authorization: `Bearer ${used.token}` }]) {
      const response = await server.scrape(headers);
      assert.equal(response.status, 401);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
      assert.doesNotMatch(await response.text(), /rpc_server/);
    }
  });

  await check("/metrics keeps to the text format", async () => {
    const response = await server.scrape();
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    const text = await response.text();
    const { series, families } = grammar(text);
    const parsed = parse(text); // Somebody else's reading of the same text.
    assert.deepEqual(parsed.map(({ name }) => name).sort(), [...families.keys()].sort());
    assert.ok(series.size > 100);
    for (const { name, type } of parsed) assert.equal(type, families.get(name).toUpperCase(), name);
  });

  await check("what happened was counted", async () => {
    const documents = "vibe.documents.v1.DocumentsService";
    for (const [name, labels, reached] of [
      ["rpc_server_call_duration_seconds_count", { rpc_method: `${documents}/CreateDocument`, rpc_system_name: "http", rpc_response_status_code: "OK" }],
      ["rpc_server_failed_calls_total", { rpc_method: `${documents}/GetDocument`, rpc_response_status_code: "NOT_FOUND", rpc_error_reason: "DOCUMENT_NOT_FOUND" }],
      ["vibe_auth_sign_ins_total", { vibe_method: "pwd" }],
      ["vibe_auth_refusals_total", { http_route: "/auth/password/sign-in", vibe_reason: "SIGN_IN_FAILED" }],
      ["vibe_auth_revocation_delay_seconds_count"],
      ["vibe_auth_revocation_age_seconds", {}, (age) => age < 5],
      ["vibe_mails_total", { vibe_outcome: "sent" }],
      ["vibe_live_deliveries_total"],
      ["vibe_live_catch_ups_total", { vibe_source: "memory" }],
      ["vibe_live_streams", {}, (streams) => streams === 0],
      ["vibe_feed_live", {}, (live) => live === 1],
      ["vibe_feed_age_seconds", {}, (age) => age < 5],
      ["vibe_feed_delay_seconds_count"],
      ["vibe_feed_transactions_total"],
      ["vibe_sweeps_total", { vibe_outcome: "failed" }, (times) => times === 0],
      ["db_client_connection_max", { db_client_connection_pool_name: "vibe-read" }],
    ]) await server.metric(name, labels, reached);
  });

  await check("labels do not grow with callers, documents and addresses", async () => {
    const before = grammar(await (await server.scrape()).text()).series;
    const random = () => crypto.randomUUID();
    for (let round = 0; round < 10; round++) {
      await Promise.all([
        fetch(`${server.url}/v1/documents/${random()}`),
        fetch(`${server.url}/v1/documents?collection=c${random()}`),
        fetch(`${server.url}/${random()}`),
        fetch(`${server.url}/v1/documents/${random()}`, { headers: { authorization: `Bearer ${random()}`, "user-agent": random(), host: `${random()}.example` } }),
        round < 2 && fetch(`${server.url}/auth/password/sign-in`, { method: "POST", headers: { origin: server.url, "content-type": "application/json" }, body: JSON.stringify({ identifier: `x${random()}`, password: random() }) }),
        fetch(`${server.url}/.well-known/x`, { method: `M${random().slice(0, 4)}` }),
      ].filter(Boolean).map((call) => call.then((response) => response.arrayBuffer())));
    }
    const text = await (await server.scrape()).text();
    const added = [...grammar(text).series].filter((name) => !before.has(name) && !/_bucket\{/.test(name));
    // A method, status or reason that was not seen before; never one for each of the 60 requests.
    assert.ok(added.length < 40, added.join("\n"));
    for (const secret of [...Object.values(secrets), used.token, used.id, "diary", "somebody", "did:web", "Host="]) assert.ok(!text.includes(secret), secret);
  });
}

// The format as its description has it: https://prometheus.io/docs/instrumenting/exposition_formats/.
export function grammar(text) {
  const name = "[a-zA-Z_:][a-zA-Z0-9_:]*";
  const label = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"`;
  const sample = new RegExp(`^(${name})(\\{(?:${label}(?:,${label})*)?\\})? (NaN|[+-]Inf|-?[0-9.]+(?:[eE][+-]?[0-9]+)?)$`);
  const series = new Set();
  const buckets = new Map(); // What the buckets of a histogram have counted so far: each holds those before it, and the last one all.
  const families = new Map();
  let current;
  assert.ok(text.endsWith("\n"));
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, family, rest] = line.match(/^# (HELP|TYPE) (\S+) (.*)$/) ?? [];
    if (kind === "HELP") {
      assert.ok(!families.has(family), `${family} stands in two places`);
    } else if (kind === "TYPE") {
      assert.ok(!families.has(family), `${family} stands in two places`);
      assert.match(rest, /^(counter|gauge|histogram)$/);
      assert.equal(rest === "counter", family.endsWith("_total"), family);
      families.set((current = family), rest);
    } else {
      const [, metric, labels = ""] = line.match(sample) ?? assert.fail(`not of the format: ${line}`);
      assert.ok(metric === current || (families.get(current) === "histogram" && /^_(bucket|sum|count)$/.test(metric.slice(current.length)) && metric.startsWith(current)), line);
      assert.ok(!series.has(metric + labels), `twice: ${line}`);
      series.add(metric + labels);
      const value = Number(line.slice(line.lastIndexOf(" ") + 1));
      const of = metric.replace(/_(bucket|count)$/, "") + labels.replace(/,?le="[^"]*"/, "").replace("{}", "");
      if (metric.endsWith("_bucket")) {
        assert.ok(value >= (buckets.get(of) ?? 0), `less than the bucket before: ${line}`);
        buckets.set(of, value);
      } else if (families.get(current) === "histogram" && metric.endsWith("_count")) {
        assert.equal(buckets.get(of), value, line);
      }
    }
  }
  return { series, families };
}
