// Signing in by FedCM, the browser's own dialog. The protocol of the developer tools stands in for the person who looks at it.
import { assert, check } from "../checks.mjs";
import { allow } from "./browser.mjs";

export async function oneTap(page, app) {
  await page.devtools.send("FedCm.enable", { disableRejectionDelay: true });
  page.devtools.on("FedCm.dialogShown", ({ dialogId, dialogType }) => {
    if (dialogType === "AccountChooser") page.devtools.send("FedCm.selectAccount", { dialogId, accountIndex: 0 });
    if (dialogType === "ConfirmIdpLogin") page.devtools.send("FedCm.clickDialogButton", { dialogId, dialogButton: "ConfirmIdpLoginContinue" });
    if (dialogType === "Error") page.devtools.send("FedCm.dismissDialog", { dialogId });
  });
  const ask = async (scope, { mode = "passive", changes = {} } = {}) => {
    const { verifier, challenge } = app.prove();
    await page.devtools.send("FedCm.resetCooldown");
    const answer = await page.evaluate(async ({ configURL, clientId, mode, params }) => {
      try {
        const credential = await navigator.credentials.get({ mediation: "required", identity: { mode, context: "signin", providers: [{ configURL, clientId, params }] } });
        return { token: credential.token };
      } catch (error) {
        return { error: `${error.name} ${error.message}` };
      }
    }, {
      configURL: `${app.url}/fedcm/config.json`, clientId: app.did, mode,
      params: { response_type: "code", scope, nonce: "n", ...challenge, ...changes },
    });
    return { ...answer, verifier };
  };
  const redeem = ({ token, verifier, error }) => {
    assert.equal(error, undefined);
    return app.redeem({ code: token, code_verifier: verifier });
  };
  await check("one tap: signed out, the browser opens the sign-in page in a window of its own, and goes on by itself", async () => {
    await page.goto(`${app.url}/sign-up`);
    await page.getByLabel("Handle").fill("erin");
    await page.getByRole("button", { name: "Use a password instead" }).click();
    await page.getByLabel("New password").fill("correct horse battery");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.waitForURL(`${app.url}/account`);
    await page.getByRole("button", { name: "Sign out" }).first().click();
    await page.waitForURL(`${app.url}/sign-in`);
    await page.goto(app.origin);
    const window = page.context().waitForEvent("page").then(async (popup) => {
      await popup.getByLabel("Handle or e-mail address").fill("erin");
      await popup.getByRole("button", { name: "Continue", exact: true }).click();
      await popup.getByLabel("Password").fill("correct horse battery");
      await popup.getByRole("button", { name: "Sign in" }).click();
    });
    const answer = await ask("openid profile", { mode: "active" });
    await window;
    assert.match((await redeem(answer)).scope, /openid/);
  });
  await check("one tap: somebody who has been here before", async () => {
    await redeem(await ask("openid profile"));
  });
  await check("one tap: a new scope is asked for in a window of ours", async () => {
    const window = page.context().waitForEvent("page").then(allow);
    const answer = await ask("openid timeline");
    await window;
    const tokens = await redeem(answer);
    assert.equal((await app.write(tokens, "posts")).status, 200);
  });
  await check("one tap: not without PKCE", async () => {
    const answer = await ask("openid", { changes: { code_challenge: "", code_challenge_method: "" } });
    assert.match(answer.error ?? "none", /NetworkError|IdentityCredentialError/);
  });
  await check("one tap: a script cannot ask in the browser's name", async () => {
    const status = await page.evaluate(async (address) => (await fetch(address, { credentials: "include" }).catch(() => ({ status: "blocked" }))).status, `${app.url}/fedcm/accounts`);
    assert.ok([400, "blocked"].includes(status), `${status}`);
  });
  await check("one tap: disconnecting takes the consent back", async () => {
    const tokens = await redeem(await ask("openid timeline"));
    await page.evaluate(({ configURL, clientId, accountHint }) => IdentityCredential.disconnect({ configURL, clientId, accountHint }),
      { configURL: `${app.url}/fedcm/config.json`, clientId: app.did, accountHint: "erin" });
    await app.untilRefused(tokens);
  });
  await page.context().close();
}
