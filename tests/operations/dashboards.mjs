// Dashboards and alerts ask for what a server tells: every metric and every label is there.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { assert, check } from "../checks.mjs";
import { root } from "../processes.mjs";
import { grammar } from "./metrics.mjs";

// What Prometheus adds by itself.
const added = { metrics: ["up"], labels: ["instance", "job"] };

export async function dashboards(server) {
  const { series } = grammar(await (await server.scrape()).text());
  const metrics = new Set([...series].map((one) => one.split("{")[0]).concat(added.metrics));
  const labels = new Set([...series].flatMap((one) => [...one.matchAll(/([a-zA-Z0-9_]+)="/g)].map(([, label]) => label)).concat(added.labels));
  const asks = (expressions) => {
    for (const expression of expressions) {
      const used = read(expression);
      assert.ok(used.metrics.length > 0, expression);
      for (const metric of used.metrics) assert.ok(metrics.has(metric), `there is no metric ${metric}: ${expression}`);
      for (const label of used.labels) assert.ok(labels.has(label), `there is no label ${label}: ${expression}`);
    }
  };

  await check("Grafana's dashboard shows what there is", () => {
    const { panels } = JSON.parse(readFileSync(`${root}deploy/grafana/dashboards/vibe.json`, "utf8"));
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    assert.ok(expressions.length > 20);
    asks(expressions);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  });

  await check("Prometheus' alerts watch what there is", () => {
    const { groups } = parse(readFileSync(`${root}deploy/prometheus/rules.yml`, "utf8"));
    const rules = groups.flatMap(({ rules }) => rules);
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
    for (const { alert, labels, annotations } of rules) assert.ok(/^(page|ticket)$/.test(labels.severity) && annotations.summary.length > 20, alert);
    asks(rules.map(({ expr }) => expr));
  });
}

// The metrics and labels of an expression: no parser of the language, but all that is written in these files.
function read(expression) {
  const bare = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const matched = [...bare.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)\s*(?:=~|!~|!=|=(?!=))/g)].map(([, label]) => label);
  const grouped = [...bare.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, list]) => list.split(",").map((label) => label.trim()));
  const rest = bare.replace(/\{[^}]*\}/g, "").replace(/\[[^\]]*\]/g, "").replace(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, "");
  return { metrics: [...rest.matchAll(/\b[a-zA-Z_:][a-zA-Z0-9_:]*\b(?!\s*\()/g)].map(([name]) => name), labels: [...matched, ...grouped] };
}
