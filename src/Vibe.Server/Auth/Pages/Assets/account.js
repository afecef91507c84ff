// The account of the person who is signed in: apps with access, sessions, passkeys, other ways in, certificates, activity, data.
// A page like any other client of the account API: it trades the session's cookie for a short-lived access token.
import { busy, call, createPasskey, el, field, hasPasskeys, when, wordsOf } from "./kit.js";
import { chooseLanguage, scopeText, t } from "./words.js";

const main = document.getElementById("main");
let token = null;
let account = null;
let leaving = false; // On the way to another page: what fails now sends nobody elsewhere.

chooseLanguage();
document.title = `${t("account.title")} – Vibe`;
document.getElementById("skip").textContent = t("skip");
const out = document.getElementById("sign-out");
out.textContent = t("account.signout");
out.addEventListener("click", busy(out, async () => {
  leaving = true;
  await call("POST", "/auth/sign-out", {});
  location.replace("/sign-in");
}, () => { leaving = false; }));

try {
  account = await api("GET", "");
  chooseLanguage(account.locale ? [account.locale] : []);
  document.getElementById("who").textContent = `@${account.handle}`;
  out.hidden = false;
  main.replaceChildren(el("h1", { tabindex: "-1" }, t("account.title")));
  for (const section of [profile, apps, passkeys, security, sessions, certificates, activity, data]) {
    const place = el("section", { class: "panel" });
    main.append(place);
    await fill(place, section);
  }
} catch (error) {
  if (error.status !== 401) main.replaceChildren(el("h1", {}, t("account.title")), el("p", { class: "notice", role: "alert" }, wordsOf(error)));
}

/** Calls the account API; whoever is not signed in is sent to sign in, whoever signed in long ago to confirm. */
function api(method, path, body) {
  return at(method, `/v1/account${path}`, body);
}

async function at(method, path, body) {
  if (!token || Date.parse(token.expireTime) < Date.now() + 15_000) token = await page("POST", "/auth/account-token", {});
  return page(method, path, body, { authorization: `Bearer ${token.accessToken}` });
}

async function page(...request) {
  try {
    return await call(...request);
  } catch (error) {
    // What a person typed wrong is said where they typed it.
    if (!leaving && error.status === 401 && error.reason !== "SIGN_IN_FAILED") leave(`/sign-in?return=/account${account ? "&again" : ""}`);
    throw error;
  }
}

function leave(address) {
  leaving = true;
  location.assign(address);
}

// One section that cannot be shown leaves the others alone.
async function fill(place, section) {
  const notice = el("p", { class: "notice", role: "alert" });
  const say = (text, error) => {
    notice.className = error === undefined && text ? "notice plain" : "notice";
    notice.textContent = text;
  };
  const again = () => fill(place, section);
  try { place.replaceChildren(...await section(say, again), notice); } catch (error) { place.replaceChildren(notice); say(wordsOf(error), error); }
}

function head(title, ...actions) {
  return el("header", {}, el("h2", {}, title), ...actions);
}

function button(text, action, say, kind = "") {
  const made = el("button", { type: "button", class: kind }, text);
  made.addEventListener("click", busy(made, action, say));
  return made;
}

