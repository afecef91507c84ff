"use strict";
// The API's own reference: reads the OpenAPI document, shows it, and sends calls. Text from the document only ever becomes
// text nodes. No framework: the page must stay one file under a policy without external sources.
const $ = (id) => document.getElementById(id);
const state = { doc: null, operations: new Map(), methods: new Map(), abort: null };
const verbs = ["get", "post", "put", "patch", "delete"];

function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Comments of a contract: paragraphs, lists and `code`.
function prose(text) {
  const box = h("div", { className: "text" });
  for (const block of (text ?? "").split(/\n\s*\n/).filter(Boolean)) {
    const lines = block.split("\n");
    const isList = lines.every((line) => /^\s*([-*]\s|\s{2,}\S)/.test(line)) && /^\s*[-*]\s/.test(lines[0]);
    if (!isList) { box.append(h("p", null, inline(block.replaceAll("\n", " ")))); continue; }
    const items = [];
    for (const line of lines) {
      if (/^\s*[-*]\s/.test(line)) items.push(line.replace(/^\s*[-*]\s+/, "")); else items[items.length - 1] += " " + line.trim();
    }
    box.append(h("ul", null, items.map((item) => h("li", null, inline(item)))));
  }
  return box;
}

const inline = (text) => text.split(/(`[^`]+`)/).map((part) => (part.length > 2 && part.startsWith("`") ? h("code", null, part.slice(1, -1)) : part));
const resolve = (schema) => (schema?.$ref ? { ...state.doc.components.schemas[nameOf(schema)], ...schema, $ref: undefined } : schema ?? {});
const nameOf = (schema) => schema.$ref.split("/").pop();
const shortName = (name) => name.split(".").pop();
const badge = (verb) => h("span", { className: "verb " + verb }, verb === "delete" ? "DEL" : verb.toUpperCase());

function index(doc) {
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const verb of verbs) {
      if (item[verb]) state.operations.set(item[verb].operationId, { ...item[verb], verb, path });
    }
  }
  for (const service of doc["x-services"]) {
    for (const method of service.methods) state.methods.set(service.name + "." + method.name, { ...method, service: service.name });
  }
}

// ---- navigation

function entries(service) {
  return service.methods.flatMap((method) => method.operations.length
    ? method.operations.map((id, i) => ({ href: "#op/" + id, verb: state.operations.get(id).verb, name: method.name, path: state.operations.get(id).path, method, isOther: i > 0 }))
    : [{ href: `#rpc/${service.name}.${method.name}`, verb: "rpc", name: method.name, path: method.path, method }]);
}

function drawTree() {
  const query = $("search").value.trim().toLowerCase();
  const hit = (...texts) => query.split(/\s+/).every((word) => texts.some((text) => text?.toLowerCase().includes(word)));
  const link = (href, ...content) => h("li", null, h("a", { href, "aria-current": location.hash === href ? "page" : null }, ...content));
  const groups = state.doc["x-services"].map((service) => {
    const found = entries(service).filter((entry) => hit(entry.name, entry.path, service.name, entry.method.description));
    return found.length ? [h("h2", { title: service.name }, shortName(service.name)), h("ul", null, found.map((e) => link(e.href, badge(e.verb), h("span", { title: e.path, className: e.isOther ? "other" : null }, e.isOther ? "\u200e" + e.path : e.name))))] : [];
  });
  const schemas = Object.keys(state.doc.components.schemas).filter((name) => hit(name));
  if (schemas.length) groups.push([h("h2", null, "Schemas"), h("ul", null, schemas.map((name) => link("#schema/" + name, h("span", { title: name }, shortName(name)))))]);
  $("tree").replaceChildren(...groups.flat());
  if (!groups.flat().length) $("tree").append(h("p", { className: "empty" }, "Nothing found."));
}

function route() {
  state.abort?.abort();
  const [kind, id] = location.hash.slice(1).split(/\/(.*)/s).map(decodeURIComponent);
  const view = kind === "op" && state.operations.has(id) ? operationView(state.operations.get(id))
    : kind === "rpc" && state.methods.has(id) ? rpcView(state.methods.get(id))
    : kind === "schema" && state.doc.components.schemas[id] ? schemaView(id)
    : overview();
  $("main").replaceChildren(...view);
  openMenu(false);
  drawTree();
  scrollTo(0, 0);
  document.title = ($("main").querySelector("h1")?.textContent ?? "") + " · " + state.doc.info.title;
}

