import { expect, test } from "vitest";
import { claimsOf, sha256 } from "./base64url.js";
import { newKey, prove } from "./dpop.js";

test("the hash is that of RFC 7636 appendix B", async () => {
  expect(await sha256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).toBe("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
});

test("a proof names the call and the token, and is signed by the key it carries", async () => {
  const key = await newKey();
  const target = { method: "POST", url: "http://vibe.localhost/x", token: "t", skewMs: 3_600_000 };
  const began = Math.floor(Date.now() / 1000);
  const proof = await prove(key, target);
  const ended = Math.ceil(Date.now() / 1000);
  const [header, payload, signature] = proof.split(".") as [string, string, string];
  const { typ, alg, jwk } = JSON.parse(Buffer.from(header, "base64url").toString()) as { typ: string; alg: string; jwk: JsonWebKey };
  expect({ typ, alg, members: Object.keys(jwk) }).toEqual({ typ: "dpop+jwt", alg: "ES256", members: ["kty", "crv", "x", "y"] });
  expect(claimsOf(proof)).toMatchObject({ htm: "POST", htu: "http://vibe.localhost/x", ath: await sha256("t") });
  const told = Number(claimsOf(proof)!["iat"]) - 3600;
  expect(told >= began && told <= ended, `${began} ${told} ${ended}`).toBe(true);
  const known = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
  const signed = (text: string): Promise<boolean> =>
    crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, known, Buffer.from(signature, "base64url"), new TextEncoder().encode(text));
  expect(await signed(`${header}.${payload}`)).toBe(true);
  expect(await signed(`${header}.${payload}x`)).toBe(false);
  expect(await prove(key, target)).not.toBe(proof);
  await expect(crypto.subtle.exportKey("jwk", key.privateKey)).rejects.toThrow();
});
