// Signing in, signing up, deciding what an app may do, connecting a device: one card whose content changes.
import { busy, call, createPasskey, el, field, hasPasskeys, hostOf, icon, usePasskey, when, wordsOf } from "./kit.js";
import { chooseLanguage, languages, rememberLanguage, scopeText, t } from "./words.js";

const query = new URLSearchParams(location.search);
const requestId = query.get("request");
// Tells the page that has opened this window that it can see when it is closed. It says nothing about anybody.
if (requestId) window.opener?.postMessage("vibe sign-in window", "*");
const step = document.getElementById("step");
const notice = document.getElementById("notice");
const resting = new WeakMap(); // Buttons that must not be pressed yet, and until when.
let request = null; // What an app asks for, when one does.
let account = null; // Who is signed in, when somebody is.
let waiting = null; // Ends the wait for a passkey in the handle field.

chooseLanguage((query.get("ui_locales") ?? "").split(" ").filter(Boolean));
showFooter();
try {
  [request, account] = await Promise.all([
    requestId ? readRequest() : null,
    call("GET", "/auth/session").then((session) => session.account ?? null),
  ]);
  if (request?.uiLocales) { chooseLanguage(request.uiLocales); showFooter(); }
  start();
} catch (error) {
  if (error.status === 404) show(t("signin.expired"), el("p", { class: "soft" }, t("signin.expired.text")));
  else { show(t("signin.title")); say(wordsOf(error)); }
}

function start() {
  const page = location.pathname;
  if (page === "/sign-in/mail") return showMailLink();
  if (page === "/device") return account ? showDevice() : showSignIn();
  if (page === "/sign-up") return showSignUp();
  if (page === "/consent" && account && request && !request.reauthenticate) return showConsent();
  if (page === "/sign-in" && account && request && !request.reauthenticate) return go();
  return showSignIn();
}

function readRequest() {
  return call("GET", `/auth/requests/${encodeURIComponent(requestId)}`);
}

// After the person is known: the page that needed it, or on to the server, which knows what is still to be asked.
async function go() {
  if (location.pathname === "/device") return showDevice();
  if (query.has("fedcm") && !requestId) return window.IdentityProvider?.close?.();
  if (requestId) {
    // Consent is asked on the same page: one page less to load, and a new account goes on without a break.
    request = await readRequest();
    if (request.asks.length > 0 || request.prompts) return showConsent();
    return location.replace(`/oauth/authorize?request=${encodeURIComponent(requestId)}`);
  }
  const back = query.get("return");
  location.replace(back === "/device" ? back : "/account");
}

/* Sign in */

function showSignIn() {
  const again = account && (request?.reauthenticate || query.has("again"));
  const handle = field("handle", t("signin.handle"), {
    autocomplete: "username webauthn", autocapitalize: "none", spellcheck: "false", required: true,
    value: again ? account.handle : request?.loginHint ?? "", readonly: again ? true : false,
  });
  const passkey = el("button", { type: "button", class: "main wide" }, icon("passkey"), t("signin.passkey"));
  const next = el("button", { class: "wide" }, t("continue"));
  const form = el("form", { novalidate: true }, handle.element, next);
  passkey.addEventListener("click", busy(passkey, () => signInWithPasskey(), say));
  form.addEventListener("submit", busy(next, async () => {
    if (!handle.value) return handle.fault(t("error.required"));
    showPassword(handle.value);
  }, say));
  show(again ? t("signin.again") : t("signin.title"),
    appLine(),
    hasPasskeys() ? el("div", { class: "top-space" }, passkey) : null,
    hasPasskeys() ? el("p", { class: "or" }, t("signin.or")) : null,
    form,
    el("div", { class: "links" },
      again ? null : link(t("signin.new"), showSignUp),
      link(t("signin.recover"), () => showRecovery(handle.value)),
      again ? link(t("signin.switch"), async () => { await call("POST", "/auth/sign-out", {}); account = null; showSignIn(); }) : null));
  if (hasPasskeys() && !again) offerPasskey();
}

async function signInWithPasskey(extra = {}) {
  waiting?.abort();
  const { challengeId, options } = await call("POST", "/auth/passkeys/sign-in/options", {});
  const credential = await usePasskey(options, extra);
  ({ account } = await call("POST", "/auth/passkeys/sign-in", { challengeId, credential }));
  await go();
}