function openMenu(open) {
  $("nav").classList.toggle("open", open);
  $("menu").setAttribute("aria-expanded", String(open));
}

// ---- views

function overview() {
  const { info } = state.doc;
  return [
    h("h1", null, info.title),
    info.description ? prose(info.description) : null,
    h("p", { className: "crumb base" }, "Base address ", h("code", null, base()), " · ", h("a", { href: $("document").href }, "OpenAPI document")),
    ...state.doc["x-services"].map((service) => h("section", { className: "card" },
      h("h2", null, shortName(service.name)), h("p", { className: "crumb" }, service.name), prose(service.description),
      h("ul", { className: "methods" }, entries(service).map((entry) => h("li", null, h("a", { href: entry.href },
        badge(entry.verb), h("span", { className: "mono" }, entry.path), h("span", { className: "note" }, firstSentence(entry.method.description)))))))),
  ].filter(Boolean);
}

const firstSentence = (text) => (text ?? "").split("\n\n")[0].replaceAll("\n", " ").split(/\.\s/)[0].replace(/\.?$/, ".");
const serviceCrumb = (name) => h("p", { className: "crumb" }, h("a", { href: "#" }, "Overview"), " / ", name);

function operationView(op) {
  const ok = op.responses["200"].content;
  const streams = "application/x-ndjson" in ok;
  const parameters = op.parameters ?? [];
  const body = op.requestBody?.content["application/json"].schema;
  const list = (title, place) => {
    const found = parameters.filter((p) => p.in === place);
    return found.length ? [h("h3", null, title), h("ul", { className: "props" }, found.map((p) => property(p.name, { ...p.schema, description: p.description }, p.required)))] : [];
  };
  const name = op.operationId.split("_").slice(1).join(" ").replace(/ (\d+)$/, " (binding $1)");
  return [
    serviceCrumb(op.tags[0]),
    h("h1", null, name, streams ? h("span", { className: "tag" }, "stream") : null),
    h("div", { className: "address" }, badge(op.verb), h("span", { className: "mono" },
      op.path.split(/(\{[^}]+\})/).map((part) => (part.startsWith("{") ? h("b", null, part) : part)))),
    h("div", { className: "columns" },
      h("div", null, prose(op.description), ...list("Path", "path"), ...list("Query", "query"),
        body ? [h("h3", null, "Body"), shape(body)] : null,
        h("h3", null, streams ? "Each message of the response" : "Response"), shape(Object.values(ok)[0].schema),
        h("h3", null, "Error"), shape(state.doc.components.responses.Error.content["application/json"].schema)),
      tryCard(op, parameters, body, streams)),
  ];
}

function rpcView(method) {
  const kind = method.clientStreaming ? (method.serverStreaming ? "bidirectional stream" : "client stream") : method.serverStreaming ? "stream" : "unary";
  return [
    serviceCrumb(method.service),
    h("h1", null, method.name, h("span", { className: "tag" }, kind)),
    h("div", { className: "address" }, badge("rpc"), h("span", { className: "mono" }, method.path)),
    prose(method.description),
    h("p", { className: "crumb" }, "Not reachable by REST. Call it by gRPC, gRPC-Web or Connect."),
    !method.clientStreaming && !method.serverStreaming ? copyBox(() => curlOf({ method: "POST", url: base() + method.path, body: JSON.stringify(example(method.request)) })) : null,
    h("h3", null, "Request"), shape(method.request), h("h3", null, "Response"), shape(method.response),
  ].filter(Boolean);
}

function schemaView(name) {
  const schema = state.doc.components.schemas[name];
  return [h("p", { className: "crumb" }, h("a", { href: "#" }, "Overview"), " / ", name), h("h1", null, shortName(name)), prose(schema.description),
    schema.enum ? h("ul", { className: "props" }, schema.enum.map((value) => h("li", null, h("span", { className: "name" }, value)))) : shape(schema, true)];
}

function typeOf(schema) {
  if (schema.$ref) return h("a", { href: "#schema/" + nameOf(schema) }, shortName(nameOf(schema)));
  if (schema.type === "array") return h("span", null, "[", typeOf(schema.items ?? {}), "]");
  if (schema.additionalProperties?.type || schema.additionalProperties?.$ref) return h("span", null, "{ ", typeOf(schema.additionalProperties), " }");
  return [schema.type].flat().filter(Boolean).join(" | ") + (schema.format ? ` (${schema.format})` : schema.contentEncoding ? ` (${schema.contentEncoding})` : "") || "any";
}

