// Mutates requests of the corpus for a while and looks at every answer. Findings are made small and kept in the corpus.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { setImmediate as breathe } from "node:timers/promises";
import { methodOf, methods } from "./contract.mjs";
import { findingOf, mostSeconds } from "./judge.mjs";
import { mutateBytes, mutateHttp, mutateMessage } from "./mutate.mjs";
import { meaningOf, protocols, requestOf, send } from "./wire.mjs";
import { corpusFolder, forms, found, valid } from "./world.mjs";

const callers = ["self", "self", "self", "stranger", "account", "app", "appForUser", "anotherUser", "admin"];
const workers = 16;

// Fuzzes until the time is over. What came of it: {sent, answers by code, findings}.
export async function fuzz(target, world, milliseconds) {
  const { chance } = world;
  const templates = valid();
  const others = forms();
  const until = Date.now() + milliseconds;
  const run = { sent: 0, codes: new Map(), findings: new Map() };
  const secrets = [target.victim.canary];
  const known = () => [...target.victim.hidden, ...Object.values(world.facts), ...target.victim.keys, target.victim.pageToken, target.victim.cursor, target.victim.streamId, target.victim.requestId,
    "own", "open", "vault", "n", "secret", "data.n", "data.secret", "the-key", "to", chance.uuid(), chance.uuid(), chance.word(), `document:${target.victim.plain.id}`, `app:${chance.word()}`];
  let earlier = Buffer.from("{}");

  const work = async () => {
    while (Date.now() < until) {
      const made = chance.odds(0.12) ? formOf(world, chance.pick(others)) : callOf(world, chance.pick(templates), known());
      if (!made) {
        await breathe();
        continue;
      }
      const request = chance.odds(0.55) ? distort(chance, made.request, earlier) : made.request;
      if (request.body?.length > 0) earlier = request.body;
      await tell(run, target, request, made, secrets);
    }
  };
  const stocking = (async () => {
    while (Date.now() < until) {
      await world.stock(200);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  await Promise.all([...Array.from({ length: workers }, work), stocking]);
  return run;
}

function callOf(world, template, known) {
  const { chance } = world;
  const method = chance.odds(0.9) ? methodOf(template.method) : chance.pick(methods);
  const message = world.fillAll(template.message);
  const json = chance.odds(0.7) ? mutateMessage(chance, method.input, message, known) : message;
  const caller = template.caller && chance.odds(0.7) ? template.caller : chance.pick(callers);
  // Who can end accounts and apps ends the attack's own: those are asked for by the named attacks.
  if (/DeleteAccount|RevokeToken|DisableApp|DeleteApp$/.test(method.name) && caller !== "stranger") return null;
  const request = requestOf(method, chance.pick(protocols), json, world.tokenOf(caller === "self" ? template.caller : caller, method.name));
  return request && { request, streams: method.streams, method: method.name, caller: caller === "self" ? template.caller : caller };
}

// Each request that once raised something, again: [name, finding or null].
export function replay(target, world) {
  return Promise.all(found().map(async ({ name, caller, method, body, headers, streams, ...rest }) => {
    const token = world.tokenOf(caller, method);
    const request = { ...rest, headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }), ...(headers.origin && { origin: target.url }) }, body: body && Buffer.from(body, "base64") };
    return [name, findingOf(request, await send(target.url, request, { ...optionsOf({ streams }), alone: true }), { secrets: [target.victim.canary], isCall: isCall(request) })];
  }));
}

function formOf(world, template) {
  const body = template.form ? world.fill(template.form) : template.json ? JSON.stringify(world.fillAll(template.json)) : undefined;
  const request = {
    protocol: "form", version: 1, verb: template.verb, path: world.fill(template.path), body: body && Buffer.from(body),
    headers: {
      ...(template.form && { "content-type": "application/x-www-form-urlencoded" }), ...(template.json && { "content-type": "application/json", origin: world.target.url }),
      ...Object.fromEntries(Object.entries(template.headers ?? {}).map(([name, value]) => [name, world.fill(value)])),
    },
  };
  return { request, streams: false, method: template.path.split("?")[0] };
}