/** Asks before what cannot be undone. Resolves to what was typed, or true; null when it was cancelled. */
function ask(title, text, action, typed = null) {
  return new Promise((resolve) => {
    const input = typed ? field("confirm", typed.label, { autocomplete: "off", autocapitalize: "none", spellcheck: "false" }) : null;
    const form = el("form", { method: "dialog", novalidate: true }, input?.element,
      el("div", { class: "row end" }, el("button", { value: "no", type: "button", onclick: () => dialog.close("no") }, t("cancel")), el("button", { value: "yes", class: "danger main" }, action)));
    const dialog = el("dialog", { "aria-labelledby": "dialog-title" }, el("h2", { id: "dialog-title" }, title), el("p", { class: "soft line" }, text), form);
    form.addEventListener("submit", (event) => {
      if (input && input.value !== typed.value) { event.preventDefault(); input.fault(typed.label); }
    });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "yes" ? true : null); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function profile(say) {
  const handle = field("handle", t("signup.handle"), { value: account.handle, autocapitalize: "none", spellcheck: "false", maxlength: "63", autocomplete: "username", required: true });
  const name = field("name", t("signup.name"), { value: account.displayName ?? "", maxlength: "120", autocomplete: "name" });
  const save = el("button", { class: "main" }, t("account.profile.save"));
  const form = el("form", { novalidate: true }, handle.element, name.element,
    el("p", { class: "small soft" }, `${t("account.id")}: `, el("code", {}, account.did)), el("div", { class: "row" }, save));
  form.addEventListener("submit", busy(save, async () => {
    try {
      account = await api("PATCH", "?update_mask=handle&update_mask=display_name", { handle: handle.value.toLowerCase(), displayName: name.value });
      document.getElementById("who").textContent = `@${account.handle}`;
      say(t("account.profile.saved"));
    } catch (error) {
      if (error.reason === "HANDLE_TAKEN" || error.fields?.[0]?.field?.endsWith("handle")) return handle.fault(wordsOf(error));
      throw error;
    }
  }, say));
  return [head(t("account.profile")), form];
}

async function apps(say, again) {
  const { grants = [] } = await api("GET", "/grants");
  return [head(t("account.apps")), grants.length === 0 ? el("p", { class: "soft" }, t("account.apps.none")) : el("ul", {}, grants.map((grant) => el("li", {},
    el("div", {},
      el("h3", {}, grant.displayName, " ", el("span", { class: "small soft" }, grant.host)),
      el("p", { class: "small" }, (grant.scopes ?? []).map((scope) => scopeText(scope, account)).join(" · ")),
      el("p", { class: "small soft" }, t("account.apps.since", { since: when(grant.createTime, { dateStyle: "medium" }), last: when(grant.lastUseTime) }), " ",
        grant.expireTime ? t("account.apps.until", { until: when(grant.expireTime) }) : null)),
    button(t("account.apps.revoke"), async () => {
      if (!await ask(t("account.apps.revoke.title", { app: grant.displayName }), t("account.apps.revoke.text"), t("account.apps.revoke"))) return;
      await api("DELETE", `/grants/${encodeURIComponent(grant.app)}`);
      await again();
    }, say, "danger"))))];
}

async function passkeys(say, again) {
  const { passkeys: keys = [] } = await api("GET", "/passkeys");
  const add = hasPasskeys() ? button(t("account.passkeys.add"), async () => {
    const { challengeId, options } = await page("POST", "/auth/passkeys/add/options", {});
    await page("POST", "/auth/passkeys/add", { challengeId, credential: await createPasskey(options) });
    await again();
  }, say) : null;
  return [head(t("account.passkeys"), add), keys.length === 0 ? el("p", { class: "soft" }, t("account.passkeys.none")) : el("ul", {}, keys.map((key) => el("li", {},
    el("div", {}, el("h3", {}, key.name || t("account.passkeys.unnamed")), el("p", { class: "small soft" }, t("account.passkeys.made", {
      made: when(key.createTime, { dateStyle: "medium" }), last: key.lastUseTime ? when(key.lastUseTime) : t("account.never") }))),
    button(t("remove"), async () => {
      if (!await ask(t("account.passkeys.remove.title"), t("account.passkeys.remove.text"), t("remove"))) return;
      await api("DELETE", `/passkeys/${encodeURIComponent(key.id)}`);
      await again();
    }, say, "danger"))))];
}

async function security(say, again) {
  const { emailAddresses = [] } = await api("GET", "/emailAddresses");
  const codes = button(t("account.codes.make"), async () => {
    const made = await page("POST", "/auth/recovery/codes", {});
    const dialog = el("dialog", { "aria-labelledby": "codes-title" }, el("h2", { id: "codes-title" }, t("account.codes.title")), el("p", { class: "soft line" }, t("account.codes.text")),
      el("ol", { class: "codes" }, made.codes.map((code) => el("li", {}, code))), el("div", { class: "row end" }, el("button", { type: "button", class: "main", onclick: () => dialog.close() }, t("done"))));
    dialog.addEventListener("close", () => { dialog.remove(); again(); });
    document.body.append(dialog);
    dialog.showModal();
  }, say);
  return [head(t("account.security")), el("ul", {},
    el("li", {}, el("div", {}, el("h3", {}, t("account.password")), el("p", { class: "small soft" }, t(account.hasPassword ? "account.password.is" : "account.password.not"))),
      button(t(account.hasPassword ? "account.password.change" : "account.password.set"), () => changePassword(say, again), say)),
    el("li", {}, el("div", {}, el("h3", {}, t("account.codes")), el("p", { class: "small soft" }, t("account.codes.left", { count: account.recoveryCodes ?? 0 }))), codes),
    ...emailAddresses.map((mail) => el("li", {}, el("div", {}, el("h3", {}, mail.address)),
      button(t("remove"), async () => { await api("DELETE", `/emailAddresses/${encodeURIComponent(mail.address)}`); await again(); }, say, "danger"))),
    el("li", {}, mailForm(say)))];
}

function mailForm(say) {
  const address = field("address", t("account.mail.add"), { type: "email", autocomplete: "email", required: true, maxlength: "254" });
  const add = el("button", {}, t("account.mail.add"));
  const form = el("form", { novalidate: true, class: "grow" }, address.element, el("div", { class: "row" }, add));
  form.addEventListener("submit", busy(add, async () => {
    if (!address.value) return address.fault(t("error.required"));
    await page("POST", "/auth/mail/add", { address: address.value });
    say(t("account.mail.sent", { address: address.value }));
    form.reset();
  }, say));
  return el("div", {}, form);
}

function changePassword(say, again) {
  return new Promise((resolve) => {
    const current = field("current", t("account.password.current"), { type: "password", autocomplete: "current-password" });
    const next = field("next", t("signup.password.field"), { type: "password", autocomplete: "new-password" }, t("signup.password.hint"));
    const fault = el("p", { class: "notice", role: "alert" });
    const save = el("button", { class: "main" }, t("account.profile.save"));
    const form = el("form", { novalidate: true }, account.hasPassword ? current.element : null, next.element, fault,
      el("div", { class: "row end" }, el("button", { type: "button", onclick: () => dialog.close() }, t("cancel")), save));
    const dialog = el("dialog", { "aria-labelledby": "password-title" }, el("h2", { id: "password-title" }, t(account.hasPassword ? "account.password.change" : "account.password.set")), form);
    form.addEventListener("submit", busy(save, async () => {
      if (next.input.value.length < 10) return next.fault(t("signup.password.hint"));
      await page("POST", "/auth/password/change", { currentPassword: current.input.value, newPassword: next.input.value });
      account.hasPassword = true;
      dialog.close();
      await again();
    }, (text) => { fault.textContent = text; }));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

async function sessions(say, again) {
  const { sessions: all = [] } = await api("GET", "/sessions");
  return [head(t("account.sessions")), el("ul", {}, all.map((session) => el("li", {},
    el("div", {}, el("h3", {}, session.userAgent || t("account.sessions.unknown"), " ", session.current ? el("span", { class: "tag good" }, t("account.sessions.this")) : null),
      el("p", { class: "small soft" }, t("account.sessions.used", { last: when(session.lastUseTime), network: session.network || t("account.unknown") }))),
    session.current ? null : button(t("account.sessions.revoke"), async () => { await api("DELETE", `/sessions/${encodeURIComponent(session.id)}`); await again(); }, say, "danger"))))];
}

async function certificates() {
  const { certificates: all = [] } = await at("GET", "/v1/certificates");
  return [head(t("account.certificates")), all.length === 0 ? el("p", { class: "soft" }, t("account.certificates.none")) : el("ul", {}, all.filter((one) => !one.revokeTime).map((one) => el("li", {},
    el("div", {}, el("h3", {}, one.type), el("p", { class: "small soft" }, t("account.certificates.from", { issuer: one.issuer, until: one.expireTime ? when(one.expireTime, { dateStyle: "medium" }) : t("consent.time.always") }))))))];
}

async function activity(say) {
  const list = el("ul", {});
  let pageToken = "";
  const more = button(t("account.activity.more"), async () => {
    const { auditEvents = [], nextPageToken = "" } = await api("GET", `/auditEvents?pageSize=20&pageToken=${encodeURIComponent(pageToken)}`);
    list.append(...auditEvents.map((event) => el("li", {}, el("div", {}, el("h3", {}, wordsOfEvent(event)),
      el("p", { class: "small soft" }, [when(event.createTime), event.network].filter(Boolean).join(" · "))))));
    pageToken = nextPageToken;
    more.hidden = !pageToken;
  }, say, "link");
  more.click();
  return [head(t("account.activity")), list, more];
}

function wordsOfEvent({ type }) {
  const known = t(`event.${type}`);
  return known === `event.${type}` ? type : known;
}

function data(say) {
  return [head(t("account.data")), el("ul", {},
    el("li", {}, el("div", {}, el("h3", {}, t("account.export")), el("p", { class: "small soft" }, t("account.export.text"))), button(t("account.export"), download, say)),
    el("li", {}, el("div", {}, el("h3", {}, t("account.delete")), el("p", { class: "small soft" }, t("account.delete.text"))), button(t("account.delete"), async () => {
      if (!await ask(t("account.delete.title"), t("account.delete.text"), t("account.delete"), { label: t("account.delete.confirm"), value: account.handle })) return;
      await api("DELETE", `?handle=${encodeURIComponent(account.handle)}`);
      location.replace("/sign-up");
    }, say, "danger")))];
}

async function download() {
  await api("GET", "");
  const response = await fetch("/v1/account:export", { headers: { authorization: `Bearer ${token.accessToken}` } });
  if (!response.ok) throw new Error(`${response.status}`);
  const file = URL.createObjectURL(await response.blob());
  el("a", { href: file, download: `vibe-${account.handle}.ndjson` }).click();
  setTimeout(() => URL.revokeObjectURL(file), 60_000);
}