function property(name, schema, required) {
  const inner = schema.$ref ? schema : schema.items?.$ref ? schema.items : schema.additionalProperties?.$ref ? schema.additionalProperties : null;
  const nested = inner ? resolve(inner) : schema.items?.properties ? schema.items : schema;
  const rules = ["minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "maxProperties"].filter((rule) => rule in schema && !(rule === "maxLength" && /bytes/.test(schema.description ?? ""))).map((rule) => `${rule}: ${schema[rule]}`);
  return h("li", null, h("span", { className: "name" }, name), h("span", { className: "type" }, typeOf(schema)),
    required ? h("span", { className: "tag must" }, "required") : null, schema.readOnly ? h("span", { className: "tag" }, "output only") : null, schema.deprecated ? h("span", { className: "tag" }, "deprecated") : null,
    schema.description ? prose(schema.description) : null, rules.length ? h("div", { className: "rules" }, rules.join(" · ")) : null,
    nested.enum && inner ? h("div", { className: "rules" }, nested.enum.join(" · ")) : nested.properties && Object.keys(nested.properties).length ? lazyDetails(inner ? shortName(nameOf(inner)) : "Fields", () => shape(inner ?? nested)) : null);
}

// Messages refer to themselves: what is inside is built when it is opened.
function lazyDetails(title, build) {
  const box = h("details", { ontoggle: () => { if (box.open && box.children.length === 1) box.append(build()); } }, h("summary", null, title));
  return box;
}

function shape(schema, full) {
  const resolved = full ? schema : resolve(schema);
  if (resolved.properties && Object.keys(resolved.properties).length) {
    return h("ul", { className: "props" }, Object.entries(resolved.properties).map(([name, inner]) => property(name, inner, resolved.required?.includes(name))));
  }
  return h("ul", { className: "props" }, h("li", null, h("span", { className: "type" }, resolved.type === "object" && resolved.properties ? "an empty object" : typeOf(schema)), resolved.description && !full ? prose(resolved.description) : null));
}

function example(schema, depth = 0, seen = []) {
  if (schema.$ref) {
    const name = nameOf(schema);
    return seen.includes(name) ? {} : example(state.doc.components.schemas[name], depth, [...seen, name]);
  }
  if (schema.enum) return schema.enum.find((value) => !value.endsWith("_UNSPECIFIED")) ?? schema.enum[0];
  switch ([schema.type].flat()[0]) {
    case "object": {
      const result = {};
      for (const [name, inner] of Object.entries(schema.properties ?? {})) {
        if (!inner.readOnly && !inner.deprecated && (depth === 0 || schema.required?.includes(name)) && Object.keys(result).length < 12) result[name] = example(inner, depth + 1, seen);
      }
      return result;
    }
    case "array": return depth > 1 ? [] : [example(schema.items ?? {}, depth + 1, seen)];
    case "integer": case "number": return schema.minimum ?? 0;
    case "boolean": return false;
    case "string": return schema.format === "date-time" ? "2026-01-01T00:00:00Z" : schema.format === "int64" || schema.format === "uint64" ? "0" : schema.pattern?.endsWith("s$") ? "1s" : "";
    default: return null;
  }
}

// ---- trying a call

function tryCard(op, parameters, body, streams) {
  const inputs = parameters.map((parameter) => ({ parameter, input: inputFor(parameter) }));
  const field = ({ parameter, input }) => {
    input.id = "p-" + parameter.name;
    return h("div", { className: "field" }, h("label", { htmlFor: input.id }, h("code", null, parameter.name), h("span", { className: "tag" + (parameter.required ? " must" : "") }, parameter.required ? "required" : parameter.in)), input);
  };
  const shown = inputs.filter(({ parameter }) => parameter.required || !parameter.name.includes(".")), deep = inputs.filter((entry) => !shown.includes(entry));
  const text = body && h("textarea", { id: "body", rows: 10, spellcheck: false, value: JSON.stringify(example(body), null, 2) });
  const result = h("div", { className: "result", hidden: true, role: "status", "aria-live": "polite" });
  const send = h("button", { className: "main", type: "submit" }, "Send"), stop = h("button", { type: "button", hidden: true, onclick: () => state.abort?.abort() }, "Stop");
  const request = () => buildRequest(op, inputs, text?.value, streams);
  const curl = copyBox(() => curlOf(request()));
  const form = h("form", { className: "card try", novalidate: true, "aria-label": "Try the call",
    oninput: () => curl.refresh(),
    onkeydown: (e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); form.requestSubmit(); } },
    onsubmit: (e) => { e.preventDefault(); run(request(), inputs, { result, send, stop, streams }); } },
    h("h2", null, "Try it"), shown.map(field),
    deep.length ? h("details", { className: "more" }, h("summary", null, `${deep.length} more fields`), deep.map(field)) : null,
    text ? h("div", { className: "field" }, h("label", { htmlFor: "body" }, h("code", null, "body"), h("span", { className: "tag" }, "application/json")), text) : null,
    h("div", { className: "actions" }, send, stop, h("span", { className: "hint" }, h("kbd", null, "Ctrl"), " ", h("kbd", null, "Enter"))), result, h("h3", null, "As a command"), curl);
  $("token").oninput = () => { sessionStorage.setItem("token", $("token").value); curl.refresh(); };
  return form;
}

