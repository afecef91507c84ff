// Log lines for a machine: one JSON object each, with the request they belong to, and nothing that proves or tells anything of anybody.
import { assert, check } from "../checks.mjs";
import { metricsToken, secrets, traceId } from "./observed.mjs";

export async function logs({ server }, used) {
  const lines = server.errors.split("\n").filter(Boolean);

  await check("every line is a JSON object with time, level, category and message", async () => {
    assert.ok(lines.length > 100);
    for (const line of lines) {
      const { time, level, category, event, message } = JSON.parse(line);
      assert.ok(!Number.isNaN(Date.parse(time)) && /^(trace|debug|information|warning|error|critical)$/.test(level), line);
      assert.ok(typeof category === "string" && typeof event === "number" && typeof message === "string", line);
    }
  });

  await check("the lines of a request say its trace", async () => {
    const parsed = lines.map((line) => JSON.parse(line));
    const failed = parsed.find(({ traceId: of, fields }) => of === traceId && fields?.Method === "/vibe.documents.v1.DocumentsService/GetDocument");
    assert.equal(failed?.fields.Status, "NotFound");
    assert.match(failed.spanId, /^[0-9a-f]{16}$/);
    for (const line of parsed.filter(({ category }) => category.startsWith("Vibe.Rpc.Calls"))) assert.match(line.traceId, /^[0-9a-f]{32}$/);
  });

  await check("no line holds data or a secret, at any level", async () => {
    assert.match(server.errors, /"level":"trace"/);
    const parts = used.token.split(".").slice(1).map((part) => part.slice(0, 24));
    for (const secret of [...Object.values(secrets), ...parts, metricsToken]) {
      const line = lines.find((line) => line.includes(secret));
      assert.equal(line, undefined, `${secret}: ${line}`);
    }
  });
}
