// What the hosted pages share: building elements, calling the server, passkeys, words for errors.
import { t } from "./words.js";

/** Makes an element: attributes and listeners (`onclick`), then children; text becomes text, never HTML. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An error the server explained: `reason` and `metadata` of its ErrorInfo, `fields` of its BadRequest. */
export class ServerError extends Error {
  constructor(status, error) {
    super(error?.message ?? t("error.unexpected"));
    const detail = (type) => error?.details?.find((one) => one["@type"]?.endsWith(type));
    this.status = status;
    this.reason = detail("google.rpc.ErrorInfo")?.reason ?? "";
    this.metadata = detail("google.rpc.ErrorInfo")?.metadata ?? {};
    this.fields = detail("google.rpc.BadRequest")?.fieldViolations ?? [];
    this.retryAfter = Number.parseFloat(detail("google.rpc.RetryInfo")?.retryDelay ?? "0");
  }
}

/** Calls the server on its own origin, as JSON. */
export async function call(method, path, body, headers = {}) {
  let response;
  try {
    response = await fetch(path, {
      method, credentials: "same-origin", redirect: "error", referrerPolicy: "no-referrer",
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), accept: "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ServerError(0, { message: t("error.offline") });
  }
  const text = await response.text();
  let json;
  try { json = text ? JSON.parse(text) : {}; } catch { json = undefined; }
  if (!response.ok || json === undefined) throw new ServerError(response.status, json?.error);
  return json;
}

/** What a person is told of an error. */
export function wordsOf(error) {
  if (error?.name === "NotAllowedError" || error?.name === "AbortError") return t("error.passkey.cancelled");
  if (error?.name === "InvalidStateError") return t("error.passkey.known");
  if (error?.name === "SecurityError" || error?.name === "NotSupportedError") return t("error.passkey.unsupported");
  if (!(error instanceof ServerError)) {
    console.error(error);
    return t("error.unexpected");
  }
  if (error.reason === "RATE_LIMITED") return t("error.RATE_LIMITED", { seconds: Math.max(1, Math.ceil(error.retryAfter)) });
  const known = t(`error.${error.reason}`);
  return known !== `error.${error.reason}` ? known : error.fields[0]?.description ?? error.message;
}

/** Whether this browser can make and use passkeys. */
export const hasPasskeys = () => typeof PublicKeyCredential === "function" && typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function";

/** Makes a passkey from the server's options. */
export async function createPasskey(options) {
  const credential = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  return credential.toJSON();
}

/** Proves possession of a passkey. `mediation: "conditional"` waits in the handle field until somebody picks one. */
export async function usePasskey(options, extra = {}) {
  const credential = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), ...extra });
  return credential.toJSON();
}

/** Runs what a button does: once at a time, and its error is said. */
export function busy(button, work, say) {
  return async (event) => {
    event?.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    say("");
    try { await work(event); } catch (error) { say(wordsOf(error), error); } finally { button.removeAttribute("aria-disabled"); }
  };
}

/** A labelled field with its hint and its fault. `fault(text)` marks it and moves the focus there. */
export function field(id, label, attributes = {}, hint = "") {
  const input = el("input", { id, name: id, ...attributes });
  const says = el("p", { id: `${id}-hint`, class: "hint" }, hint);
  const wrong = el("p", { id: `${id}-fault`, class: "fault", hidden: true });
  if (hint) input.setAttribute("aria-describedby", says.id);
  const element = el("div", {}, el("label", { for: id }, label), input, hint ? says : null, wrong);
  const fault = (text) => {
    wrong.hidden = !text;
    wrong.textContent = text;
    input.setAttribute("aria-invalid", text ? "true" : "false");
    input.setAttribute("aria-describedby", [hint ? says.id : "", text ? wrong.id : ""].filter(Boolean).join(" "));
    if (text) input.focus();
  };
  input.addEventListener("input", () => fault(""));
  return { element, input, fault, get value() { return input.value.trim(); } };
}

/** A date and time as people here write it. */
export const when = (time, options = { dateStyle: "medium", timeStyle: "short" }) =>
  time ? new Intl.DateTimeFormat(navigator.languages.find((tag) => tag.startsWith(document.documentElement.lang)) ?? document.documentElement.lang, options).format(new Date(time)) : "";

/** The host of an address, for people. */
export function hostOf(address) {
  try { return new URL(address).host; } catch { return ""; }
}

/** The pictures of buttons. */
export function icon(name) {
  const paths = {
    passkey: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M2.5 20c0-3.6 2.9-6 6.5-6 1 0 2 .2 2.9.6M18 10a3 3 0 0 1 1.2 5.7V17l1 1-1 1 1 1-1.7 1.8L17 20v-4.3A3 3 0 0 1 18 10",
    mail: "M3 6h18v12H3zM3 7l9 7 9-7",
  };
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}