function inputFor({ schema, required }) {
  const resolved = resolve(schema), options = resolved.enum ?? (resolved.type === "boolean" ? ["true", "false"] : null);
  if (options) return h("select", { required }, h("option", { value: "" }, "–"), options.map((value) => h("option", { value }, value)));
  if (schema.type === "array") return h("textarea", { rows: 2, spellcheck: false, placeholder: "one value per line" });
  return h("input", { required, spellcheck: false, autocomplete: "off", placeholder: resolved.format ?? (resolved.pattern?.endsWith("s$") ? "1.5s" : "") });
}

function buildRequest(op, inputs, body, streams) {
  let path = op.path;
  const query = [];
  for (const { parameter, input } of inputs) {
    const encode = (value) => (parameter["x-multi-segment"] ? value.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(value));
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, input.value ? encode(input.value) : `{${parameter.name}}`);
    else for (const value of parameter.schema.type === "array" ? input.value.split("\n").filter(Boolean) : input.value ? [input.value] : []) query.push(`${parameter.name}=${encodeURIComponent(value)}`);
  }
  return { method: op.verb.toUpperCase(), url: base() + path + (query.length ? "?" + query.join("&") : ""), body: body?.trim() || undefined, streams };
}

const base = () => new URL(state.doc.servers[0].url, location.href).href.replace(/\/$/, "");
const quote = (text) => "'" + text.replaceAll("'", "'\\''") + "'";
const auth = () => { const token = $("token").value.trim(); return token ? [` -H 'Authorization: Bearer ${"•".repeat(8)}'`, ` -H ${quote("Authorization: Bearer " + token)}`] : ["", ""]; };

// What is shown hides the token; what is copied has it.
function curlOf({ method, url, body, streams }) {
  const line = (authorization) => "curl " + (streams ? "-N " : "") + (method === "GET" || (method === "POST" && body) ? "" : `-X ${method} `) + quote(url) + authorization
    + (body ? " -H 'Content-Type: application/json' -d " + quote(compact(body)) : "");
  return auth().map(line);
}

function compact(body) { try { return JSON.stringify(JSON.parse(body)); } catch { return body; } }

function copyBox(text) {
  const code = h("pre", null);
  const button = h("button", { type: "button", onclick: async () => {
    await navigator.clipboard.writeText([text()].flat().at(-1));
    button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1500); } }, "Copy");
  const box = h("div", { className: "copy" }, code, button);
  box.refresh = () => { code.textContent = [text()].flat()[0]; };
  box.refresh();
  return box;
}