// A browser that has a passkey offers it in the handle field, before anything is typed.
async function offerPasskey() {
  if (!await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
  waiting?.abort();
  waiting = new AbortController();
  const { signal } = waiting;
  try {
    const { challengeId, options } = await call("POST", "/auth/passkeys/sign-in/options", {});
    const credential = await usePasskey(options, { mediation: "conditional", signal });
    ({ account } = await call("POST", "/auth/passkeys/sign-in", { challengeId, credential }));
    await go();
  } catch (error) {
    if (!signal.aborted && error.name !== "NotAllowedError") say(wordsOf(error));
  }
}

function showPassword(handle) {
  const password = field("password", t("signin.password"), { type: "password", autocomplete: "current-password", required: true });
  const submit = el("button", { class: "main wide" }, t("signin.submit"));
  const mail = el("button", { type: "button", class: "wide" }, icon("mail"), t("signin.mail"));
  const form = el("form", { novalidate: true },
    el("input", { class: "hidden", tabindex: "-1", "aria-hidden": "true", autocomplete: "username", value: handle, readonly: true }),
    password.element, submit);
  form.addEventListener("submit", busy(submit, async () => {
    if (!password.input.value) return password.fault(t("error.required"));
    ({ account } = await call("POST", "/auth/password/sign-in", { identifier: handle, password: password.input.value }));
    await go();
  }, say));
  mail.addEventListener("click", busy(mail, async () => {
    await call("POST", "/auth/mail/sign-in", { identifier: handle, requestId });
    show(t("signin.mail.sent"), el("p", { class: "soft" }, t("signin.mail.sent.text", { address: handle })));
  }, say));
  show(t("signin.title"), el("p", { class: "soft" }, handle), form, el("p", { class: "or" }, t("signin.or")), mail,
    el("div", { class: "links" }, link(t("signin.recover"), () => showRecovery(handle)), link(t("back"), showSignIn)));
}

function showRecovery(handle = "") {
  const who = field("handle", t("signin.handle"), { autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, value: handle });
  const code = field("recovery", t("signin.recover.code"), { autocomplete: "one-time-code", autocapitalize: "none", spellcheck: "false", required: true }, t("signin.recover.text"));
  const submit = el("button", { class: "main wide" }, t("signin.submit"));
  const form = el("form", { novalidate: true }, who.element, code.element, submit);
  form.addEventListener("submit", busy(submit, async () => {
    if (!who.value) return who.fault(t("error.required"));
    if (!code.value) return code.fault(t("error.required"));
    ({ account } = await call("POST", "/auth/recovery/sign-in", { identifier: who.value, code: code.value }));
    await go();
  }, say));
  show(t("signin.recover"), form, el("div", { class: "links" }, link(t("back"), showSignIn)));
}

// The link's secret stands behind the #, which no server log sees; it is used by a press, not by a mail scanner's visit.
function showMailLink() {
  const secret = location.hash.slice(1);
  const submit = el("button", { type: "button", class: "main wide" }, t("continue"));
  submit.addEventListener("click", busy(submit, async () => {
    const done = await call("POST", "/auth/mail/confirm", { secret });
    account = done.account;
    location.replace(done.requestId ? `/oauth/authorize?request=${encodeURIComponent(done.requestId)}` : "/account");
  }, say));
  show(t("signin.mail.open"), el("p", { class: "soft" }, t("signin.mail.open.text")), submit);
}

/* Sign up */

function showSignUp() {
  waiting?.abort();
  const handle = field("handle", t("signup.handle"), {
    autocomplete: "username", autocapitalize: "none", spellcheck: "false", maxlength: "63", required: true,
  }, t("signup.handle.hint"));
  const name = field("name", t("signup.name"), { autocomplete: "name", maxlength: "120" }, t("signup.name.hint"));
  const password = field("password", t("signup.password.field"), { type: "password", autocomplete: "new-password", minlength: "10" }, t("signup.password.hint"));
  const submit = el("button", { class: "main wide" });
  const hint = el("p", { class: "hint" }, t("signup.passkey.hint"));
  const other = link(t("signup.password"), () => { useKey = false; arrange(); password.input.focus(); });
  let useKey = hasPasskeys();
  const arrange = () => {
    password.element.hidden = useKey;
    hint.hidden = !useKey;
    other.hidden = !useKey;
    submit.replaceChildren(...(useKey ? [icon("passkey"), t("signup.passkey")] : [t("signup.submit")]));
  };
  const form = el("form", { novalidate: true }, handle.element, name.element, password.element, el("div", {}, submit, hint));
  form.addEventListener("submit", busy(submit, async () => {
    if (!handle.value) return handle.fault(t("error.required"));
    const person = { handle: handle.value.toLowerCase(), displayName: name.value };
    try {
      if (useKey) {
        const { challengeId, options } = await call("POST", "/auth/passkeys/sign-up/options", person);
        const credential = await createPasskey(options);
        ({ account } = await call("POST", "/auth/passkeys/sign-up", { challengeId, credential }));
      } else {
        if (password.input.value.length < 10) return password.fault(t("signup.password.hint"));
        ({ account } = await call("POST", "/auth/password/sign-up", { ...person, password: password.input.value }));
      }
    } catch (error) {
      if (error.reason === "HANDLE_TAKEN" || error.fields?.[0]?.field === "handle") return handle.fault(wordsOf(error));
      if (error.fields?.[0]?.field === "password") return password.fault(wordsOf(error));
      throw error;
    }
    await go();
  }, say));
  arrange();
  show(t("signup.title"), appLine(), form, el("div", { class: "links" }, other, link(t("signup.have"), showSignIn)));
}

/* Consent */

function showConsent() {
  const { app, asks, granted } = request;
  const boxes = asks.map((ask, index) => {
    const id = `scope-${index}`;
    const input = el("input", { type: "checkbox", id, checked: true, disabled: ask.required });
    return { ask, input, element: el("li", {}, el("label", { for: id }, input, el("span", {}, scopeText(ask, account),
      el("span", { class: "small soft" }, ...[ask.required ? t("consent.required") : null, ask.writes ? t("consent.writes") : null].filter(Boolean).join(" · "))))) };
  });
  const until = el("select", { id: "until" }, ...[["always", 0], ["day", 1], ["week", 7], ["month", 30]].map(([name, days]) => el("option", { value: days }, t(`consent.time.${name}`))));
  const allow = el("button", { class: "main grow" }, t("consent.allow"));
  const deny = el("button", { type: "button", class: "grow" }, t("consent.deny"));
  const decide = async (yes) => {
    const days = Number(until.value);
    const done = await call("POST", `/auth/requests/${encodeURIComponent(requestId)}:decide`, {
      allow: yes,
      scopes: yes ? [...granted.map(({ name }) => name), ...boxes.filter(({ input }) => input.checked).map(({ ask }) => ask.name)] : [],
      ...(yes && days > 0 ? { expireTime: new Date(Date.now() + days * 86_400_000).toISOString() } : {}),
    });
    location.replace(done.redirectUri);
  };
  const form = el("form", { novalidate: true },
    boxes.length > 0 ? el("div", {}, el("label", { for: "until" }, t("consent.time")), until) : null,
    el("div", { class: "row" }, deny, allow));
  // A click that was meant for what stood here before must not allow anything.
  rest(allow);
  form.addEventListener("submit", busy(allow, () => isResting(allow) ? undefined : decide(true), say));
  deny.addEventListener("click", busy(deny, () => decide(false), say));
  const [before, after] = t("consent.revoke").split("{link}");
  show(t(boxes.length > 0 ? "consent.title" : "consent.title.none", { app: app.displayName }),
    appCard(app),
    el("p", { class: "small soft line" }, t("consent.as", { handle: account.handle }), " ",
      link(t("signin.switch"), async () => { await call("POST", "/auth/sign-out", {}); account = null; showSignIn(); })),
    boxes.length > 0 ? el("h2", { class: "line" }, t("consent.lead")) : null,
    boxes.length > 0 ? el("ul", { class: "scopes" }, boxes.map(({ element }) => element)) : null,
    granted.length > 0 ? el("p", { class: "small soft line" }, t("consent.already", { list: granted.map((scope) => scopeText(scope, account)).join(", ") })) : null,
    form,
    el("p", { class: "small soft line" }, before, el("a", { href: "/account", target: "_blank", rel: "noopener" }, t("consent.revoke.link")), after, " ",
      app.policyUri ? el("a", { href: app.policyUri, target: "_blank", rel: "noopener noreferrer" }, t("consent.policy")) : null, " ",
      app.termsUri ? el("a", { href: app.termsUri, target: "_blank", rel: "noopener noreferrer" }, t("consent.terms")) : null));
}

function rest(button) {
  const start = () => resting.set(button, performance.now() + 500);
  start();
  window.addEventListener("focus", start);
  document.addEventListener("visibilitychange", start);
}
function isResting(button) {
  return performance.now() < (resting.get(button) ?? 0);
}

/* Connecting a device */

function showDevice() {
  const code = field("code", t("device.code"), {
    class: "code", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "9", required: true, value: query.get("user_code") ?? "",
  }, t("device.text"));
  const next = el("button", { class: "main wide" }, t("continue"));
  const form = el("form", { novalidate: true }, code.element, next);
  form.addEventListener("submit", busy(next, async () => {
    if (!code.value) return code.fault(t("error.required"));
    const userCode = code.value.toUpperCase();
    showDeviceRequest(userCode, await call("GET", `/auth/devices/${encodeURIComponent(userCode)}`));
  }, say));
  show(t("device.title"), el("p", { class: "small soft" }, t("signin.as", { handle: account.handle })), form);
}

function showDeviceRequest(userCode, device) {
  const allow = el("button", { class: "main grow" }, t("consent.allow"));
  const deny = el("button", { type: "button", class: "grow" }, t("consent.deny"));
  const decide = async (yes) => {
    await call("POST", `/auth/devices/${encodeURIComponent(userCode)}:decide`, { allow: yes, scopes: yes ? [...device.asks, ...device.granted].map(({ name }) => name) : [] });
    show(t(yes ? "device.done" : "device.refused"), el("p", { class: "soft" }, t("device.done.text")));
  };
  const form = el("form", {}, el("div", { class: "row" }, deny, allow));
  rest(allow);
  form.addEventListener("submit", busy(allow, () => isResting(allow) ? undefined : decide(true), say));
  deny.addEventListener("click", busy(deny, () => decide(false), say));
  show(t("device.title"),
    appCard(device.app),
    el("p", { class: "line" }, t("device.asks", { app: device.app.displayName })),
    el("p", { class: "small soft" }, t("device.from", { time: when(device.createTime), network: device.network || t("account.unknown") })),
    el("ul", { class: "scopes" }, [...device.asks, ...device.granted].map((scope) => el("li", {}, el("label", {}, scopeText(scope, account))))),
    form);
}

/* The card */

function show(title, ...content) {
  say("");
  const heading = el("h1", { tabindex: "-1" }, title);
  step.replaceChildren(heading, ...content.filter(Boolean));
  document.title = `${title} – Vibe`;
  const first = step.querySelector("input:not(.hidden):not([readonly]):not([type=checkbox])");
  // A keyboard that jumps up on a phone hides what the page is about.
  if (first && matchMedia("(pointer: fine)").matches) first.focus();
  else heading.focus();
}

function say(text) {
  notice.textContent = text;
}

function appLine() {
  return request ? el("p", { class: "soft" }, t("signin.for", { app: request.app.displayName }), " ", el("span", { class: "small host" }, `(${request.app.host})`)) : null;
}

function appCard(app) {
  return el("div", { class: "app" },
    el("span", { class: "badge", "aria-hidden": "true" }, [...app.displayName][0]?.toUpperCase() ?? "?"),
    el("div", {},
      el("strong", {}, app.displayName), " ",
      app.verified ? el("span", { class: "tag good" }, t("consent.verified")) : el("span", { class: "tag warn" }, t("consent.unverified", { date: when(app.createTime, { dateStyle: "medium" }) })),
      el("p", { class: "small soft host" }, app.host || hostOf(app.homepageUri)),
      app.description ? el("p", { class: "small" }, app.description) : null));
}

function link(text, action) {
  const button = el("button", { type: "button", class: "link" }, text);
  button.addEventListener("click", busy(button, action, say));
  return button;
}

function showFooter() {
  const select = el("select", { "aria-label": t("footer.language") }, languages.map(([tag, name]) => el("option", { value: tag, lang: tag, selected: tag === document.documentElement.lang }, name)));
  select.addEventListener("change", () => { rememberLanguage(select.value); showFooter(); start(); });
  document.getElementById("footer").replaceChildren(select);
}