function distort(chance, request, earlier) {
  if (chance.odds(0.5)) return mutateHttp(chance, request);
  if (request.body) {
    const isFramed = /grpc|connect\+/.test(`${request.headers["content-type"]}`) && !`${request.headers["content-type"]}`.includes("-text");
    // Inside the frame, so that the message is reached.
    if (!isFramed || request.body.length < 5 || chance.odds(0.2)) return { ...request, body: mutateBytes(chance, request.body, earlier) };
    const message = mutateBytes(chance, request.body.subarray(5), earlier);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    return { ...request, body: Buffer.concat([head, message]) };
  }
  const mutant = mutateBytes(chance, Buffer.from(request.path)).toString("latin1").replace(/[^\x21-\x7e]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return { ...request, path: mutant.startsWith("/") ? mutant : `/${mutant}` };
}

const optionsOf = ({ streams }) => ({ streams, patience: 100, limit: mostSeconds * 1000 });
// Only requests that were well-formed HTTP must get an answer on a connection that stays.
const isCall = (request) => !/%00/.test(request.path) && !Object.keys(request.headers).some((name) => ["te", "expect", "content-encoding", "host"].includes(name) && request.version === 1);

async function tell(run, target, request, made, secrets) {
  const options = optionsOf({ streams: made.streams || /:subscribe|events|:export/.test(request.path) });
  let answer = await send(target.url, request, options);
  run.sent++;
  // What another mutant did to the connection is not this one's doing.
  if (answer.cut || answer.http === 0) answer = await send(target.url, request, { ...options, alone: true });
  const finding = findingOf(request, answer, { secrets, isCall: isCall(request) });
  const code = finding ? "finding" : codeOf(request, answer);
  run.codes.set(code, (run.codes.get(code) ?? 0) + 1);
  if (!finding) return;
  const kind = `${made.method}: ${finding.replace(/[0-9a-f]{8,}[0-9a-f-]*/g, "…").slice(0, 160)}`;
  if (run.findings.has(kind)) return;
  run.findings.set(kind, null);
  const small = await smallest(target, request, made, finding, secrets);
  run.findings.set(kind, save(small, made, kind));
}

function codeOf(request, answer) {
  if (answer.refused) return "not sent";
  if (answer.cut) return "connection closed";
  try {
    return meaningOf(request, answer).code ?? (answer.ended ? `HTTP ${answer.http}` : "stream");
  } catch {
    return "unreadable";
  }
}

// Takes away what is not needed for the same kind of finding: headers one by one, then pieces of the body, then of the path.
async function smallest(target, request, made, finding, secrets) {
  const shape = (text) => text?.replace(/[0-9a-f]{6,}|\d+/g, "").slice(0, 40);
  const still = async (candidate) => shape(findingOf(candidate, await send(target.url, candidate, { ...optionsOf(made), alone: true }), { secrets, isCall: isCall(candidate) })) === shape(finding);
  let best = request;
  for (const name of Object.keys(request.headers)) {
    const { [name]: _, ...headers } = best.headers;
    if (await still({ ...best, headers })) best = { ...best, headers };
  }
  const framed = /grpc|connect\+/.test(`${request.headers["content-type"]}`);
  for (let piece = Math.ceil((best.body?.length ?? 0) / 2), tries = 0; piece >= 1 && tries < 300; piece = Math.floor(piece / 2)) {
    for (let at = framed ? 5 : 0; at < best.body.length && tries < 300; tries++) {
      const body = Buffer.concat([best.body.subarray(0, at), best.body.subarray(at + piece)]);
      if (framed && body.length >= 5) body.writeUInt32BE(body.length - 5, 1);
      if (await still({ ...best, body })) best = { ...best, body };
      else at += piece;
    }
  }
  return best;
}

// Tokens are of this run: the file names who called instead.
function save({ protocol, version, verb, path, headers, body }, { caller, method, streams }, finding) {
  const { authorization, ...others } = headers;
  const isToken = /^bearer .{200}/i.test(authorization ?? "");
  const text = JSON.stringify({
    finding, method, caller: isToken ? caller ?? "self" : "stranger", protocol, version, verb, path, streams,
    headers: authorization && !isToken ? { ...others, authorization } : others, body: body?.toString("base64"),
  }, null, 2);
  const name = `found-${createHash("sha256").update(finding).digest("hex").slice(0, 12)}.json`;
  writeFileSync(corpusFolder + name, `${text}\n`);
  return name;
}