async function run(request, inputs, { result, send, stop, streams }) {
  const missing = inputs.find(({ parameter, input }) => parameter.required && parameter.in === "path" && !input.value);
  if (missing) { missing.input.focus(); return; }
  state.abort?.abort();
  const abort = (state.abort = new AbortController()), started = performance.now(), headers = {};
  if (request.body !== undefined) headers["Content-Type"] = "application/json";
  if ($("token").value.trim()) headers.Authorization = "Bearer " + $("token").value.trim();
  const output = h("div", { className: "output", tabIndex: 0, "aria-label": "Response body" }), status = h("div", { className: "status" });
  result.replaceChildren(status, output); result.hidden = false; send.disabled = true; stop.hidden = !streams;
  const say = (good, ...parts) => { status.className = "status " + (good ? "good" : "bad"); status.replaceChildren(...parts); };
  const took = () => h("span", null, `${Math.round(performance.now() - started)} ms`);
  say(true, h("span", { className: "live" }, "Waiting…"));
  try {
    const response = await fetch(request.url, { method: request.method, body: request.body, headers, signal: abort.signal, cache: "no-store" });
    const head = h("b", null, `${response.status} ${response.statusText}`.trim());
    result.insertBefore(lazyDetails("Headers", () => h("div", { className: "headers" }, [...response.headers].map(([k, v]) => `${k}: ${v}`).join("\n"))), output);
    if (response.headers.get("content-type")?.startsWith("application/x-ndjson")) {
      const count = await readLines(response, output, (n) => say(true, head, h("span", { className: "live" }, `${n} ${n === 1 ? "message" : "messages"}`)));
      say(true, head, h("span", null, `${count} ${count === 1 ? "message" : "messages"}, ended`), took());
    } else {
      const text = await response.text();
      say(response.ok, head, took(), h("span", null, `${new Blob([text]).size.toLocaleString("en")} bytes`));
      output.append(h("pre", null, text ? highlight(pretty(text)) : "(no body)"));
    }
  } catch (error) {
    say(abort.signal.aborted, h("b", null, abort.signal.aborted ? "Stopped" : "No answer"), h("span", null, abort.signal.aborted ? "" : String(error.message ?? error)), took());
  } finally {
    send.disabled = false; stop.hidden = true; if (!output.children.length) output.hidden = true;
    // The card may be longer than the window: the answer must not come out of sight.
    status.scrollIntoView({ block: "nearest" });
  }
}

async function readLines(response, output, progress) {
  const decoder = new TextDecoder(), reader = response.body.getReader();
  let rest = "", count = 0;
  output.classList.add("lines"); progress(0);
  for (;;) {
    const { done, value } = await reader.read();
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop();
    const follow = output.scrollTop + output.clientHeight >= output.scrollHeight - 8;
    for (const line of lines.filter(Boolean)) { count++; output.append(h("pre", null, highlight(line))); if (output.children.length > 500) output.firstChild.remove(); }
    if (lines.length) { progress(count); if (follow) output.scrollTop = output.scrollHeight; }
    if (done) return count;
  }
}

function pretty(text) { try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; } }

function highlight(text) {
  // Past this size colour costs more than it helps.
  if (text.length > 200000) return [text];
  return text.split(/("(?:[^"\\]|\\.)*"\s*:?|-?\b\d[\d.eE+-]*\b|\b(?:true|false|null)\b)/).map((part, i) => {
    if (i % 2 === 0) return part;
    const kind = part.startsWith('"') ? (part.endsWith(":") ? "k" : "s") : /^[tfn]/.test(part) ? "l" : "n";
    return h("span", { className: kind }, part);
  });
}

// ---- start

const dark = matchMedia("(prefers-color-scheme: dark)");
function theme(next) { document.documentElement.dataset.theme = next; localStorage.setItem("theme", next); }
if (localStorage.getItem("theme")) theme(localStorage.getItem("theme"));
$("theme").onclick = () => theme((document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark" ? "light" : "dark");
$("access").onsubmit = (e) => e.preventDefault();
$("token").value = sessionStorage.getItem("token") ?? "";
$("reveal").onclick = () => {
  const shown = $("token").type === "password";
  $("token").type = shown ? "text" : "password"; $("reveal").setAttribute("aria-pressed", String(shown));
};
$("menu").onclick = () => openMenu(!$("nav").classList.contains("open"));
// Also for the page that is shown already, whose address does not change.
$("tree").onclick = (e) => { if (e.target.closest("a")) openMenu(false); };
$("search").oninput = drawTree;
addEventListener("hashchange", () => { route(); $("main").focus({ preventScroll: true }); });
addEventListener("keydown", (e) => {
  if (e.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) { e.preventDefault(); if (innerWidth <= 820) openMenu(true); $("search").focus(); $("search").select(); }
  if (e.key === "Escape" && $("nav").classList.contains("open")) { openMenu(false); $("menu").focus(); }
});

(async () => {
  try {
    const response = await fetch($("document").href);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    state.doc = await response.json();
    index(state.doc);
    $("title").textContent = state.doc.info.title;
    $("version").textContent = "v" + state.doc.info.version.replace(/^v/, ""); $("version").hidden = false;
    route();
  } catch (error) {
    $("main").replaceChildren(h("p", { className: "loading" }, "The API's document could not be read: " + error.message));
  }
})();
